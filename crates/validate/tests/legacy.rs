//! The lines of mlx-knife: valid for its schemas, valid for ours, and ours once
//! upgraded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use jsonschema::Validator;
use records::{Summary, Test, classify, parse, schema};
use serde_json::{Value, json};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn validate(args: &[&str], files: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_validate"))
        .args(args)
        .args(files.iter().map(|file| data(file)))
        .output()
        .unwrap()
}

const FILES: [&str; 3] =
    ["example-0.1.0.jsonl", "generated-benchmark.jsonl", "generated-memory-cut.jsonl"];

#[test]
fn the_real_lines_are_valid() {
    let output = validate(&[], &FILES);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(err, "validate: 105 lines: 105 valid, 0 invalid\n");
}

#[test]
fn upgraded_lines_are_valid_records_of_ours_and_stay_as_they_are() {
    let output = validate(&["--upgrade"], &FILES);
    assert_eq!(output.status.code(), Some(0));
    let once = String::from_utf8(output.stdout).unwrap();
    let kinds: Vec<String> = once
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].to_string())
        .collect();
    let count = |kind: &str| kinds.iter().filter(|k| **k == format!("\"{kind}\"")).count();
    assert_eq!((count("test"), count("sample"), count("summary")), (64, 40, 1));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.jsonl");
    fs::write(&path, &once).unwrap();
    let again =
        Command::new(env!("CARGO_BIN_EXE_validate")).arg("--upgrade").arg(&path).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(String::from_utf8(again.stdout).unwrap(), once, "ours are left byte for byte");
}

#[test]
fn an_upgraded_test_keeps_its_times_and_its_leftovers() {
    let output = validate(&["--upgrade"], &FILES[..1]);
    let first = String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned();
    let test: Test = parse(first.as_bytes()).unwrap();
    assert_eq!((test.run.as_str(), test.host.as_str()), ("legacy", "unknown"));
    // 2025-11-16T10:30:00Z is the end of a test of 12.3 s.
    assert_eq!((test.ts, test.end_ts), (1_763_288_987.7, Some(1_763_289_000.0)));
    assert_eq!(test.metrics.memory_gb.unwrap().value(), 3.2);
    assert_eq!(test.metadata.unwrap()["stop_tokens"]["workaround"], "phi-3-dual-eos");
}

#[test]
fn an_upgraded_summary_is_of_the_samples_before_it() {
    let output = validate(&["--upgrade"], &FILES[2..]);
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: Summary = parse(text.lines().last().unwrap().as_bytes()).unwrap();
    // What the line says: 900 samples in 180 s at 200 ms.
    assert_eq!((summary.samples, summary.missed, summary.duration_s), (900, 0, 180.0));
    assert_eq!(summary.child.unwrap().exit, Some(0));
    let free: Vec<f64> = fs::read_to_string(data(FILES[2]))
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["ram_free_gb"].as_f64())
        .collect();
    let series = summary.series["ram_free_gb"];
    assert_eq!(series.min, free.iter().copied().fold(f64::INFINITY, f64::min));
    assert_eq!(series.max, free.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    assert!((series.mean - free.iter().sum::<f64>() / free.len() as f64).abs() < 1e-6);
    assert!(!summary.series.contains_key("ram_used_gb"), "always 0 means not measured");
}

#[test]
fn upgraded_lines_belong_to_the_stream_before_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mixed.jsonl");
    let stream = r#"{"record":"stream","v":1,"ts":100.0,"run":"m","host":"h","producer":{"name":"memmon","version":"1"},"interval_ms":200,"clock":{"wall_s":100.0,"monotonic_s":1.0},"machine":{},"sources":{}}"#;
    let legacy = fs::read_to_string(data(FILES[1])).unwrap();
    fs::write(&path, format!("{stream}\n{}\n", legacy.lines().next().unwrap())).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_validate")).arg("--upgrade").arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, second) = text.trim_end().split_once('\n').unwrap();
    assert_eq!(first, stream);
    let test: Test = parse(second.as_bytes()).unwrap();
    assert_eq!((test.run.as_str(), test.host.as_str()), ("m", "h"));
}

