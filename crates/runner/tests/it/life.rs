//! What a run does besides its cases: tries again, remembers, continues, sets up.

use std::{fs, process::Stdio, thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::common::{Folder, Run};

/// Fails the first time, passes from then on.
const FLAKY: &str = r#"
[[case]]
name = "flaky"
retries = { count = 3, delay = "50ms", backoff = "fixed" }
command = { argv = ["sh", "-c", "if ! test -e seen; then touch seen; echo no >&2; exit 1; fi"] }
"#;

fn suite(cases: &str) -> Folder {
    Folder::with(&format!("suite = 1\n{cases}"))
}

fn command(name: &str, script: &str) -> String {
    format!("[[case]]\nname = '{name}'\ncommand = {{ argv = ['sh', '-c', '''{script}'''] }}\n")
}

#[test]
fn a_case_that_passes_when_it_is_tried_again_is_flaky_and_its_first_try_is_kept() {
    let run = suite(FLAKY).run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let test = run.test("flaky");
    assert_eq!(
        (&test["attempt"], &test["flaky"], &test["outcome"]),
        (&2.into(), &true.into(), &"passed".into())
    );
    assert!(test["total_s"].as_f64() > test["duration_s"].as_f64().map(|s| s + 0.05));
    let attempts: Vec<&Value> = run.of_kind("attempt").collect();
    assert_eq!(attempts.len(), 1);
    assert_eq!((&attempts[0]["attempt"], &attempts[0]["outcome"]), (&1.into(), &"failed".into()));
    assert_eq!(attempts[0]["id"], test["id"]);
    assert_eq!(run.of_kind("begin").count(), 2, "each try begins");
    assert!(run.stderr.contains("RETRY") && run.stderr.contains("FLAKY"), "{}", run.stderr);
}

#[test]
fn tries_end_after_so_many_and_the_last_result_stands() {
    let folder = suite(&command("never", "exit 7"));
    let run = folder.run(&["--retries", "1"]);
    assert_eq!(run.code, Some(1));
    let test = run.test("never");
    assert_eq!(
        (&test["attempt"], &test["flaky"], &test["outcome"]),
        (&2.into(), &false.into(), &"failed".into())
    );
    assert_eq!(run.end()["counts"]["failed"], 1);
}

#[test]
fn what_is_expected_to_fail_is_tried_once() {
    let run =
        suite(&format!("{}xfail = 'known'\n", command("never", "exit 7"))).run(&["--retries", "3"]);
    assert_eq!(run.test("never")["outcome"], "xfailed");
    assert_eq!(run.of_kind("attempt").count(), 0);
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_it_names() {
    let cases = r#"
[[case]]
name = "busy"
needs = ["text"]
retries = { count = 2, delay = "10ms" }
request = { api = "chat", prompt = "hi" }
"#;
    for fault in ["busy-429", "busy-503"] {
        let run = Folder::faulty(fault, cases).run(&[]);
        let test = run.test("busy");
        assert_eq!(test["outcome"], "passed", "{}", run.stderr);
        assert_eq!(test["flaky"], true);
        // The server asked for a second; the suite would have waited 10 ms.
        let waited = test["ts"].as_f64().unwrap()
            - run.of_kind("attempt").next().unwrap()["end_ts"].as_f64().unwrap();
        assert!((0.9..5.0).contains(&waited), "{waited}");
    }
}

#[test]
fn a_server_that_dies_is_started_again_for_the_next_try() {
    let cases = r#"
[[case]]
name = "mortal"
needs = ["text"]
retries = { count = 1, delay = "10ms" }
request = { api = "chat", prompt = "hi" }
"#;
    let run = Folder::faulty("die-once", cases).run(&[]);
    assert_eq!(run.test("mortal")["outcome"], "passed", "{}", run.stderr);
    assert_eq!(run.of_kind("attempt").next().unwrap()["error"]["kind"], "backend_died");
    assert_eq!(run.of_kind("span").filter(|span| span["phase"] == "load").count(), 2);
}

#[test]
fn what_failed_last_runs_alone_or_first() {
    let folder =
        suite(&[command("a", "true"), command("b", "test -e ok"), command("c", "true")].concat());
    let cases = |run: &Run| {
        run.tests().iter().map(|t| t["case"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cases(&folder.run(&["--lf"])), ["a", "b", "c"], "nothing is known yet");
    assert_eq!(cases(&folder.run(&["--ff"])), ["b", "a", "c"]);
    assert_eq!(cases(&folder.run(&["--lf"])), ["b"]);
    fs::write(folder.path().join("ok"), "").unwrap();
    assert_eq!(cases(&folder.run(&["--lf"])), ["b"]);
    assert_eq!(cases(&folder.run(&["--lf"])), ["a", "b", "c"], "nothing failed last");
}

#[test]
fn a_run_that_was_killed_is_continued_and_nothing_runs_twice() {
    // Each case writes that it ran; the third waits until somebody kills the run.
    let cases: String = ["a", "b"].map(|n| command(n, &format!("echo {n} >> ran"))).concat()
        + &command("c", "echo c >> ran; test -e go || sleep 60")
        + &command("d", "echo d >> ran");
    for same in [true, false] {
        let folder = suite(&cases);
        let ran = || fs::read_to_string(folder.path().join("ran")).unwrap_or_default();
        let mut child = folder
            .runner()
            .args(["s.toml", "-o", "run.jsonl"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !ran().contains('c') {
            thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        // A kill can leave half a line.
        let path = folder.path().join("run.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        let whole = text.clone();
        text.push_str("{\"record\":\"test\",\"v\":1,\"ts");
        fs::write(&path, &text).unwrap();
        fs::write(folder.path().join("go"), "").unwrap();

        let output = if same { "run.jsonl" } else { "more.jsonl" };
        let run = folder.run(&["--resume", "run.jsonl", "-o", output]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(ran(), "a\nb\nc\nc\nd\n");
        let text = fs::read_to_string(folder.path().join(output)).unwrap();
        assert!(!same || text.starts_with(&whole), "what was there is still there");
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let tests: Vec<&str> = lines
            .iter()
            .filter(|line| line["record"] == "test")
            .map(|line| line["case"].as_str().unwrap())
            .collect();
        assert_eq!(tests, ["a", "b", "c", "d"]);
        let runs: Vec<&Value> = lines.iter().map(|line| &line["run"]).collect();
        assert!(runs.windows(2).all(|two| two[0] == two[1]), "it is one run");
        let end = lines.last().unwrap();
        assert_eq!((&end["record"], &end["counts"]["passed"]), (&"run_end".into(), &4.into()));
        let start = lines.iter().rfind(|line| line["record"] == "run_start").unwrap();
        assert_eq!(start["resumed"]["kept"], 2);
    }
}

#[test]
fn a_failure_that_is_kept_still_fails_the_run() {
    let folder = suite(&(command("a", "exit 1") + &command("b", "true")));
    assert_eq!(folder.run(&["-x", "-o", "run.jsonl"]).code, Some(1));
    let run = folder.run(&["--resume", "run.jsonl", "--junitxml", "j.xml"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.tests().len(), 2);
    let junit = fs::read_to_string(folder.path().join("j.xml")).unwrap();
    assert!(junit.contains(r#"tests="2" skipped="0" errors="0" failures="1""#), "{junit}");
}

#[test]
fn a_file_that_is_no_run_of_the_suite_is_not_continued() {
    let folder = suite(&command("a", "true"));
    let run = folder.run(&["--resume", "none.jsonl"]);
    assert_eq!(run.code, Some(66), "{}", run.stderr);
    fs::write(folder.path().join("t.toml"), format!("suite = 1\n{}", command("a", "true")))
        .unwrap();
    folder.runner().args(["t.toml", "-o", "t.jsonl"]).output().unwrap();
    let run = folder.run(&["--resume", "t.jsonl"]);
    assert_eq!(run.code, Some(4));
    assert!(
        run.stderr.contains("t.jsonl:1: a run of the suite \"t\" is there, and none of \"s\""),
        "{}",
        run.stderr
    );
}

const FIXTURES: &str = r#"
[fixture.docs]
scope = "run"
files = { "a.txt" = "hello" }
env = { DOCS = "{fixture.docs}" }
setup = { argv = ["sh", "-c", "echo up-docs >> log"] }
teardown = { argv = ["sh", "-c", "echo down-docs >> log"] }
[fixture.each]
fixtures = ["docs"]
setup = { argv = ["sh", "-c", "cp $DOCS/a.txt {fixture.each}/b.txt; echo up-each >> log"] }
teardown = { argv = ["sh", "-c", "echo down-each >> log"] }
[fixture.broken]
setup = { argv = ["sh", "-c", "echo cannot >&2; exit 2"] }
[[case]]
name = "one"
fixtures = ["each"]
command = { argv = ["cat", "{fixture.each}/b.txt"] }
expect = [{ stdout = { equals = "hello" } }]
[[case]]
name = "two"
fixtures = ["broken"]
command = { argv = ["true"] }
[[case]]
name = "three"
fixtures = ["each"]
command = { argv = ["sh", "-c", "cat $DOCS/a.txt; exit 1"] }
[[case]]
name = "four"
command = { argv = ["sh", "-c", "test -z $DOCS"] }
"#;

#[test]
fn fixtures_are_there_for_their_cases_and_gone_after_their_scope() {
    let folder = suite(FIXTURES);
    let run = folder.run(&[]);
    let outcomes: Vec<&Value> = run.tests().iter().map(|test| &test["outcome"]).collect();
    assert_eq!(outcomes, ["passed", "error", "failed", "passed"], "{}", run.stderr);
    assert_eq!(run.test("two")["error"]["kind"], "fixture");
    assert_eq!(run.test("two")["reason"], "fixture broken: sh ended with exit code 2: cannot");
    assert_eq!(run.test("three")["sample_output"], "hello");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "up-docs\nup-each\ndown-each\nup-each\ndown-each\ndown-docs\n");
    let phases: Vec<String> = run
        .of_kind("span")
        .map(|span| {
            format!(
                "{} {}",
                span["phase"].as_str().unwrap(),
                span["params"]["fixture"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(phases[..3], ["setup docs", "setup each", "teardown each"]);
    assert_eq!(run.of_kind("span").filter(|span| span.get("error").is_some()).count(), 1);
}

#[test]
fn an_interrupted_run_is_torn_down_too() {
    let folder = suite(
        "[fixture.f]\nsetup = { argv = ['touch', 'up'] }\nteardown = { argv = ['sh', '-c', 'sleep 0.2; touch down'] }\n\
         [[case]]\nname = 'long'\nfixtures = ['f']\ncommand = { argv = ['sleep', '60'] }\n",
    );
    let child = folder
        .runner()
        .arg("s.toml")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !folder.path().join("up").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(100));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(folder.path().join("down").exists());
    assert_eq!(run.end()["interrupted"], true);
}

#[test]
fn the_slowest_cases_are_named_at_the_end() {
    let folder = suite(&(command("quick", "true") + &command("slow", "sleep 0.3")));
    let run = folder.run(&["--durations", "1"]);
    let (_, end) = run.stderr.split_once("slowest:\n").unwrap();
    assert!(end.contains("s::slow") && !end.contains("s::quick"), "{end}");
}

#[test]
fn lines_of_mlx_knife_are_all_that_is_written_when_they_are_asked_for() {
    let folder = suite(&(command("good", "true") + &command("bad", "exit 1")));
    let run = folder.run(&["--emit", "mlx-knife"]);
    assert_eq!(run.lines.len(), 2);
    assert_eq!(run.lines[1]["outcome"], "failed");
    let kinds: Vec<bool> = run.lines.iter().map(|line| line.get("record").is_none()).collect();
    assert_eq!(kinds, [true, true]);
}
