//! The real binary: findings, summaries, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

const SAMPLE: &str =
    r#"{"record":"sample","v":1,"ts":101.0,"run":"m","host":"h","seq":0,"elapsed_s":1.0}"#;
const TEST: &str = r#"{"record":"test","v":1,"ts":100.0,"run":"r","host":"h","id":"s::c","suite":"s","case":"c","params":{},"outcome":"passed","duration_s":1.5,"checks":[]}"#;
const LEGACY: &str = r#"{"schema_version":"0.2.2","timestamp":"2026-02-11T12:00:08Z","mlx_knife_version":"2.0.4","test":"t.py::t","outcome":"passed","duration":1.5}"#;
const STREAM: &str = r#"{"record":"stream","v":1,"ts":100.0,"run":"m","host":"h","producer":{"name":"memmon","version":"1"},"interval_ms":200,"clock":{"wall_s":100.0,"monotonic_s":1.0},"machine":{},"sources":{}}"#;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn validate(args: &[&str], stdin: &str) -> Ran {
    let output =
        testing::fed(Command::new(env!("CARGO_BIN_EXE_validate")).args(args), stdin.as_bytes());
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The one problem of `line`.
fn problem(line: &str) -> String {
    let ran = validate(&[], line);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 1, "{}", ran.out);
    lines[0].to_owned()
}

#[test]
fn a_valid_file_has_no_findings_by_path_and_by_pipe() {
    let text = format!("{STREAM}\n{SAMPLE}\n{TEST}\n{LEGACY}\n");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    fs::write(&path, &text).unwrap();
    for ran in [validate(&[path.to_str().unwrap()], ""), validate(&[], &text)] {
        assert_eq!((ran.code, ran.out.as_str()), (0, ""));
        assert_eq!(ran.err, "validate: 4 lines: 4 valid, 0 invalid\n");
    }
    assert_eq!(validate(&[], "").err, "validate: 0 lines: 0 valid, 0 invalid\n");
}

#[test]
fn a_finding_names_file_line_kind_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.jsonl");
    let bad = SAMPLE.replace("\"seq\"", "\"ram_free_gb\":-1,\"seq\"");
    fs::write(&path, format!("{SAMPLE}\n{bad}\n")).unwrap();
    let path = path.to_str().unwrap();
    let ran = validate(&[path], "");
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.out,
        format!("{path}:2: sample: /ram_free_gb: -1 is less than the minimum of 0\n")
    );
    assert_eq!(ran.err, "validate: 2 lines: 1 valid, 1 invalid\n");
}

#[test]
fn what_a_schema_cannot_say_is_checked() {
    assert_eq!(
        problem(&TEST.replace("\"outcome\"", "\"end_ts\":99.5,\"outcome\"")),
        "standard input:1: test: /end_ts: 99.5 is before ts, 100"
    );
    assert_eq!(
        problem(&format!("{TEST}\n{TEST}")),
        "standard input:2: test: /id: \"s::c\" has a result in this run already, at standard input:1"
    );
    assert_eq!(
        problem(&LEGACY.replace("02-11", "02-31")),
        "standard input:1: mlx-knife-test.v0.2: /timestamp: \"2026-02-31T12:00:08Z\" is no date"
    );
    assert_eq!(
        problem(&LEGACY.replace("\"duration\":1.5", "\"test_start_ts\":9,\"test_end_ts\":8")),
        "standard input:1: mlx-knife-test.v0.2: /test_end_ts: 8 is before test_start_ts, 9"
    );
    for word in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(
            problem(&SAMPLE.replace("\"seq\"", &format!("\"load_1\":{word},\"seq\""))),
            "standard input:1: sample: NaN and Infinity are no JSON: leave out what was not measured"
        );
    }
    let other_run = TEST.replace("\"run\":\"r\"", "\"run\":\"q\"");
    assert_eq!(validate(&[], &format!("{TEST}\n{other_run}\n{LEGACY}\n{LEGACY}")).code, 0);
}

#[test]
fn text_and_strangers_are_counted_and_no_problem() {
    let ran = validate(
        &[],
        "server started\n\n{\"record\":\"dream\",\"v\":1}\n{\"record\":\"test\",\"v\":9}\n{\"a\":1}\n",
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(
        ran.err.ends_with("validate: 4 lines: 0 valid, 0 invalid, 3 unknown passed over, 1 text\n")
    );
}

#[test]
fn a_cut_line_is_invalid_and_fatal_under_strict() {
    let text = format!("{SAMPLE}\n{{\"record\":\"sam\n{SAMPLE}\n{}", &SAMPLE[..50]);
    let ran = validate(&[], &text);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("standard input:2: line: "), "{}", ran.out);
    assert!(ran.out.contains("standard input:4: line: the last line is cut off: "), "{}", ran.out);
    assert!(ran.err.ends_with("4 lines: 2 valid, 2 invalid\n"), "{}", ran.err);
    assert_eq!(validate(&["--strict"], &text).code, 65);
    assert_eq!(validate(&["--strict"], &format!("{SAMPLE}\ntext\n")).code, 0);
}

#[test]
fn a_given_schema_is_meant_for_every_line() {
    let ran = validate(&["--schema", "sample.v1"], &format!("{SAMPLE}\n{TEST}\n{{}}\n"));
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("2: sample.v1: /record: \"sample\" was expected"), "{}", ran.out);
    assert!(ran.out.contains("3: sample.v1: \"ts\" is a required property"), "{}", ran.out);
    let ran = validate(&["--schema", "smaple.v1"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean sample.v1?"), "{}", ran.err);
}

#[test]
fn missing_inputs_unknown_options_and_lost_readers_have_their_exit_codes() {
    assert_eq!(validate(&["/nonexistent.jsonl"], "").code, 66);
    assert_eq!(validate(&["--nonsense"], "").code, 2);
    assert_eq!(validate(&["--upgrade", "--schema", "test.v1"], "").code, 2);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = Command::new(env!("CARGO_BIN_EXE_validate"))
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"record\":\"sample\"}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let full = Command::new(env!("CARGO_BIN_EXE_validate"))
        .args(["--upgrade", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = full.unwrap();
    child.stdin.take().unwrap().write_all(SAMPLE.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(74));
}

#[test]
fn hostile_names_cannot_steer_the_terminal() {
    let out = problem(&TEST.replace("\"passed\"", r#""\u001b[31m\u202e\nx""#));
    assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out:?}");
}
