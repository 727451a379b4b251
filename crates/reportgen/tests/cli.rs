//! The real binary: what goes in, what comes out, and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

const TEST: &str = r#"{"record":"test","v":1,"ts":100.0,"run":"r","host":"h","id":"s::c","suite":"s","case":"c","outcome":"passed","duration_s":1.5}"#;

fn reportgen(args: &[&str], stdin: &str) -> Output {
    testing::fed(Command::new(env!("CARGO_BIN_EXE_reportgen")).args(args), stdin.as_bytes())
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_file_and_standard_input_give_the_same_report_but_for_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    fs::write(&path, TEST).unwrap();
    let path = path.to_str().unwrap();
    let by_path = out(&reportgen(&[path], ""));
    let by_pipe = out(&reportgen(&[], TEST));
    assert_eq!(by_path.replace(path, "standard input"), by_pipe);
    assert!(by_pipe.contains("✔ The only test passed in 1.5 s"), "{by_pipe}");
}

#[test]
fn nothing_at_all_is_nothing_to_report() {
    for input in ["", "\n\n", "server started\nbye\n", "{\"a\":1}\n"] {
        let output = reportgen(&[], input);
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains("Nothing to report"), "{input:?}");
    }
    assert_eq!(err(&reportgen(&[], "server started\n")), "server started\n");
}

#[test]
fn a_cut_last_line_is_named_and_the_rest_reported() {
    let input = format!("{TEST}\n{}", &TEST[..60]);
    let output = reportgen(&[], &input);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("standard input:2: the last line is cut off"));
    assert!(out(&output).contains("1 line of the input could not be read and is left out"));
}

#[test]
fn strict_makes_bad_lines_fatal_and_writes_no_report() {
    let output = reportgen(&["--strict"], &format!("{TEST}\n{{\"record\":\"test\"}}\n"));
    assert_eq!((code(&output), out(&output).as_str()), (65, ""));
    assert!(err(&output).contains("standard input:2"));
}

#[test]
fn missing_inputs_and_unknown_options_have_their_exit_codes() {
    let output = reportgen(&["/nonexistent.jsonl"], "");
    assert_eq!(code(&output), 66);
    assert!(err(&output).starts_with("reportgen: cannot read: /nonexistent.jsonl: "));
    let output = reportgen(&["--outptu", "x"], "");
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("did you mean --output?"), "{}", err(&output));
}

#[test]
fn a_strategy_of_what_the_input_does_not_have_is_refused_in_one_line() {
    let batches = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/batches-reference.jsonl");
    let gemma = "google/gemma-3-4b-it";
    for (asked, why) in [
        ("x", "is not SCREEN,EVALUATE,PCT".to_owned()),
        ("a,b", "is not SCREEN,EVALUATE,PCT".to_owned()),
        ("a,b,c", "is not SCREEN,EVALUATE,PCT".to_owned()),
        ("a,b,101", "101 is not a share from 0 to 100 %".to_owned()),
        ("a,b,NaN", "NaN is not a share from 0 to 100 %".to_owned()),
        (&format!("{gemma},b,20"), "no batch of \"b\"; it has those of google/gemma".to_owned()),
        (&format!("a,{gemma},20"), "no batch of \"a\"".to_owned()),
    ] {
        let output = reportgen(&[batches, "--hybrid", asked], "");
        assert_eq!((code(&output), out(&output)), (2, String::new()), "{asked}");
        assert!(err(&output).starts_with("reportgen: --hybrid: "), "{}", err(&output));
        assert!(
            err(&output).contains(&why) && err(&output).lines().count() == 1,
            "{}",
            err(&output)
        );
    }
    // Ids have commas, too.
    let id = format!("batch::candidates[vllm,{gemma}]");
    let output = reportgen(&[batches, "--hybrid", &format!("{id},{id},0.5%")], "");
    assert!(out(&output).contains("then evaluate 0.5 % of them"), "{}", err(&output));
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let output = reportgen(&["-o", "/nonexistent/report.md"], TEST);
    assert_eq!(code(&output), 74);
    let output = reportgen(&["-o", "/dev/full"], TEST);
    assert_eq!(code(&output), 74);
}

