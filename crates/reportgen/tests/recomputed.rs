//! The tables of reports on generated runs of 25 models, against figures that a program apart
//! (`recompute.py`) computes from the same lines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{path::Path, process::Command};

fn python(args: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recompute.py");
    let output = Command::new("python3").arg(script).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The tables of two runs of this seed, in `dir`.
fn tables(dir: &Path, seed: &str) -> [String; 3] {
    let paths = ["then.jsonl", "now.jsonl", "tables"];
    let [then, now, tables] = paths.map(|name| dir.join(name).to_str().unwrap().to_owned());
    python(&["make", seed, &then, &now]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    command.args([&now, "--compare", &then, "--csv", &tables, "-o"]).arg(dir.join("report.md"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    [then, now, tables]
}

#[test]
fn every_figure_per_model_test_and_category_is_what_another_program_computes() {
    for seed in ["1", "2", "3"] {
        let dir = tempfile::tempdir().unwrap();
        let [then, now, tables] = tables(dir.path(), seed);
        python(&["check", &then, &now, &tables]);
    }
}

#[test]
fn a_figure_that_is_off_by_a_little_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let [then, now, tables] = tables(dir.path(), "4");
    let path = Path::new(&tables).join("models.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(",org/").unwrap();
    std::fs::write(&path, format!("{head},org/{}", rest.replacen(".1", ".2", 1))).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recompute.py");
    let checked =
        Command::new("python3").arg(script).args(["check", &then, &now, &tables]).output().unwrap();
    assert!(!checked.status.success());
}
