//! Real backends of several kinds: MLX's server, Whisper, a reader of pictures, and
//! llama.cpp's, each by the suite in examples/suites that shows how it is used.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::tools::{read, setup, stderr, tool};

/// The records of `examples/suites/NAME.toml`, all of whose cases passed.
fn passed(name: &str, needs: &[&str]) -> Vec<Value> {
    setup(needs);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.jsonl");
    let output = tool("runner")
        .arg(format!("examples/suites/{name}.toml"))
        // Two busy cores take their time.
        .args(["--timeout", "300", "--state-dir", folder.path().to_str().unwrap()])
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    let log = || {
        let logs = fs::read_dir(folder.path().join("logs")).unwrap();
        logs.map(|log| fs::read_to_string(log.unwrap().path()).unwrap()).collect::<String>()
    };
    assert!(output.status.success(), "{}\n{}", stderr(&output), log());
    read(&out)
}

fn test_of<'a>(lines: &'a [Value], case: &str) -> &'a Value {
    lines.iter().find(|line| line["record"] == "test" && line["case"] == case).unwrap()
}

fn spans<'a>(lines: &'a [Value], phase: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line["record"] == "span" && line["phase"] == phase)
}

/// Nothing was left behind by any stop.
fn stopped_well(lines: &[Value]) {
    assert!(spans(lines, "stop").count() > 0);
    assert!(spans(lines, "stop").all(|stop| stop.get("error").is_none()));
}

#[test]
fn llama_cpp_tells_its_version_its_model_and_its_time() {
    let lines = passed("llama-server", &["llama"]);
    let test = test_of(&lines, "arithmetic");
    assert!(test["backend"]["version"].as_str().unwrap().contains("xllamacpp 20"), "{test}");
    let model = &test["model"];
    assert_eq!(
        (model["params_b"].as_f64(), model["context"].as_u64()),
        (Some(0.134_515), Some(8192))
    );
    assert_eq!(
        (model["quantization"].as_str(), model["family"].as_str()),
        (Some("Q4_1"), Some("llama"))
    );
    assert!(test["metrics"]["server"]["predicted_ms"].as_f64().unwrap() > 0.0);
    let answered: Vec<&Value> = lines.iter().filter(|line| line["record"] == "request").collect();
    let ids: BTreeSet<&str> = answered.iter().filter_map(|r| r["custom_id"].as_str()).collect();
    assert_eq!((answered.len(), ids.len()), (6, 6), "every request of the batch is recorded once");
    let tokens = |request: &&Value| request["metrics"]["completion_tokens"].as_u64();
    assert!(answered.iter().all(|request| tokens(request).is_some_and(|n| n > 0)));
    let load = spans(&lines, "load").next().unwrap();
    assert!(load["first_token_s"].as_f64().unwrap() > load["duration_s"].as_f64().unwrap());
    assert!(["cold", "partial", "warm"].contains(&load["page_cache"].as_str().unwrap()));
    stopped_well(&lines);
}

#[test]
fn mlx_runs_the_same_model_and_is_ready_when_a_token_came() {
    let lines = passed("mlx-lm", &["mlx"]);
    let test = test_of(&lines, "arithmetic");
    assert!(test["backend"]["version"].as_str().unwrap().contains("(mlx 0."), "{test}");
    let model = &test["model"];
    assert_eq!(
        (model["params_b"].as_f64(), model["context"].as_u64()),
        (Some(0.134_515), Some(8192))
    );
    assert_eq!(
        (model["quantization"].as_str(), model["framework"].as_str()),
        (Some("float16"), Some("MLX"))
    );
    assert!(test["metrics"].get("server").is_none(), "it reports no timings");
    let load = spans(&lines, "load").next().unwrap();
    assert_eq!(load["first_token_s"], load["duration_s"]);
    stopped_well(&lines);
}

#[test]
fn speech_is_heard_and_pictures_are_read() {
    let lines = passed("openai", &["whisper", "ocr"]);
    assert!(test_of(&lines, "speech")["metrics"]["rtfx"].as_f64().unwrap() > 0.0);
    assert_eq!(lines.iter().filter(|line| line["record"] == "test").count(), 5);
    stopped_well(&lines);
}
