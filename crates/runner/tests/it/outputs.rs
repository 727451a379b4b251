//! Where a run writes: what cannot be written is found before anything runs, and nothing
//! is written over anything else.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    process::Stdio,
};

use crate::common::{Folder, Run};

const SUITE: &str = r#"
suite = 1
name = "s"
[backend.b]
kind = "openai"
url = "http://127.0.0.1:1"
[[model]]
id = "m"
modality = ["text"]
on.b = {}
[[case]]
name = "ran"
command = { argv = ["touch", "ran"] }
[[case]]
name = "bad"
command = { argv = ["false"] }
[[case]]
name = "batch"
skip = "nobody is there"
batch = { file = "b.jsonl" }
"#;

fn folder() -> Folder {
    let folder = Folder::with(SUITE);
    fs::write(folder.path().join("b.jsonl"), "{\"custom_id\":\"a\"}\n").unwrap();
    fs::write(folder.path().join("old.jsonl"), "{\"record\":\"summary\",\"v\":1}\n").unwrap();
    folder
}

#[test]
fn outputs_that_cannot_be_written_or_are_something_else_are_found_before_anything_runs() {
    let folder = folder();
    let old = fs::read_to_string(folder.path().join("old.jsonl")).unwrap();
    for (arguments, code, what) in [
        (&["--junitxml", "no/j.xml"][..], 74, "cannot write: no/j.xml: No such file"),
        (&["--junitxml", "."], 74, "cannot write: .: is a directory"),
        (&["--junitxml", "s.toml/x"], 74, "cannot write: s.toml/x: Not a directory"),
        (&["--requests", "no/r.jsonl"], 74, "cannot write: no/r.jsonl: No such file"),
        (&["--junitxml", "-"], 4, "--junitxml: a report is no stream of lines"),
        (&["--requests", "-"], 4, "--requests: standard output is where -o goes already"),
        (&["-o", "x", "--requests", "./x"], 4, "--requests: ./x is where -o goes already"),
        (&["--requests", "x", "--junitxml", "x"], 4, "x is where --requests goes already"),
        (&["--requests", "s.toml"], 4, "--requests: s.toml is an input, too: s.toml"),
        (&["--requests", "b.jsonl"], 4, "--requests: b.jsonl is an input, too: b.jsonl"),
        (&["-o", "./b.jsonl"], 4, "-o: ./b.jsonl is an input, too: b.jsonl"),
        (&["--resume", "old.jsonl", "--requests", "old.jsonl", "-o", "x"], 4, "is an input, too"),
        (&["--resume", "old.jsonl", "--collect-only"], 4, "cannot be used with"),
        (&["--resume", "s.toml"], 4, "s.toml: holds no results of a run"),
        (&["--timeout", "0"], 4, "that leaves no time at all"),
        (&["--retries", "101"], 4, "101 is not in 0..=100"),
    ] {
        let mut arguments = arguments.to_vec();
        if !arguments.iter().any(|word| ["-o", "-"].contains(word)) {
            // What is there must survive what is found wrong.
            arguments.extend(["-o", "old.jsonl"]);
        }
        let run = folder.run(&arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(what), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(!folder.path().join("ran").exists(), "{arguments:?}");
        assert_eq!(fs::read_to_string(folder.path().join("old.jsonl")).unwrap(), old);
        assert_eq!(fs::read_to_string(folder.path().join("s.toml")).unwrap(), SUITE);
    }
}

#[test]
fn a_report_that_meets_a_full_disk_after_all_costs_no_result_and_exits_74() {
    let run = folder().run(&["--junitxml", "/dev/full"]);
    assert_eq!(run.code, Some(74), "{}", run.stderr);
    assert!(run.stderr.contains("cannot write: /dev/full: No space left"), "{}", run.stderr);
    assert_eq!((run.tests().len(), &run.end()["exit"]), (3, &74.into()));
    let device = fs::metadata("/dev/full").unwrap().file_type();
    assert!(device.is_char_device(), "a device stays what it is");
}

#[test]
fn a_run_that_is_continued_can_write_to_a_device() {
    let folder = folder();
    assert_eq!(folder.run(&["-o", "r.jsonl"]).code, Some(1));
    let more = ["--resume", "r.jsonl", "-o", "r.jsonl", "--requests", "/dev/null"];
    let run = folder.run(&more);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.starts_with("s: 0 to run, 0 to load, 3 kept"), "{}", run.stderr);
}

#[test]
fn a_report_can_be_read_by_whoever_the_mask_lets() {
    let folder = folder();
    folder.run(&["--junitxml", "j.xml"]);
    let of = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(of("j.xml"), of("ran"));
}

#[test]
fn a_suite_can_come_from_standard_input() {
    let folder = folder();
    let suite = SUITE.replace("name = \"s\"", "");
    let mut runner = folder.runner();
    runner.args(["-", "-k", "ran"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = runner.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(suite.as_bytes()).unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.test("ran")["id"], "suite::ran");
}

#[test]
fn a_suite_without_end_is_refused() {
    let folder = folder();
    let run = Run::of(folder.runner().arg("/dev/zero").output().unwrap());
    assert_eq!(run.code, Some(4));
    assert_eq!(run.stderr, "runner: /dev/zero: cannot read: larger than 16 MiB, so no suite\n");
}

#[test]
fn shares_are_the_same_whatever_failed_last_on_each_machine() {
    let folder = Folder::with(
        "suite = 1\n[[case]]\nname = 'c'\ncommand = { argv = ['sh', '-c', '[ {n} != 4 ]'] }\n\
         parametrize.n = [1, 2, 3, 4, 5, 6]\n",
    );
    assert_eq!(folder.run(&[]).code, Some(1));
    // Here the fourth failed, there nobody knows.
    let here = folder.run(&["--ff", "--shard", "1/2"]);
    let there = folder.run(&["--ff", "--shard", "2/2", "--state-dir", "other"]);
    let mut ids: Vec<String> = here
        .tests()
        .iter()
        .chain(&there.tests())
        .map(|test| test["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    let all: Vec<String> = (1..=6).map(|n| format!("s::c[n={n}]")).collect();
    assert_eq!(ids, all);
}