#[test]
fn an_input_is_never_overwritten_by_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    fs::write(&path, TEST).unwrap();
    let path = path.to_str().unwrap();
    let output = reportgen(&[path, "-o", path], "");
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert_eq!(fs::read_to_string(path).unwrap(), TEST);
}

#[test]
fn a_reader_that_leaves_is_a_quiet_end() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = Command::new(env!("CARGO_BIN_EXE_reportgen"))
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(TEST.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
}

#[test]
fn help_has_examples() {
    let output = reportgen(&["--help"], "");
    assert_eq!(code(&output), 0);
    assert!(out(&output).contains("memmon -- runner suite.toml | correlate | reportgen"));
}

/// A run of one test, as long as `seconds`, on a machine with `cores`.
fn timed(seconds: f64, outcome: &str, cores: u32) -> String {
    let start = format!(
        r#"{{"record":"run_start","v":1,"ts":99.0,"run":"r","host":"h","producer":{{"name":"runner","version":"1"}},"suite":"s","file":"s.toml","selected":[],"machine":{{"chip":"M2","cores_physical":{cores},"ram_total_gb":32.0}}}}"#
    );
    let test = TEST.replace("1.5", &seconds.to_string()).replace("passed", outcome);
    format!("{start}\n{test}\n")
}

/// What comes of `now` beside `then`.
fn compared(then: &str, now: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("then.jsonl");
    fs::write(&path, then).unwrap();
    let mut all = vec!["--compare", path.to_str().unwrap()];
    all.extend(args);
    reportgen(&all, now)
}

#[test]
fn a_regression_ends_with_1_and_is_named() {
    let then = timed(1.0, "passed", 8);
    let limit = ["--fail-on-regression", "20"];
    let slower = compared(&then, &timed(1.3, "passed", 8), &limit);
    assert_eq!(code(&slower), 1);
    assert_eq!(
        err(&slower),
        "reportgen: regression: s::c: duration_s 1.0000 → 1.3000, 30.0 % worse\n"
    );
    assert!(out(&slower).contains("### Regressions"), "the report is written all the same");
    for now in [timed(1.1, "passed", 8), timed(0.5, "passed", 8), then.clone()] {
        let output = compared(&then, &now, &limit);
        assert_eq!((code(&output), err(&output).as_str()), (0, ""), "{now}");
    }
    assert_eq!(code(&compared(&then, &timed(1.3, "passed", 8), &[])), 0);
}

#[test]
fn a_test_that_no_longer_passes_is_a_regression_whatever_its_time() {
    let (then, now) = (timed(1.0, "passed", 8), timed(0.1, "failed", 8));
    let output = compared(&then, &now, &["--fail-on-regression", "1000"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("s::c: passed before and does not now"), "{}", err(&output));
    assert_eq!(code(&compared(&now, &then, &["--fail-on-regression", "0"])), 0);
}

#[test]
fn what_is_noise_can_be_set() {
    let (then, now) = (timed(1.0, "passed", 8), timed(1.3, "passed", 8));
    let output = compared(&then, &now, &["--noise", "40", "--fail-on-regression", "0"]);
    assert_eq!(code(&output), 0);
    let output = compared(&then, &now, &["--noise", "-1"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
}

#[test]
fn runs_on_another_class_of_machine_are_compared_on_request_only() {
    let (then, now) = (timed(1.0, "passed", 8), timed(9.0, "passed", 4));
    let limit = ["--fail-on-regression", "10"];
    let output = compared(&then, &now, &limit);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("no test has an earlier result to compare with"));
    assert!(out(&output).contains("another class of machine (M2, 8 cores, 32 GB)"));
    let output = compared(&then, &now, &[&limit[..], &["--any-host"]].concat());
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("| machine |"), "{}", out(&output));
}

#[test]
fn a_limit_without_something_to_compare_with_is_refused() {
    let output = reportgen(&["--fail-on-regression", "5"], TEST);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("--compare"), "{}", err(&output));
}
