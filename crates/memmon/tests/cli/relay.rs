//! The command's lines on their way through.

use std::{
    fs,
    io::{BufRead, BufReader},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Running, errors, memmon, run, run_script, written};

/// Writes lines 0 to N: JSON of many lengths, and text in between.
const LINES: &str = r#"
def line(n):
    if n % 997 == 5:
        return "text %d {not json}\n" % n
    return '{"n":%d,"pad":"%s"}\n' % (n, "x" * (n * 7919 % 601))
"#;

fn line(n: usize) -> (bool, String) {
    if n % 997 == 5 {
        (false, format!("text {n} {{not json}}\n"))
    } else {
        (true, format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n * 7919 % 601)))
    }
}

#[test]
fn fifty_megabytes_in_odd_pieces_pass_byte_for_byte_between_the_samples() {
    let count = 160_000;
    let script = format!(
        r#"{LINES}
import os
data = "".join(map(line, range({count}))).encode()
at, size = 0, 1
while at < len(data):
    at += os.write(1, data[at:at + size])
    size = size * 31 % 100_003
"#
    );
    let output = run(&["-i", "5", "--", "python3", "-c", &script]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let (mut json, mut text) = (String::new(), String::new());
    for n in 0..count {
        let (is_json, line) = line(n);
        if is_json { json.push_str(&line) } else { text.push_str(&line) }
    }
    assert!(json.len() > 48_000_000);
    let lines = written(&output.stdout);
    assert!(lines.others == json.as_bytes(), "the JSON lines differ");
    assert!(errors(&output) == text, "the text lines differ");
    assert!(lines.samples.len() > 2);
}

#[test]
fn a_line_that_comes_in_two_parts_is_not_torn_by_a_sample() {
    let output = run_script(&["-i", "5"], r#"printf '{"half'; sleep 0.2; printf '":1}\n'"#);
    assert_eq!(written(&output.stdout).others, b"{\"half\":1}\n");
}

#[test]
fn a_last_line_that_is_cut_off_is_ended_so_that_the_summary_is_whole() {
    let output = run_script(&[], r#"printf '{"a":1}\n{"cut'"#);
    assert_eq!(written(&output.stdout).others, b"{\"a\":1}\n{\"cut\n");
    let output = run_script(&[], "printf 'text without end'");
    assert_eq!(errors(&output), "text without end");
    assert!(written(&output.stdout).others.is_empty());
}

#[test]
fn lines_are_not_held_back() {
    let mut running = Running::start(&mut memmon(&[
        "-i",
        "60000",
        "--",
        "sh",
        "-c",
        r#"echo '{"first":1}'; sleep 5"#,
    ]));
    let start = Instant::now();
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let found = lines.map(Result::unwrap).any(|line| line == r#"{"first":1}"#);
    assert!(found && start.elapsed() < Duration::from_secs(4));
}

#[test]
fn when_the_reader_goes_away_the_command_still_runs_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("done");
    let script = format!(
        r#"i=0; while [ $i -lt 2000 ]; do echo '{{"n":1,"pad":"{}"}}'; i=$((i+1)); done
           sleep 0.3; touch {}; exit 4"#,
        "x".repeat(200),
        marker.to_str().unwrap(),
    );
    let mut running = Running::start(&mut memmon(&["-i", "20", "--", "sh", "-c", &script]));
    let mut first = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with(r#"{"record":"stream""#));
    assert_eq!(running.wait().code(), Some(4));
    assert!(marker.exists());
    let errors = std::io::read_to_string(running.0.stderr.take().unwrap()).unwrap();
    assert_eq!(errors, "", "quietly");
}

#[test]
fn without_a_command_a_reader_that_goes_away_ends_the_sampling_quietly() {
    let mut running = Running::start(&mut memmon(&["-i", "10"]));
    drop(running.0.stdout.take());
    assert_eq!(running.wait().code(), Some(0));
    let errors = std::io::read_to_string(running.0.stderr.take().unwrap()).unwrap();
    assert_eq!(errors, "");
}

#[test]
fn a_full_disk_is_said_once_and_does_not_harm_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("done");
    let script = format!("sleep 0.2; touch {}; exit 3", marker.to_str().unwrap());
    let output = run_script(&["-i", "10", "-o", "/dev/full"], &script);
    assert_eq!(output.status.code(), Some(3));
    assert!(marker.exists());
    assert!(errors(&output).starts_with("memmon: cannot write: /dev/full: "));
    assert_eq!(errors(&output).lines().count(), 1);

    let alone = run(&["-i", "10", "-o", "/dev/full"]);
    assert_eq!(alone.status.code(), Some(125), "it wrapped nothing");
}

#[test]
fn a_slow_reader_loses_nothing_and_keeps_the_samples_on_time() {
    // The command fills both pipes at once; nobody reads for a second.
    let script =
        format!("{LINES}\nimport sys\nsys.stdout.write(''.join(map(line, range(20_000))))");
    let mut running = Running::start(&mut memmon(&["-i", "20", "--", "python3", "-c", &script]));
    thread::sleep(Duration::from_secs(1));
    assert!(running.0.try_wait().unwrap().is_none(), "it waits for its reader");
    let (status, out) = running.end();
    assert_eq!(status.code(), Some(0));
    let expected: String = (0..20_000).map(line).filter(|l| l.0).map(|l| l.1).collect();
    let lines = written(&out);
    assert!(lines.others == expected.as_bytes());
    let (samples, missed) = (lines.summary.samples, lines.summary.missed);
    assert!(samples >= 30 && missed < samples / 4, "{samples} samples, {missed} missed");
}

#[test]
fn a_descendant_that_holds_the_output_open_is_not_waited_for_long() {
    let start = Instant::now();
    let output = {
        // Its standard error is a file: else it would hold that open for us.
        let dir = tempfile::tempdir().unwrap();
        let errors = fs::File::create(dir.path().join("err")).unwrap();
        memmon(&["--", "sh", "-c", r#"sleep 8 & echo '{"a":1}'; exit 5"#])
            .stdout(std::process::Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
    };
    assert!(start.elapsed() < Duration::from_secs(6));
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(written(&output.stdout).others, b"{\"a\":1}\n");
}

#[test]
fn a_descendant_that_never_stops_writing_is_not_waited_for_for_ever() {
    let script = r#"while :; do echo '{"b":1}'; sleep 0.05; done & echo '{"a":1}'; exit 5"#;
    let (status, out) = Running::start(&mut memmon(&["--", "sh", "-c", script])).end();
    assert_eq!(status.code(), Some(5));
    let others = String::from_utf8(written(&out).others).unwrap();
    assert!(others.lines().any(|line| line == r#"{"a":1}"#), "{others}");
}

#[test]
fn what_a_descendant_writes_soon_after_the_command_ended_still_comes() {
    let output = run_script(&[], r#"(sleep 0.15; echo '{"after":1}') & exit 0"#);
    assert_eq!(written(&output.stdout).others, b"{\"after\":1}\n");
}
