//! Runs over time: what is counted, what is named and what nobody waits for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

fn reportgen(args: &[&str], input: &str) -> Output {
    testing::fed(Command::new(env!("CARGO_BIN_EXE_reportgen")).args(args), input.as_bytes())
}

/// The tables of the report on `input` with the history in `dir`.
fn tables(dir: &Path, input: &str) -> Value {
    let output = reportgen(&["-f", "json", "--history", dir.to_str().unwrap()], input);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["tables"].take()
}

/// A run at `ts` with a test of these seconds.
fn run(name: &str, host: &str, ts: f64, seconds: &[f64]) -> String {
    let test = |s: &f64| {
        json!({"record": "test", "v": 1, "ts": ts, "run": name, "host": host, "id": "s::c",
            "suite": "s", "case": "c", "outcome": "passed", "duration_s": s})
    };
    seconds.iter().map(|s| format!("{}\n", test(s))).collect()
}

#[test]
fn a_run_in_several_files_counts_once_and_the_input_is_the_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    file("a-cut.jsonl", &run("a", "h", 100.0, &[2.0]));
    file("a.jsonl", &run("a", "h", 100.0, &[2.0, 4.0]));
    file("b.jsonl", &run("b", "h", 200.0, &[8.0]));
    fs::create_dir(dir.path().join("deep")).unwrap();
    file("deep/c.jsonl", &run("c", "h", 50.0, &[1.0]));
    file("other-host.jsonl", &run("a", "i", 100.0, &[7.0]));
    let tables = tables(dir.path(), &run("b", "h", 200.0, &[9.0]));
    let runs: Vec<(&str, &str)> = tables["history_runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["run"].as_str().unwrap(), row["host"].as_str().unwrap()))
        .collect();
    assert_eq!(runs, [("c", "h"), ("a", "h"), ("a", "i"), ("b", "h")]);
    let trends = tables["trends"].as_array().unwrap();
    let [trend] = &trends[..] else { panic!("a run alone on its host has no trend: {trends:?}") };
    // The mean of a test that a run has twice; and 9 s of the input instead of the file's 8.
    assert_eq!(
        (&trend["first_s"], &trend["last_s"], &trend["runs"]),
        (&json!(1), &json!(9), &json!(3))
    );
    assert_eq!((&trend["trend"], &trend["best_s"]), (&json!("▁▃█"), &json!(1)));
}

#[test]
fn a_run_without_the_test_is_a_gap_and_one_of_another_suite_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let other = |from: &str, to: &str, ts: f64| run("x", "h", ts, &[5.0]).replace(from, to);
    let all = [
        run("a", "h", 100.0, &[1.0]),
        other(r#""x""#, r#""b""#, 200.0).replace("passed", "failed"),
        other(r#""suite":"s""#, r#""suite":"t""#, 300.0).replace("s::c", "t::c"),
        run("d", "h", 400.0, &[2.0]),
    ];
    fs::write(dir.path().join("all.jsonl"), all.concat()).unwrap();
    let trends = tables(dir.path(), &run("e", "h", 500.0, &[3.0]));
    assert_eq!(trends["trends"][0]["trend"], "▁·▅█");
}

#[test]
fn what_is_no_stream_is_named_and_nobody_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("good.jsonl"), run("a", "h", 100.0, &[1.0])).unwrap();
    fs::write(path("binary.jsonl"), [0xff, 0xfe, 0, b'\n', 0x80]).unwrap();
    fs::write(path("empty.jsonl"), "").unwrap();
    fs::write(path("half.jsonl"), run("b", "h", 150.0, &[1.0]) + "{\"record\":\"test\"").unwrap();
    fs::write(path("notes.txt"), "no stream").unwrap();
    fs::create_dir(path("folder.jsonl")).unwrap();
    symlink(dir.path(), path("loop")).unwrap();
    symlink(dir.path(), path("loop.jsonl")).unwrap();
    symlink("nowhere", path("dangling.jsonl")).unwrap();
    let made = Command::new("mkfifo").arg(path("pipe.jsonl")).status().unwrap();
    assert!(made.success());
    let output =
        reportgen(&["--history", dir.path().to_str().unwrap()], &run("c", "h", 200.0, &[1.0]));
    assert!(output.status.success(), "{output:?}");
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("2 runs before the one of this report"), "{report}");
    for (name, why) in [
        ("binary.jsonl", "skipped: no results in it"),
        ("empty.jsonl", "skipped: no results in it"),
        ("half.jsonl", "1 line not read"),
        ("dangling.jsonl", "No such file"),
        ("loop.jsonl", "no file"),
        ("pipe.jsonl", "no file"),
    ] {
        let line = report.lines().find(|line| line.contains(&format!("{name}`: "))).unwrap_or("");
        assert!(line.contains(why), "{name}: {line}");
    }
    assert!(!report.contains("notes.txt") && !report.contains("folder.jsonl`"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let output = reportgen(&["--history", "/nonexistent"], "");
    assert_eq!(output.status.code(), Some(66));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read: /nonexistent"));
}
