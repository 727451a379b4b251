//! The lines of mlx-knife, whose `timestamp` is the end of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use correlate::Join;
use serde_json::Value;

fn data(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn joined(files: &[String]) -> Vec<Value> {
    let mut join = Join::new(files.len());
    let mut out = Vec::new();
    for (input, file) in files.iter().enumerate() {
        for line in file.lines() {
            join.push(line.as_bytes(), &records::classify(line.as_bytes()), input).unwrap();
        }
    }
    join.finish();
    while let Some((_, line)) = join.next_joined() {
        out.push(serde_json::from_slice(&line).unwrap());
    }
    out
}

/// The times of each test, with or without the precise ones.
fn window(test: &Value) -> (f64, f64) {
    match test["test_start_ts"].as_f64() {
        Some(start) => (start, test["test_end_ts"].as_f64().unwrap()),
        None => {
            let text = test["timestamp"].as_str().unwrap();
            let end = records::legacy::unix_seconds(text).unwrap();
            (end - test["duration"].as_f64().unwrap(), end)
        }
    }
}

fn check(tests: &str) {
    let samples = data("mlx-knife-memory.jsonl");
    let found = joined(&[samples.clone(), tests.to_owned()]);
    assert_eq!(joined(&[tests.to_owned(), samples.clone()]), found);

    let samples: Vec<Value> = samples.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let tests: Vec<Value> = tests.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((found.len(), tests.len()), (60, 60));
    for (test, found) in tests.iter().zip(&found) {
        assert_eq!((&found["record"], &found["id"]), (&"test".into(), &test["test"]));
        let (start, end) = window(test);
        let inside: Vec<&Value> = samples
            .iter()
            .filter(|s| s["ts"].as_f64().is_some_and(|ts| start <= ts && ts < end))
            .collect();
        let resources = &found["resources"];
        assert_eq!(resources["samples"], inside.len());
        assert_eq!(resources["coverage"], 1.0);
        // Always 0 in these lines, which means not measured.
        assert!(resources.get("ram_used_gb").is_none());
        for series in ["ram_free_gb", "swap_used_mb", "gpu_device_util"] {
            let values = inside.iter().map(|s| s[series].as_f64().unwrap());
            assert_eq!(resources[series]["max"], values.clone().reduce(f64::max).unwrap());
            assert_eq!(resources[series]["min"], values.reduce(f64::min).unwrap());
        }
        // The mean of a rate by hand: each sample counts for the time since the one before.
        let (mut sum, mut time) = (0.0, 0.0);
        for pair in samples.windows(2).filter(|pair| pair[1]["ts"].is_number()) {
            let (from, to) = (pair[0]["ts"].as_f64().unwrap(), pair[1]["ts"].as_f64().unwrap());
            let share = to.min(end) - from.max(start);
            if share > 0.0 {
                sum += share * pair[1]["gpu_device_util"].as_f64().unwrap();
                time += share;
            }
        }
        let mean = resources["gpu_device_util"]["mean"].as_f64().unwrap();
        assert!((mean - sum / time).abs() < 0.0051, "{mean} {}", sum / time);
    }
}

#[test]
fn legacy_tests_are_joined_by_their_precise_times() {
    check(&data("mlx-knife-tests.jsonl"));
}

#[test]
fn without_precise_times_the_timestamp_is_the_end() {
    let tests: Vec<String> = data("mlx-knife-tests.jsonl")
        .lines()
        .map(|line| {
            let mut test: Value = serde_json::from_str(line).unwrap();
            test.as_object_mut().unwrap().retain(|key, _| !key.ends_with("_ts"));
            test.to_string()
        })
        .collect();
    check(&tests.join("\n"));
}

#[test]
fn a_legacy_test_is_cold_when_the_model_changed() {
    let tests = data("mlx-knife-tests.jsonl");
    let mut before = Value::Null;
    for (line, found) in tests.lines().zip(joined(std::slice::from_ref(&tests))) {
        let model = serde_json::from_str::<Value>(line).unwrap()["model"]["id"].clone();
        assert_eq!(found["cold_start"], model != before);
        assert!(found.get("resources").is_none());
        before = model;
    }
}

#[test]
fn a_legacy_test_joins_the_only_host_that_was_sampled_and_none_of_two() {
    let sample = |run: &str, seq: u32| {
        format!(
            r#"{{"record":"sample","v":1,"ts":{}.0,"run":"{run}","host":"{run}","seq":{seq},"elapsed_s":0,"load_1":{seq}}}"#,
            100 + seq
        )
    };
    let test = r#"{"schema_version":"0.1.0","timestamp":"1970-01-01T00:01:44Z","mlx_knife_version":"2","test":"a.py::b","outcome":"failed","duration":2.0}"#.to_owned();
    let samples = |run: &str| (0..6).map(|seq| sample(run, seq) + "\n").collect::<String>();
    let found = joined(&[test.clone(), samples("mac")]);
    assert_eq!(
        (&found[0]["host"], &found[0]["resources"]["samples"]),
        (&"unknown".into(), &2.into())
    );
    assert_eq!(found, joined(&[samples("mac"), test.clone()]));
    assert!(joined(&[samples("mac"), samples("pc"), test])[0].get("resources").is_none());
}

#[test]
fn legacy_tests_in_our_stream_are_of_its_run_and_come_out_while_it_runs() {
    let stream =
        r#"{"record":"stream","v":1,"ts":100.0,"run":"r1","host":"mac","interval_ms":1000}"#;
    let sample = |seq: u32| {
        format!(
            r#"{{"record":"sample","v":1,"ts":{}.0,"run":"r1","host":"mac","seq":{seq},"elapsed_s":{seq},"ram_free_gb":{seq}}}"#,
            100 + seq
        )
    };
    let test = r#"{"schema_version":"0.1.0","timestamp":"1970-01-01T00:01:44Z","mlx_knife_version":"2","test":"a.py::b","outcome":"failed","duration":2.0}"#;
    let mut join = Join::new(1);
    let mut push = |line: &str| {
        join.push(line.as_bytes(), &records::classify(line.as_bytes()), 0).unwrap();
        join.next_joined().map(|(_, line)| serde_json::from_slice::<Value>(&line).unwrap())
    };
    push(stream);
    for seq in 0..4 {
        assert_eq!(push(&sample(seq)), None);
    }
    assert_eq!(push(test), None);
    let found = push(&sample(4)).unwrap();
    assert_eq!((&found["run"], &found["host"]), (&"r1".into(), &"mac".into()));
    assert_eq!((&found["ts"], &found["outcome"]), (&102.0.into(), &"failed".into()));
    assert_eq!(found["resources"]["ram_free_gb"]["mean"], 2.5);
}
