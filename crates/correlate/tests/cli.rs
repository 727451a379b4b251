//! The program as people and scripts meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Output, Stdio},
};

const STREAM: &str =
    r#"{"record":"stream","v":1,"ts":100.0,"run":"r","host":"h","interval_ms":1000,"x" : 1}"#;
const TEST: &str = r#"{"record":"test","v":1,"ts":101.5,"run":"r","host":"h","id":"a","end_ts":103.5,"mine":[1.50]}"#;
const SPAN: &str =
    r#"{"record":"span","v":1,"ts":101.0,"run":"r","host":"h","phase":"load","end_ts":102.0}"#;

fn sample(seq: u32) -> String {
    format!(
        r#"{{"record":"sample","v":1,"ts":{}.0,"run":"r","host":"h","seq":{seq},"elapsed_s":{seq}.0,"ram_free_gb":{}.5}}"#,
        100 + seq,
        10 * seq
    )
}

fn input() -> String {
    let mut lines = vec![STREAM.to_owned()];
    lines.extend((0..4).map(sample));
    lines.extend([TEST.to_owned(), SPAN.to_owned(), r#"{"foreign" : true}"#.to_owned()]);
    lines.push(sample(4));
    lines.join("\n") + "\n"
}

const JOINED: &str = r#""resources":{"samples":2,"coverage":1.0,"interval_s":1.0,"ram_free_gb":{"min":20.5,"mean":20.5,"p50":25.5,"p95":30.0,"max":30.5,"delta":30.0}}}"#;

fn correlate(args: &[&str], stdin: &[u8]) -> Output {
    testing::fed(Command::new(env!("CARGO_BIN_EXE_correlate")).args(args), stdin)
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn by_path_and_by_standard_input_the_same_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("run.jsonl");
    fs::write(&file, input()).unwrap();
    let by_path = correlate(&[file.to_str().unwrap()], b"");
    let by_stdin = correlate(&[], input().as_bytes());
    assert_eq!((by_path.status.code(), stderr(&by_path)), (Some(0), ""));
    assert_eq!(stdout(&by_path), stdout(&by_stdin));
    assert_eq!(stdout(&by_path), stdout(&correlate(&["-"], input().as_bytes())));

    let joined = format!("{},{JOINED}", TEST.trim_end_matches('}'));
    let lines: Vec<&str> = stdout(&by_path).lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(lines[5].starts_with(SPAN.trim_end_matches('}')) && lines[5].contains("resources"));
    assert_eq!(lines[6], r#"{"foreign" : true}"#);
    assert_eq!((lines[0], lines[7]), (STREAM, joined.as_str()));

    let out = dir.path().join("out.jsonl");
    let args = [file.to_str().unwrap(), "-o", out.to_str().unwrap(), "--tests-only"];
    assert_eq!(stdout(&correlate(&args, b"")), "");
    assert_eq!(fs::read_to_string(out).unwrap(), joined + "\n");
}

#[test]
fn what_was_joined_can_be_joined_again() {
    let once = correlate(&[], input().as_bytes());
    let twice = correlate(&[], &once.stdout);
    let sorted = |output: &Output| {
        let mut lines: Vec<String> = stdout(output).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&once), sorted(&twice));
}

#[test]
fn a_test_is_written_while_the_input_stays_open() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_correlate"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    stdin.write_all(input().as_bytes()).unwrap();
    let found = lines.by_ref().map(Result::unwrap).find(|line| line.contains(r#""id":"a""#));
    assert!(found.unwrap().ends_with(JOINED));
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn empty_input_is_no_error() {
    let output = correlate(&[], b"");
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(0), "", ""));
}

#[test]
fn text_goes_to_standard_error_and_the_rest_is_joined() {
    let output = correlate(&[], format!("loading\x1b[31m\n{}", input()).as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "loading\u{fffd}[31m\n");
    assert!(stdout(&output).contains(JOINED));
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_only_strict_makes_it_fatal() {
    let bad = r#"{"record":"test","v":1,"run":"r","host":"h"}"#;
    let text = format!("{bad}\n{}{{\"record\":\"sam", input());
    let output = correlate(&[], text.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let named: Vec<&str> = stderr(&output).lines().collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named[0].starts_with("correlate: bad line: standard input:1: missing field `ts`"));
    assert!(named[1].contains("standard input:11: the last line is cut off"));
    // It is passed on for others to judge, but is no joined test.
    assert!(stdout(&output).lines().any(|line| line == bad));
    assert!(stdout(&output).contains(JOINED));
    assert_eq!(stdout(&correlate(&["--tests-only"], text.as_bytes())).lines().count(), 1);

    let output = correlate(&["--strict"], text.as_bytes());
    assert_eq!(output.status.code(), Some(65));
    assert!(stdout(&output).contains(JOINED));
}

#[test]
fn a_missing_input_is_found_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("run.jsonl");
    fs::write(&file, input()).unwrap();
    let output = correlate(&[file.to_str().unwrap(), "/nonexistent.jsonl"], b"");
    assert_eq!((output.status.code(), stdout(&output)), (Some(66), ""));
    assert!(stderr(&output).starts_with("correlate: cannot read: /nonexistent.jsonl: "));
}

#[test]
fn an_output_that_is_an_input_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("run.jsonl");
    fs::write(&file, input()).unwrap();
    let path = file.to_str().unwrap();
    let output = correlate(&[path, "-o", path], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is both an input and the output"));
    assert_eq!(fs::read_to_string(file).unwrap(), input());
}

#[test]
fn unknown_options_and_those_of_a_later_version_are_refused() {
    for option in ["--tests", "--csv=x.csv", "--csv", "--offset", "--offset=-2.5"] {
        let output = correlate(&[option], b"");
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{option}");
        assert_eq!(stderr(&output).lines().count(), 1);
    }
    assert!(stderr(&correlate(&["--csv", "x"], b"")).contains("not in this version yet"));
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_correlate"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let line = "{\"foreign\":1}\n".repeat(20_000);
    let _ = stdin.write_all(line.as_bytes());
    drop(stdin);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn an_output_that_cannot_be_made_is_an_error_of_its_own() {
    let output = correlate(&["-o", "/nonexistent/out.jsonl"], b"");
    assert_eq!(output.status.code(), Some(74));
    assert!(stderr(&output).starts_with("correlate: cannot write: /nonexistent/out.jsonl: "));
}
