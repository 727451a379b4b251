//! A run of the pipe on a real model: every case passes by real inference, every line
//! is what the schemas say, and the samples really were taken while the tests ran.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::tools::{demo, tool};

#[test]
fn every_case_passes_by_real_inference() {
    let demo = demo();
    let tests: Vec<&Value> = demo.of_kind("test").collect();
    assert_eq!(tests.len(), 6);
    for test in &tests {
        assert_eq!(test["outcome"], "passed", "{test}");
    }
    let answered: Vec<&&Value> =
        tests.iter().filter(|t| t["metrics"]["server"]["predicted_n"].is_number()).collect();
    // Four cases ask the model; llama.cpp's own counters prove that it answered.
    assert_eq!(answered.len(), 4);
    for test in answered {
        assert!(test["metrics"]["server"]["predicted_ms"].as_f64().unwrap() > 0.0);
        assert!(!test["sample_output"].as_str().unwrap().is_empty());
    }
    let end = demo.of_kind("run_end").next().unwrap();
    assert_eq!(end["counts"]["passed"], 6);
    assert!(demo.stderr.contains("6 passed in"), "{}", demo.stderr);
}

#[test]
fn all_lines_are_of_one_run_on_one_host() {
    let demo = demo();
    let first = &demo.lines[0];
    assert_eq!(first["record"], "stream");
    // What correlate finds out comes after all else.
    let found = ["model_life", "advice", "anomaly"];
    let last = demo.lines.iter().rfind(|line| !found.iter().any(|kind| line["record"] == *kind));
    assert_eq!(last.unwrap()["record"], "summary");
    for line in &demo.lines {
        assert_eq!((&line["run"], &line["host"]), (&first["run"], &first["host"]), "{line}");
    }
}

#[test]
fn every_line_is_valid_and_no_field_is_undocumented() {
    let demo = demo();
    let output = tool("validate").arg(demo.path("run.jsonl")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // The schemas allow fields that they do not know, so that streams can grow. Our own
    // tools shall write none: a field that slips in has no documentation.
    let mut strict: BTreeMap<&str, Validator> = BTreeMap::new();
    for line in &demo.lines {
        let kind = line["record"].as_str().unwrap();
        let validator = strict.entry(kind).or_insert_with(|| {
            let kind = records::Kind::from_name(kind).unwrap();
            let schema = records::schema::named(records::schema::name_of(kind)).unwrap();
            let mut schema: Value = serde_json::from_str(schema.text).unwrap();
            forbid_strangers(&mut schema);
            jsonschema::validator_for(&schema).unwrap()
        });
        let errors: Vec<String> =
            validator.iter_errors(line).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}\n{line}");
    }
    // Whether the machine gave cause for an anomaly is not for this test to say.
    let kinds: Vec<&str> = strict.keys().copied().filter(|kind| *kind != "anomaly").collect();
    assert_eq!(
        kinds,
        [
            "advice",
            "begin",
            "model_life",
            "run_end",
            "run_start",
            "sample",
            "span",
            "stream",
            "summary",
            "test"
        ]
    );
}

/// Closes every object that names its fields and does not say that it is open.
fn forbid_strangers(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(forbid_strangers);
        }
        Value::Array(list) => list.iter_mut().for_each(forbid_strangers),
        _ => {}
    }
}

#[test]
fn samples_cover_the_tests_and_saw_the_model() {
    let demo = demo();
    let size_gb = 0.098;
    for test in demo.of_kind("test").filter(|test| test["params"]["model"].is_string()) {
        let resources = &test["resources"];
        assert!(resources["coverage"].as_f64().unwrap() > 0.99, "{test}");
        // The server's weights are in memory while it is asked.
        let rss = resources["tree_rss_gb"]["max"].as_f64().unwrap();
        assert!(rss > size_gb, "{rss} GB are less than the model: {test}");
    }
    let cold: Vec<bool> =
        demo.of_kind("test").filter_map(|test| test["cold_start"].as_bool()).collect();
    assert_eq!(cold, [true, false, false, false, false], "the first on the model alone was cold");
    let load = demo.of_kind("span").find(|span| span["phase"] == "load").unwrap();
    assert!(load["resources"]["tree_rss_gb"]["delta"].as_f64().unwrap() > size_gb / 2.0, "{load}");
}

#[test]
fn latencies_agree_with_the_servers_own() {
    let demo = demo();
    let test = demo.of_kind("test").find(|test| test["case"] == "streaming").unwrap();
    let metrics = &test["metrics"];
    let get = |key: &str| metrics[key].as_f64().unwrap();
    let server = |key: &str| metrics["server"][key].as_f64().unwrap() / 1e3;
    // The client sees the first token after the server has read the prompt, and the
    // whole no earlier than the server made it.
    assert!(get("ttft_s") >= server("prompt_ms"), "{metrics}");
    // 25 steps between 26 tokens, the last of which ends the answer and says nothing: it comes
    // after `e2e_s`, by as long as the server took for it.
    let steps = get("completion_tokens") - 1.0;
    let whole = get("ttft_s") + steps * get("tpot_s");
    assert!(whole + 0.002 >= server("prompt_ms") + server("predicted_ms"), "{metrics}");
    assert!(get("e2e_s") < whole && whole < test["duration_s"].as_f64().unwrap(), "{test}");
    let itl = |key: &str| metrics["itl_s"][key].as_f64().unwrap();
    let said = get("ttft_s") + itl("n") * itl("mean");
    assert!((get("e2e_s") - said).abs() < 1e-4, "{metrics}");
    assert_eq!(get("completion_tokens"), metrics["server"]["predicted_n"].as_f64().unwrap());
    assert!(get("generation_tps") <= steps / (get("e2e_s") - get("ttft_s")) + 0.01, "{metrics}");
    let of_server = steps / server("predicted_ms");
    assert!((get("generation_tps") / of_server - 1.0).abs() < 0.1, "{metrics}");
    assert!((get("generation_tps") * get("tpot_s") - 1.0).abs() < 0.001, "{metrics}");
}

#[test]
fn the_summary_is_what_the_samples_give() {
    let demo = demo();
    let summary = demo.of_kind("summary").next().unwrap();
    let samples: Vec<&Value> = demo.of_kind("sample").collect();
    assert_eq!(summary["samples"].as_u64().unwrap(), samples.len() as u64);
    assert_eq!(summary["child"]["exit"], 0);
    let free: Vec<f64> = samples.iter().filter_map(|s| s["ram_free_gb"].as_f64()).collect();
    let min = free.iter().copied().fold(f64::INFINITY, f64::min);
    let max = free.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(summary["series"]["ram_free_gb"]["min"].as_f64(), Some(min));
    assert_eq!(summary["series"]["ram_free_gb"]["max"].as_f64(), Some(max));
    // What this machine has not got is absent, with the reason in `stream`.
    let stream = demo.of_kind("stream").next().unwrap();
    let missing = stream["sources"]["missing"].as_array().unwrap();
    for quantity in missing.iter().map(|m| m["quantity"].as_str().unwrap()) {
        assert!(samples.iter().all(|sample| sample.get(quantity).is_none()), "{quantity}");
    }
}
