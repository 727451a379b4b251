//! The faults of the reference's report, each with its input and the right answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use records::classify;
use reportgen::{input::Input, page::markdown, render};
use serde_json::{Value, json};

fn report(lines: &[Value]) -> String {
    let mut input = Input::new(&["2024-01-01-stable.jsonl".to_owned()]);
    for line in lines {
        let line = line.to_string();
        input.line(0, &classify(line.as_bytes()), line.as_bytes()).unwrap();
    }
    markdown::write(
        &render::report(&input.finish(), &render::Options::default()),
        markdown::Source::Aligned,
    )
}

/// A test of mlx-knife with these fields beside the required ones.
fn legacy(more: Value) -> Value {
    let mut line = json!({"schema_version": "0.2.2", "timestamp": "2026-02-11T12:00:08Z",
        "mlx_knife_version": "2.0.4", "test": "t/test_a.py::test_x[a]", "outcome": "passed"});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

/// The cells of the table row that begins with this cell.
fn row(report: &str, first: &str) -> Vec<String> {
    let row = report
        .lines()
        .find(|line| line.starts_with(&format!("| {first} ")))
        .unwrap_or_else(|| panic!("no row {first} in\n{report}"));
    row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn failed_tests_are_shown_with_reason_check_and_log() {
    let report = report(&[json!({"record": "test", "v": 1, "ts": 1.0, "run": "r", "host": "h",
        "id": "s::c", "suite": "s", "case": "c", "outcome": "failed", "duration_s": 1.0,
        "reason": "wrong capital",
        "checks": [{"expect": {"status": 200}, "ok": true}, {"expect": {"text": "Paris"}, "ok": false, "actual": "Rome"}],
        "error": {"kind": "backend_died", "message": "gone", "exit": 3, "log_tail": ["last words"]}})]);
    for part in [
        "✘ 1 of 1 test did not pass (1 failed)",
        "### 1. `s::c`",
        "**Reason:** wrong capital",
        "1 of 2 did not hold",
        "expected `{\"text\":\"Paris\"}`, found `\"Rome\"`",
        "**Error:** `backend_died`: gone",
        "exit code 3",
        "\nlast words\n",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
}

#[test]
fn ten_appended_runs_count_ten_times() {
    let lines: Vec<Value> = (0..10).map(|_| legacy(json!({"duration": 1.0}))).collect();
    let report = report(&lines);
    assert!(report.contains("**Tests:** 10 (10 passed)"), "{report}");
    assert!(report.contains("1 test id has more than one result; every result is counted"));
}

#[test]
fn a_test_without_duration_and_a_model_without_id_are_no_crash() {
    let report = report(&[legacy(json!({"model": {"family": "phi"}}))]);
    assert!(
        report.contains("**Time in tests:** not measured (0 of 1 test have a duration)"),
        "{report}"
    );
    assert_eq!(row(&report, "no model (infrastructure)")[2], "1");
}

#[test]
fn no_system_health_is_not_measured_and_not_0_percent_clean() {
    let report = report(&[legacy(json!({}))]);
    assert!(report.contains("**Quality:** not measured"));
    assert!(report.contains("the machine's health was not measured"));
    assert!(!report.contains("0.0 %"), "{report}");
}

#[test]
fn the_date_is_that_of_the_run_and_not_of_a_file_name() {
    let report = report(&[legacy(json!({"duration": 2.0}))]);
    assert!(report.contains("**Date:** 2026-02-11 12:00:06 UTC to 12:00:08"), "{report}");
    assert!(report.starts_with("# Report: mlx-knife 2.0.4, 2026-02-11\n"));
}

#[test]
fn models_that_share_a_beginning_stay_apart() {
    let names = ["org/Qwen2.5-0.5B-4bit", "org/Qwen2.5-0.5B-8bit", "other/Qwen2.5-0.5B-4bit"];
    let lines: Vec<Value> = (1..)
        .zip(names)
        .map(|(n, id)| legacy(json!({"model": {"id": id}, "duration": f64::from(n)})))
        .collect();
    let report = report(&lines);
    for (n, id) in (1..).zip(names) {
        assert_eq!(row(&report, &format!("`{id}`")).last().unwrap(), &format!("{n}.0 s"));
    }
    assert_eq!(
        row(&report, "`test_x`")[4..],
        [
            "1.0 s".to_owned(),
            format!("`{}`", names[0]),
            "3.0 s".to_owned(),
            format!("`{}`", names[2])
        ]
    );
}

#[test]
fn skipped_tests_of_no_length_are_averaged_into_nothing() {
    let gpu = |mean: f64| {
        json!({"samples": 5, "coverage": 1.0,
        "gpu_device_util": {"min": mean, "mean": mean, "p50": mean, "p95": mean, "max": mean}})
    };
    let test = |case: &str, outcome: &str, duration: f64, mean: f64| {
        json!({"record": "test", "v": 1, "ts": 1.0, "run": "r", "host": "h", "id": format!("s::{case}[{mean}]"),
            "suite": "s", "case": case, "outcome": outcome, "duration_s": duration, "resources": gpu(mean)})
    };
    let report = report(&[test("c", "passed", 4.0, 80.0), test("c", "skipped", 0.0, 1.0)]);
    assert_eq!(row(&report, "`c`")[2..5], ["0", "4.0 s", "4.0 s"], "{report}");
    assert!(!report.contains("1.0/1.0 %"), "{report}");
    assert!(report.contains("1 of 1 test that ran joined"), "{report}");
}

#[test]
fn the_timestamp_of_a_legacy_test_is_its_end() {
    let early = legacy(json!({"duration": 100.0, "timestamp": "2026-02-11T12:05:00Z"}));
    let late = legacy(json!({"duration": 1.0, "timestamp": "2026-02-11T12:05:01Z"}));
    let report = report(&[late, early]);
    assert!(report.contains("12:03:20 UTC to 12:05:01, 1.7 min from start to end"), "{report}");
}

#[test]
fn both_spellings_of_health_are_read() {
    let old = legacy(
        json!({"system_health": {"swap_gb": 1.5, "zombies_detected": 2, "ram_free_gb": 9.0}}),
    );
    let new = legacy(
        json!({"system_health": {"swap_used_mb": 500, "zombie_processes": 0, "ram_free_gb": 7.0}}),
    );
    let report = report(&[old, new]);
    assert_eq!(row(&report, "Swap in use")[1..], ["500 MB", "1.0 GB", "1.5 GB", "2"]);
    assert_eq!(row(&report, "Zombie processes")[1..], ["0", "1.0", "2", "2"]);
}

#[test]
fn a_run_that_was_killed_and_continued_is_one_whole_run() {
    let of = |record: &str, ts: f64, more: Value| {
        let mut line = json!({"record": record, "v": 1, "ts": ts, "run": "r", "host": "h"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let start = |ts, more: Value| {
        let mut line = of(
            "run_start",
            ts,
            json!({"producer": {"name": "runner", "version": "0.1.0"}, "suite": "s", "file": "s.toml",
                   "selected": [{"id": "s::a"}, {"id": "s::b"}]}),
        );
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let test = |ts, case: &str| {
        let id = format!("s::{case}");
        let test =
            json!({"id": id, "suite": "s", "case": case, "outcome": "passed", "duration_s": 1.0});
        of("test", ts, test)
    };
    let counts =
        json!({"passed": 2, "failed": 0, "error": 0, "skipped": 0, "xfailed": 0, "xpassed": 0});
    let end = of(
        "run_end",
        5.0,
        json!({"end_ts": 7.0, "duration_s": 2.0, "counts": counts, "not_run": 0, "interrupted": false, "exit": 0}),
    );
    let again = start(5.0, json!({"resumed": {"file": "run.jsonl", "run": "r", "kept": 1}}));
    let killed = [start(1.0, json!({})), test(2.0, "a")];
    assert!(report(&killed).contains("**Cut off:**"));
    let whole = [&killed[..], &[again, test(6.0, "b"), end]].concat();
    let report = report(&whole);
    for part in [
        "All 2 tests passed",
        "2 cases selected, continued from `run.jsonl` with 1 result",
        "Selected: 2 cases; all of them have a result.",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    assert!(!report.contains("Cut off"), "{report}");
}
