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
fn options_that_make_no_sense_are_refused_in_one_line() {
    for (options, why) in [
        (&["--tests"][..], "unexpected argument '--tests'"),
        (&["--offset=soon"], "none of SECONDS, FILE=SECONDS and auto"),
        (&["--offset", "x.jsonl=1"], "x.jsonl is not among the inputs"),
        (&["--offset", "auto"], "needs two files or more"),
        (&["--threshold", "leak=1"], "did you mean leak_mb?"),
        (&["--csv", "a.csv", "-o", "a.csv"], "name the same file"),
        (&["--csv", "a.csv", "-o", "./a.csv"], "name the same file"),
        (&["--csv", "-"], "--csv takes a file"),
    ] {
        let output = correlate(options, b"");
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{options:?}");
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1);
    }
}

#[test]
fn findings_come_after_all_else_and_not_with_tests_only() {
    let input = input().replace(
        r#""phase":"load""#,
        r#""phase":"load","duration_s":1.0,"params":{"backend":"b","model":"m"}"#,
    );
    let output = correlate(&[], input.as_bytes());
    let records: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last: Vec<&serde_json::Value> =
        records.iter().rev().take(2).map(|line| &line["record"]).collect();
    assert_eq!(last, ["advice", "model_life"]);
    let output = correlate(&["--tests-only"], input.as_bytes());
    assert_eq!(stdout(&output).lines().count(), 1);
    let output = correlate(&["--threshold", "gap_s=0.1"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_row_for_each_test_goes_to_the_file_beside_the_lines() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tests.csv");
    let output = correlate(&["--csv", file.to_str().unwrap()], input().as_bytes());
    assert_eq!(stdout(&output), stdout(&correlate(&[], input().as_bytes())));
    let rows = fs::read_to_string(&file).unwrap();
    let rows: Vec<Vec<&str>> = rows.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((rows.len(), rows[0][..3].join(",")), (2, "run,host,id".to_owned()));
    let column = rows[0].iter().position(|name| *name == "ram_free_gb_mean").unwrap();
    assert_eq!((rows[1][2], rows[1][column]), ("a", "20.5"));
    let nowhere = correlate(&["--csv", "/nonexistent/t.csv"], input().as_bytes());
    assert_eq!((nowhere.status.code(), stdout(&nowhere)), (Some(74), ""));
}

/// The lines of `input` that hold `what`, in a file of that name.
fn file_of(dir: &std::path::Path, name: &str, text: &str, keep: impl Fn(&str) -> bool) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| keep(line)).collect();
    let file = dir.join(name);
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn tests_of_a_clock_that_is_off_are_joined_once_it_is_said_how_far() {
    let dir = tempfile::tempdir().unwrap();
    let is_test = |line: &str| line.contains(r#""record":"test""#);
    let samples = file_of(dir.path(), "samples.jsonl", &input(), |line| !is_test(line));
    let off = input().replace(":101.5,", ":1101.5,").replace(":103.5,", ":1103.5,");
    let tests = file_of(dir.path(), "tests.jsonl", &off, is_test);
    let resources = |args: &[&str]| {
        let output = correlate(&[&[&samples, &tests, "--tests-only"], args].concat(), b"");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        let line: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!((&line["ts"], &line["end_ts"]), (&1101.5.into(), &1103.5.into()));
        line["resources"]["samples"].clone()
    };
    assert_eq!(resources(&[]), 0);
    assert_eq!(resources(&["--offset", "tests.jsonl=-1000"]), 2);
    assert_eq!(resources(&["--offset", &format!("{samples}=1000")]), 2);
    assert_eq!(resources(&["--offset=-1000"]), 2);
}

#[test]
fn the_offset_of_files_that_share_events_is_found_and_else_refused() {
    let dir = tempfile::tempdir().unwrap();
    let samples = file_of(dir.path(), "samples.jsonl", &input(), |_| true);
    let off = input().replace(":101.5,", ":91.5,").replace(":103.5,", ":93.6,");
    let tests = off.replace(r#""mine""#, r#""theirs""#);
    let tests = file_of(dir.path(), "tests.jsonl", &tests, |line| line.contains("theirs"));
    let output = correlate(&[&samples, &tests, "--offset", "auto", "--tests-only"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output)
            .ends_with("times are taken +9.950000 s later, by 2 shared events, ± 0.050 s\n"),
        "{}",
        stderr(&output)
    );
    let theirs = stdout(&output).lines().find(|line| line.contains("theirs")).unwrap();
    assert!(theirs.contains(r#""resources":{"samples":2"#), "{theirs}");

    let strangers = input()
        .replace(r#""run":"r""#, r#""run":"q""#)
        .replace("\"record\":\"stream\"", "\"x\":\"y\"");
    let strangers = file_of(dir.path(), "other.jsonl", &strangers, |_| true);
    let output = correlate(&[&samples, &strangers, "--offset", "auto"], b"");
    assert_eq!((output.status.code(), stdout(&output)), (Some(65), ""));
    assert!(
        stderr(&output).contains("other.jsonl: it shares no event and no clock"),
        "{}",
        stderr(&output)
    );
    // What the message says helps: of that file it need not be found out.
    let said = format!("{strangers}=0");
    let output = correlate(&[&samples, &strangers, "--offset", "auto", "--offset", &said], b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
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
