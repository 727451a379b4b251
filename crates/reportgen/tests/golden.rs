//! Whole reports, kept as files. `BLESS=1 cargo test -p reportgen` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf, process::Command};

fn tests_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn report(files: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_reportgen"))
        .current_dir(tests_dir().join("data"))
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn check(name: &str, files: &[&str]) {
    let got = report(files);
    let path = tests_dir().join(format!("golden/{name}.md"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &got).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap();
    assert!(got == want, "{} differs: BLESS=1 writes it anew\n{got}", path.display());
    assert_eq!(got, report(files), "the report depends on more than its input");
}

#[test]
fn a_passing_run() {
    check("passing", &["passing.jsonl"]);
}

#[test]
fn a_run_that_was_cut_off_with_failures_errors_and_skips() {
    check("failing", &["failing.jsonl"]);
}

#[test]
fn a_run_of_mlx_knife() {
    check("legacy", &["legacy.jsonl"]);
}

#[test]
fn a_run_whose_every_name_is_hostile() {
    check("hostile", &["hostile.jsonl"]);
}

#[test]
fn several_runs_are_not_mixed() {
    check("several", &["passing.jsonl", "legacy.jsonl"]);
}

#[test]
fn benches_on_several_backends_with_errors_gaps_and_doubts() {
    check("benches", &["benches.jsonl"]);
}

#[test]
fn baselines_with_targets_and_memory() {
    check("baselines", &["baselines.jsonl"]);
}

#[test]
fn batches_with_costs_and_sample_answers() {
    check("batches", &["batches.jsonl"]);
}

#[test]
fn measurements_whose_every_name_and_answer_is_hostile() {
    check("measured-hostile", &["measured-hostile.jsonl"]);
}

/// Figures that others measured and published, as records: baselines of three models, and one of
/// them twice more.
#[test]
fn published_baselines() {
    check("reference-baselines", &["baselines-reference.jsonl", "baseline-runs-reference.jsonl"]);
}

/// The same of backends: nine models on three of them, then more models, of which three died
/// and were measured again.
#[test]
fn published_backends() {
    check("reference-backends", &["backends-reference.jsonl", "backends-again-reference.jsonl"]);
}

/// The same of batches: two that are done, one under way, three pending.
#[test]
fn published_batches() {
    let hybrid = "meta-llama/Llama-3.2-1B-Instruct,google/gemma-3-4b-it,20";
    check("reference-batches", &["batches-reference.jsonl", "--hybrid", hybrid]);
}

#[test]
fn runs_over_time() {
    check("history", &["now.jsonl", "--history", "../history"]);
}

#[test]
fn a_run_beside_an_earlier_one() {
    check("compared", &["week-now.jsonl", "--compare", "week-then.jsonl"]);
}

#[test]
fn an_input_without_records() {
    check("empty", &["empty.jsonl"]);
}
