//! What is measured of a real llama.cpp with a real model: its speed beside what it says
//! itself, a baseline, and a batch that is killed and goes on.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::tools::{backend, read, root, stderr, tool};

/// examples/compare.toml for llama.cpp alone, with `cases` instead of its own where there
/// are any. On one thread: two that wait for one another are many times slower where
/// other tests run beside them.
fn suite(options: &str, cases: Option<&str>) -> String {
    let suite = fs::read_to_string(root().join("examples/compare.toml")).unwrap();
    let (head, own) = suite.split_once("# Words are added").unwrap();
    format!("{head}\n# {}", cases.map_or(own.to_owned(), |cases| format!("\n{cases}")))
        .replace("\"-c\", \"2048\"", &format!("\"-c\", \"2048\", \"-t\", \"1\"{options}"))
        .replace("on.mlx = {", "#")
        .replace("\"backends/", &format!("\"{}/examples/backends/", root().display()))
        .replace("../target", &format!("{}/target", root().display()))
}

/// The records of `selected` cases of `suite`, all of which passed.
fn ran(suite: &str, selected: &str) -> Vec<Value> {
    backend();
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("s.toml"), folder.path().join("run.jsonl"));
    fs::write(&file, suite).unwrap();
    let output = tool("runner")
        .arg(&file)
        .args(["-k", selected, "--state-dir"])
        .arg(folder.path())
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    read(&out)
}

fn test_of<'a>(lines: &'a [Value], case: &str) -> &'a Value {
    lines.iter().find(|line| line["record"] == "test" && line["case"] == case).unwrap()
}

#[test]
fn a_bench_of_llama_cpp_agrees_with_what_the_server_says_of_itself() {
    let lines = ran(&suite("", None), "speed");
    let test = test_of(&lines, "speed");
    let metrics = &test["metrics"];
    assert_eq!(test["runs"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&metrics["prompt_tokens"]["min"], &metrics["prompt_tokens"]["max"]),
        (&json!(64.0), &json!(64.0))
    );
    assert_eq!(metrics["completion_tokens"]["min"], 16.0, "whatever the model says");
    assert_eq!(metrics["cached_tokens"]["max"], 0.0);
    assert_eq!(metrics["itl_s"]["n"], 3 * 15, "a chunk a token");
    // Two busy cores: the bars are for a quiet machine (`just bench`).
    let server = &metrics["server"];
    for key in ["prompt_difference_pct", "generation_difference_pct"] {
        let difference = server[key]["median"].as_f64().unwrap();
        assert!(difference.abs() < 15.0, "{key}: {difference}");
    }
    let late = server["ttft_minus_prompt_s"]["median"].as_f64().unwrap();
    assert!((0.0..0.2).contains(&late), "{late}");
    let load =
        lines.iter().find(|line| line["phase"] == "load" && line["record"] == "span").unwrap();
    let difference = metrics["load_s"].as_f64().unwrap() - load["duration_s"].as_f64().unwrap();
    assert!(difference.abs() < 1e-3, "{difference}");
}

#[test]
fn a_depth_is_in_the_cache_of_llama_cpp_and_the_prompt_behind_it_is_not() {
    let deep =
        suite("", None).replace("prompt_tokens = 64", "prompt_tokens = 64, depth = [0, 256]");
    let lines = ran(&deep, "speed");
    let tests: Vec<&Value> = lines.iter().filter(|line| line["record"] == "test").collect();
    let cached = |test: &Value| test["metrics"]["cached_tokens"]["min"].as_f64().unwrap();
    assert_eq!(tests[0]["params"]["depth"], 0);
    assert_eq!(cached(tests[0]), 0.0);
    assert!(cached(tests[1]) >= 250.0, "{}", tests[1]);
    // What is evaluated behind it is the prompt, with the words that make it new.
    let whole = tests[1]["metrics"]["prompt_tokens"]["max"].as_f64().unwrap();
    assert!(whole - cached(tests[1]) < 100.0, "{}", tests[1]);
    let tps = |test: &Value| test["metrics"]["prompt_tps"]["mean"].as_f64().unwrap();
    assert!(tps(tests[1]) < 2.0 * tps(tests[0]), "a speed that a cache makes is none");
}