#[test]
fn what_cannot_be_upgraded_stays_as_it_is_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.jsonl");
    let line = r#"{"summary": {"samples": 3}}"#;
    fs::write(&path, format!("{line}\n")).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_validate")).arg("--upgrade").arg(&path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{line}\n"));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("left as it is: a summary without duration_s"), "{err}");
}

fn compiled(text: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

/// Every line that differs from `line` in one value, at any depth, with what differs.
fn mutants(line: &Value) -> Vec<(String, Value)> {
    let values = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1.5),
        json!("text"),
        json!(true),
        json!([]),
        json!({}),
    ];
    let mut all = Vec::new();
    for path in paths(line) {
        for value in &values {
            let mut mutant = line.clone();
            *mutant.pointer_mut(&path).unwrap() = value.clone();
            all.push((format!("{path} = {value}"), mutant));
        }
        let (parent, key) = path.rsplit_once('/').unwrap();
        let mut mutant = line.clone();
        if let Some(map) = mutant.pointer_mut(parent).unwrap().as_object_mut() {
            map.remove(key);
            all.push((format!("{path} removed"), mutant));
        }
    }
    all
}

fn paths(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => vec![],
    };
    let nested = children.iter().flat_map(|(key, value)| {
        let below = paths(value).into_iter().map(move |path| format!("/{key}{path}"));
        [format!("/{key}")].into_iter().chain(below)
    });
    nested.collect()
}

#[test]
fn whatever_sense_the_reference_accepts_of_changed_real_lines_ours_accept_too() {
    let theirs = [
        ("0.1.0", compiled(include_str!("data/report-v0.1.schema.json"))),
        ("0.2.2", compiled(include_str!("data/report-v0.2.2.schema.json"))),
    ];
    let (mut both, mut only_ours, mut neither) = (0, 0, 0);
    let mut only_theirs = BTreeSet::new();
    for file in &FILES[..2] {
        // One line of each shape is enough: the others have the same fields.
        let text = fs::read_to_string(data(file)).unwrap();
        for line in text.lines().take(4) {
            let line: Value = serde_json::from_str(line).unwrap();
            let version = line["schema_version"].as_str().unwrap().to_owned();
            let reference = &theirs.iter().find(|(name, _)| *name == version).unwrap().1;
            let kind = classify(line.to_string().as_bytes());
            let name = schema::name_for(&kind, Some(&version)).unwrap();
            let ours = compiled(schema::named(name).unwrap().text);
            assert!(ours.is_valid(&line) && reference.is_valid(&line));
            for (change, mutant) in mutants(&line) {
                match (reference.is_valid(&mutant), ours.is_valid(&mutant)) {
                    (true, false) => drop(only_theirs.insert(change)),
                    (true, true) => both += 1,
                    (false, true) => only_ours += 1,
                    (false, false) => neither += 1,
                }
            }
        }
    }
    // Its schema leaves these open: it forgot that memory is not negative, and does
    // not know what its writer calls them.
    let open = [
        "/system/ram_total_gb = -1",
        "/system/hardware_profile/model ",
        "/system/hardware_profile/cores_physical ",
        "/system/hardware_profile/cores_logical ",
        "/system_health/swap_used_mb ",
        "/system_health/zombie_processes ",
    ];
    only_theirs.retain(|change: &String| !open.iter().any(|known| change.starts_with(known)));
    assert_eq!(only_theirs, BTreeSet::new());
    // Ours take null for absent and know fewer patterns; most of what is wrong is
    // wrong for both.
    assert!(
        both > 200 && neither > only_ours,
        "{both} both, {neither} neither, {only_ours} only ours"
    );
}
