//! Batches: every request recorded once, whatever happens.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufWriter, Write},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::{
    common::{Folder, Run},
    instant_server,
};

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
    // 5 tokens a request, 2 of them answered; 50 of them over the duration of the batch.
    let rate = |name: &str| metrics[name].as_f64().unwrap();
    let over = rate("request_tps") * test["batch"]["duration_s"].as_f64().unwrap();
    assert!(test["batch"]["duration_s"].as_f64() <= test["duration_s"].as_f64());
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
    let totals = &run.test("batch")["batch"];
    assert_eq!((&totals["retried"], &totals["retries"]), (&json!(20), &json!(20)));
}

/// A suite with a batch of `requests` on a server in this process; `faults` resets one
/// connection in twenty and tells one request in twenty to wait.
fn at_once(faults: bool, requests: u64, padding: usize) -> Folder {
    let port = instant_server::start(instant_server::Shared::new(true, faults)).unwrap();
    let folder = Folder::with(&format!(
        r#"
suite = 1
[backend.b]
kind = "openai"
url = "http://127.0.0.1:{port}"
ready = {{ get = "/health" }}
[[model]]
id = "m"
modality = ["text"]
on.b = {{}}
[[case]]
name = "batch"
needs = ["text"]
batch = {{ file = "b.jsonl", concurrency = 64 }}
retries = {{ count = 9, delay = "1ms" }}
expect = [{{ success_rate = {{ min = 1 }} }}]
"#
    ));
    let mut file = BufWriter::new(fs::File::create(folder.path().join("b.jsonl")).unwrap());
    let text = "x".repeat(padding);
    for n in 0..requests {
        let messages = json!([{"role": "user", "content": text}]);
        writeln!(file, "{}", json!({"custom_id": format!("r-{n}"), "messages": messages})).unwrap();
    }
    file.flush().unwrap();
    folder
}