#[test]
fn a_baseline_of_llama_cpp_goes_from_the_load_to_the_steady_state() {
    let lines = ran(&suite("", None), "baseline");
    let test = test_of(&lines, "baseline");
    let metrics = &test["metrics"];
    assert_eq!(metrics["accuracy"], json!({"correct": 4, "total": 4}), "{test}");
    assert_eq!(metrics["disk_gb"], 0.098);
    let memory = metrics["memory_gb"].as_f64().unwrap();
    assert!((0.05..4.0).contains(&memory), "{memory}");
    assert_eq!(metrics["steady_s"]["n"], 3);
    assert!(
        metrics["warmup_s"].as_f64().unwrap() > 0.0 && metrics["load_s"].as_f64().unwrap() > 0.0
    );
    assert!(test["targets"].as_array().unwrap().iter().all(|target| target["ok"] == true));
    // Nobody asked it anything before its first query.
    let load =
        lines.iter().find(|line| line["record"] == "span" && line["phase"] == "load").unwrap();
    assert!(load.get("first_token_s").is_none());
}

const REQUESTS: usize = 200;
const AT_ONCE: usize = 4;

#[test]
fn a_batch_of_200_on_a_real_model_is_killed_and_goes_on() {
    backend();
    let folder = tempfile::tempdir().unwrap();
    batch(folder.path());
    let out = folder.path().join("run.jsonl");
    let run = |more: &[&str]| {
        let mut runner = tool("runner");
        runner
            .arg(folder.path().join("s.toml"))
            .args(["--requests".as_ref(), folder.path().join("answers.jsonl").as_os_str()])
            .args(["--state-dir".as_ref(), folder.path().as_os_str()])
            .args(more)
            .args(["-o".as_ref(), out.as_os_str()]);
        runner.stderr(Stdio::piped());
        runner
    };
    let mut first = run(&[]).spawn().unwrap();
    let start = Instant::now();
    while answered(&out).len() < REQUESTS / 3 {
        assert!(start.elapsed() < Duration::from_secs(900), "it never came so far");
        assert_eq!(first.try_wait().unwrap(), None, "it ended by itself");
        thread::sleep(Duration::from_millis(20));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let before = answered(&out).len();
    assert!(before < REQUESTS, "{before}");

    let output = run(&["--resume", out.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let counts = answered(&out);
    assert_eq!(counts.len(), REQUESTS);
    assert!(counts.values().all(|n| *n == 1), "each is recorded exactly once");
    let lines = read(&out);
    let test = test_of(&lines, "batch");
    let totals = &test["batch"];
    assert_eq!((&totals["requests"], &totals["answered"]), (&json!(REQUESTS), &json!(REQUESTS)));
    assert_eq!(totals["kept"], before);
    assert_eq!(test["metrics"]["success_rate"], 1);
    let e2e = &test["metrics"]["e2e_s"];
    assert_eq!(e2e["n"], REQUESTS);
    assert!(e2e["p95"].as_f64().unwrap() >= e2e["median"].as_f64().unwrap());
    // An answer that came and was not recorded before the kill was asked for again.
    let answers = fs::read_to_string(folder.path().join("answers.jsonl")).unwrap();
    let n = answers.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!((REQUESTS..=REQUESTS + AT_ONCE).contains(&n), "{n}");
}

/// A suite with a batch of requests of different lengths.
fn batch(folder: &Path) {
    let cases = format!(
        "[[case]]\nname = 'batch'\nneeds = ['text']\nbatch = {{ file = 'b.jsonl', concurrency = {AT_ONCE} }}\n"
    );
    fs::write(folder.join("s.toml"), suite(", \"-np\", \"4\"", Some(&cases))).unwrap();
    let lines = (0..REQUESTS).map(|n| {
        let prompt = format!("{n} + 2 =");
        let body = json!({"prompt": prompt, "max_tokens": 1 + n % 3, "stream": n % 2 == 0});
        let line = json!({"custom_id": format!("sum-{n}"), "url": "/v1/completions", "body": body});
        format!("{line}\n")
    });
    fs::write(folder.join("b.jsonl"), lines.collect::<String>()).unwrap();
}

/// How often each request has a record.
fn answered(file: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut counts = BTreeMap::new();
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for record in records.filter(|record| record["record"] == "request") {
        *counts.entry(record["custom_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}
