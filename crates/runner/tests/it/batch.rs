//! Batches: every request recorded once, whatever happens.

use std::{
    collections::BTreeMap,
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::common::{Folder, Run};

const CASES: &str = r#"
[[case]]
name = "batch"
needs = ["text"]
batch = { file = "b.jsonl", concurrency = 8 }
retries = { count = 3, delay = "10ms" }
expect = [{ success_rate = { min = 1 } }, { e2e_s = { max = 60 } }]
[[case]]
name = "after"
needs = ["text"]
request = { api = "chat", prompt = "99" }
"#;

/// A folder with a batch of so many requests, each of which says its number.
fn folder(fault: &str, requests: u64) -> Folder {
    let folder = Folder::faulty(fault, CASES);
    let lines: String = (0..requests)
        .map(|n| {
            let messages = json!([{"role": "user", "content": n.to_string()}]);
            format!("{}\n", json!({"custom_id": format!("r-{n}"), "body": {"messages": messages}}))
        })
        .collect();
    fs::write(folder.path().join("b.jsonl"), lines).unwrap();
    folder
}

/// How often each custom_id has a record.
fn recorded<'a>(lines: impl Iterator<Item = &'a Value>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines.filter(|line| line["record"] == "request") {
        *counts.entry(line["custom_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// How often each request was asked.
fn asked(folder: &Folder) -> BTreeMap<String, u64> {
    let log = fs::read_to_string(folder.path().join("asked.log")).unwrap_or_default();
    let mut counts = BTreeMap::new();
    log.lines().filter(|n| *n != "99").for_each(|n| *counts.entry(n.to_owned()).or_default() += 1);
    counts
}

#[test]
fn every_request_is_recorded_once_and_answered_in_the_form_of_openai() {
    let folder = folder("log", 50);
    let run = folder.run(&["--requests", "answers.jsonl"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let counts = recorded(run.lines.iter());
    assert_eq!((counts.len(), counts.values().max()), (50, Some(&1)));
    let test = run.test("batch");
    let metrics = &test["metrics"];
    assert_eq!((&metrics["success_rate"], &metrics["e2e_s"]["n"]), (&json!(1), &json!(50)));
    // 5 tokens a request, 2 of them answered; 50 of them over the duration of the test.
    let rate = |name: &str| metrics[name].as_f64().unwrap();
    let over = rate("request_tps") * test["duration_s"].as_f64().unwrap();
    assert!((48.0..52.0).contains(&over), "{over}");
    assert!((rate("output_tps") / rate("request_tps") - 2.0).abs() < 0.01);
    // Eight at a time, 20 ms each.
    assert!(metrics["e2e_s"]["min"].as_f64().unwrap() >= 0.02);
    assert!(metrics["e2e_s"].get("p90").is_some() && metrics["e2e_s"].get("p99").is_none());
    let start = run.of_kind("run_start").next().unwrap();
    assert_eq!(start["selected"][0]["requests"], 50);

    let text = fs::read_to_string(folder.path().join("answers.jsonl")).unwrap();
    let answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 50);
    for answer in answers {
        assert_eq!(answer["response"]["status_code"], 200);
        assert_eq!(answer["response"]["body"]["choices"][0]["message"]["content"], "hello");
        assert_eq!(answer["error"], Value::Null);
    }
}

#[test]
fn resets_and_busy_answers_lose_no_request_and_are_counted() {
    let folder = folder("moody", 200);
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let counts = recorded(run.lines.iter());
    assert_eq!((counts.len(), counts.values().max()), (200, Some(&1)));
    let again = run.of_kind("request").filter(|request| request["tries"] == 2).count();
    assert_eq!(again, 20, "one in twenty was reset, and one in twenty was told to wait");
}

#[test]
fn a_backend_that_dies_makes_an_error_and_the_run_goes_on() {
    let run = folder("die-later", 60).run(&["--retries", "0"]);
    let test = run.test("batch");
    assert_eq!(
        (&test["outcome"], &test["error"]["kind"]),
        (&json!("error"), &json!("backend_died"))
    );
    assert_eq!(test["error"]["exit"], 3);
    let message = test["error"]["message"].as_str().unwrap();
    assert!(message.contains("of 60 requests"), "{message}");
    let answered = run.of_kind("request").filter(|request| request.get("error").is_none()).count();
    assert!((20..=37).contains(&answered), "{answered}");
    assert_eq!(run.test("after")["outcome"], "passed", "{}", run.stderr);
}

#[test]
fn a_batch_that_was_killed_goes_on_where_it_was() {
    for same in [true, false] {
        let folder = folder("log", 120);
        let path = folder.path().join("run.jsonl");
        let mut child = folder
            .runner()
            .args(["s.toml", "-o", "run.jsonl"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let so_far = || fs::read_to_string(&path).unwrap_or_default();
        while so_far().matches("\"request\"").count() < 40 {
            assert!(start.elapsed() < Duration::from_secs(30), "{}", so_far());
            thread::sleep(Duration::from_millis(2));
        }
        kill(Pid::from_raw(child.id() as i32), Signal::SIGKILL).unwrap();
        child.wait().unwrap();

        let output = if same { "run.jsonl" } else { "more.jsonl" };
        let run = folder.run(&["--resume", "run.jsonl", "-o", output]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let text = fs::read_to_string(folder.path().join(output)).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let counts = recorded(lines.iter());
        assert_eq!((counts.len(), counts.values().max()), (120, Some(&1)));
        let twice = asked(&folder).values().filter(|n| **n > 1).count();
        assert!(twice <= 8, "{twice} were asked twice");
        let test =
            lines.iter().rfind(|line| line["record"] == "test" && line["case"] == "batch").unwrap();
        assert_eq!(test["metrics"]["success_rate"], 1);
        assert_eq!(test["metrics"]["e2e_s"]["n"], 120);
    }
}

#[test]
fn an_interrupt_stops_a_batch_and_keeps_what_was_answered() {
    let folder = folder("log", 2000);
    let child = folder
        .runner()
        .arg("s.toml")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while asked(&folder).len() < 30 {
        thread::sleep(Duration::from_millis(2));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(run.test("batch")["error"]["kind"], "interrupted");
    assert!(recorded(run.lines.iter()).len() >= 20);
}

#[test]
fn what_is_wrong_with_a_batch_is_said_before_anything_runs() {
    let folder = folder("log", 1);
    fs::write(folder.path().join("b.jsonl"), "{}\n").unwrap();
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(4));
    assert!(run.stderr.contains("b.jsonl:1: has no custom_id"), "{}", run.stderr);
    let suite = fs::read_to_string(folder.path().join("s.toml")).unwrap();
    fs::write(folder.path().join("b.jsonl"), "{\"custom_id\":\"a\"}\n").unwrap();
    let suite = suite.replace("{ e2e_s = { max = 60 } }", "{ status = 200 }");
    fs::write(folder.path().join("s.toml"), suite).unwrap();
    let run = folder.run(&[]);
    assert!(run.stderr.contains("it is of one answer, and a batch has many"), "{}", run.stderr);
}