#[test]
fn of_five_thousand_requests_none_is_lost_to_resets_and_a_busy_server() {
    let run = at_once(true, 5000, 9).run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let counts = recorded(run.lines.iter());
    assert_eq!((counts.len(), counts.values().max()), (5000, Some(&1)));
    let tries: Vec<u64> =
        run.of_kind("request").map(|request| request["tries"].as_u64().unwrap()).collect();
    let again = tries.iter().filter(|tries| **tries > 1).count() as u64;
    assert!((400..600).contains(&again), "{again} were sent again");
    let totals = &run.test("batch")["batch"];
    assert_eq!((&totals["retried"], &totals["answered"]), (&json!(again), &json!(5000)));
    assert_eq!(totals["retries"], tries.iter().sum::<u64>() - 5000);
    let line = format!("5000 requests, {again} sent again");
    assert!(run.stderr.contains(&line), "{line}\n{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_requests() {
    let most_mb = |requests: u64| {
        let folder = at_once(false, requests, 4000);
        let mut runner = folder
            .runner()
            .args(["s.toml", "-o", "run.jsonl"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", runner.id());
        let mut most_kb = 0;
        while runner.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kb = line.and_then(|line| line.trim().strip_suffix(" kB"));
            most_kb = kb.map_or(most_kb, |kb| kb.parse().unwrap());
            thread::sleep(Duration::from_millis(2));
        }
        assert!(runner.wait().unwrap().success());
        most_kb / 1000
    };
    let (few, many) = (most_mb(500), most_mb(8000));
    // The second file is larger than the first by 30 MB.
    assert!(many < few + 8, "{few} MB of 500 requests, and {many} MB of 8000");
}

#[test]
fn requests_at_a_rate_are_sent_when_they_are_due_and_late_ones_are_counted() {
    let folder = folder("log", 60);
    folder.change("concurrency = 8", "rate = 200, arrival = \"constant\"");
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let test = run.test("batch");
    let protocol = &test["protocol"];
    assert_eq!(
        (&protocol["kind"], &protocol["concurrency"], &protocol["rate"], &protocol["arrival"]),
        (&json!("batch"), &json!(1024), &json!(200.0), &json!("constant"))
    );
    let starts: Vec<f64> = run.of_kind("request").map(|r| r["ts"].as_f64().unwrap()).collect();
    let (first, last) = starts.iter().fold((f64::MAX, 0f64), |(a, b), ts| (a.min(*ts), b.max(*ts)));
    // 59 distances of 5 ms.
    assert!((0.25..1.5).contains(&(last - first)), "{}", last - first);
    assert!(run.of_kind("request").all(|request| request["late_s"].as_f64().unwrap() >= 0.0));
    assert_eq!(test["metrics"]["late_s"]["n"], 60);

    // One at a time of 20 ms each, and due every 5 ms: the queue shows.
    folder.change("rate = 200", "concurrency = 1, rate = 200");
    let run = folder.run(&[]);
    let test = run.test("batch");
    assert!(test["batch"]["late_sends"].as_u64().unwrap() > 50, "{test}");
    assert!(test["metrics"]["late_s"]["max"].as_f64().unwrap() > 0.5, "{test}");
    assert!(run.stderr.contains(" sent late)"), "{}", run.stderr);
}

#[test]
fn goodput_counts_what_kept_its_limits_and_samples_are_kept_with_their_requests() {
    let folder = folder("log", 30);
    folder.change(
        "concurrency = 8",
        "concurrency = 8, goodput = { e2e_s = 20 }, samples = { every = 10, ids = ['r-3'] }",
    );
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let test = run.test("batch");
    assert_eq!(test["metrics"]["goodput_rps"], test["metrics"]["request_tps"]);
    assert_eq!(test["protocol"]["goodput"]["e2e_s"], 20.0);
    let ids = |samples: &Value, key: &str| -> Vec<String> {
        let all = samples.as_array().unwrap().iter();
        all.map(|sample| sample[key].as_str().unwrap().to_owned()).collect()
    };
    let named = ["r-0", "r-3", "r-9", "r-19", "r-29"];
    assert_eq!(ids(&test["samples"], "custom_id"), named);
    assert_eq!(ids(&test["samples"], "text"), ["hello"; 5]);
    let kept = run.of_kind("request").filter(|request| request["sample_output"] == "hello");
    assert_eq!(kept.count(), 5);

    // Nothing is streamed, so nobody knows the time to the first token.
    folder.change("goodput = { e2e_s = 20 }", "goodput = { ttft_s = 20 }");
    assert_eq!(folder.run(&[]).test("batch")["metrics"].get("goodput_rps"), None);
}

#[test]
fn a_file_that_is_no_longer_right_when_it_is_read_again_is_an_error_of_its_case() {
    let folder = folder("log", 5);
    folder.change(
        "[[case]]\nname = \"after\"",
        "[[case]]\nname = \"spoils\"\ncommand = { argv = ['sh', '-c', 'echo {{}} > b.jsonl'] }\n\
         [[case]]\nname = \"after\"",
    );
    let run = folder.run(&[]);
    let test = run.test("batch");
    assert_eq!(test["error"]["kind"], "bad_request", "{}", run.stderr);
    let message = test["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("b.jsonl:1: has no custom_id, which its result is known by"));
    assert_eq!(run.test("after")["outcome"], "passed");
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
    let at_a_rate = "concurrency = 8, rate = 2000";
    for (same, pace) in [(true, None), (false, None), (true, Some(at_a_rate))] {
        let folder = folder("log", 120);
        folder.change("concurrency = 8", pace.unwrap_or("concurrency = 8"));
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
        let kept = test["batch"]["kept"].as_u64().unwrap();
        assert!((40..120).contains(&kept), "{kept}");
        assert_eq!(test["samples"][0]["custom_id"], "r-0", "an earlier answer is one of them");
        assert!(run.stderr.contains(&format!("120 requests, {kept} of an earlier run")));
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
    fs::write(folder.path().join("b.jsonl"), "{\"custom_id\":\"a\"}\n").unwrap();
    folder.change("{ e2e_s = { max = 60 } }", "{ status = 200 }");
    let run = folder.run(&[]);
    assert!(run.stderr.contains("it is of one answer, and a batch has many"), "{}", run.stderr);
}
