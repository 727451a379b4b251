//! A suite that two machines share.

use std::{collections::BTreeSet, fs};

use crate::tools::{shell, stderr};

const SUITE: &str = r#"
suite = 1
name = "shared"
[backend.cli]
kind = "command"
[[model]]
id = "a"
modality = ["text"]
on.cli = {}
[[model]]
id = "b"
modality = ["text"]
on.cli = {}
[[case]]
name = "one"
needs = ["text"]
command = { argv = ["sh", "-c", "sleep 0.3; echo {model.id}"] }
[[case]]
name = "two"
needs = ["text"]
command = { argv = ["sh", "-c", "sleep 0.3; test {model.id} = a"] }
"#;

#[test]
fn the_merged_streams_of_two_machines_give_one_report_in_which_nothing_is_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    fs::write(folder.path().join("s.toml"), SUITE).unwrap();
    // Two machines run a half each; only their names are made up.
    let output = shell(&format!(
        "cd {at}; for i in 1 2; do \
           memmon -i 50 -- runner s.toml --shard $i/2 --state-dir state-$i \
           | sed \"s/\\\"host\\\":\\\"[^\\\"]*\\\"/\\\"host\\\":\\\"machine-$i\\\"/\" > $i.jsonl || true; done; \
         cat 1.jsonl 2.jsonl | correlate | tee joined.jsonl | reportgen > report.md; \
         validate joined.jsonl"
    ))
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let joined = fs::read_to_string(folder.path().join("joined.jsonl")).unwrap();
    let tests: Vec<serde_json::Value> = joined
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["record"] == "test")
        .collect();
    let ids: BTreeSet<&str> = tests.iter().map(|test| test["id"].as_str().unwrap()).collect();
    assert_eq!((tests.len(), ids.len()), (4, 4), "every cell ran once, on one of the two");
    for test in &tests {
        let host = if test["params"]["model"] == "a" { "machine-1" } else { "machine-2" };
        assert_eq!(test["host"], host, "a model's cases stay together");
        // 300 ms at 50 ms: its own machine's samples, and not both machines'.
        let samples = test["resources"]["samples"].as_u64().unwrap();
        assert!((4..=9).contains(&samples), "{test}");
    }
    let report = fs::read_to_string(folder.path().join("report.md")).unwrap();
    for part in [
        "# Report on 2 runs",
        "| `machine-1` |",
        "| `machine-2` |",
        "✔ All 2 tests passed",
        "✘ 1 of 2 tests did not pass",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
}
