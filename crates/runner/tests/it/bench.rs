//! Benches and baselines, on a server whose figures can be told beforehand.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Folder, Run};

const SPEED: &str = r#"
[[case]]
name = "speed"
needs = ["text"]
request = { api = "chat", prompt = "What is 2+2?", max_tokens = 20 }
bench = { warmup = 2, repetitions = 4 }
expect = [{ status = 200 }, { finish_reason = "length" }, { generation_tps = { min = 1 } }]
"#;

const BASELINE: &str = r#"
[[case]]
name = "baseline"
needs = ["text"]
request = { api = "chat", prompt = "What is 2+2?", max_tokens = 6 }
baseline = { queries = 3 }
expect = [{ text = { contains = "4" } }]
"#;

const AFTER: &str = r#"
[[case]]
name = "after"
needs = ["text"]
request = { api = "chat", prompt = "Say hello." }
"#;

fn folder(fault: &str, cases: &str) -> Folder {
    Folder::measured(fault, "llama-server", cases)
}

/// What the server was asked to answer by the case, in order.
fn asked(folder: &Folder) -> Vec<Value> {
    let text = fs::read_to_string(folder.path().join("asked.jsonl")).unwrap();
    let all = text.lines().map(|line| serde_json::from_str(line).unwrap());
    all.filter(|asked: &Value| asked["path"] == "/v1/chat/completions").collect()
}

fn reasons(test: &Value) -> String {
    let state = &test["verdict"]["state"];
    let reasons = test["verdict"]["reasons"].as_array().unwrap();
    assert_eq!(state == "clean", reasons.is_empty(), "{test}");
    reasons.iter().map(|reason| reason.as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

fn mean(test: &Value, metric: &str) -> f64 {
    test["metrics"][metric]["mean"].as_f64().unwrap_or_else(|| panic!("{metric}: {test}"))
}

fn phases(run: &Run) -> Vec<&str> {
    let phases = run.of_kind("request").map(|request| request["phase"].as_str().unwrap());
    phases.collect()
}

#[test]
fn a_bench_warms_up_and_measures_each_repetition_apart() {
    let folder = folder("none", &[SPEED, AFTER].concat());
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(phases(&run), ["warmup", "warmup", "measure", "measure", "measure", "measure"]);
    let test = run.test("speed");
    let runs = test["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    // What was measured of a repetition stands in its record and in the result.
    let records: Vec<&Value> =
        run.of_kind("request").skip(2).map(|request| &request["metrics"]).collect();
    assert_eq!(runs.iter().collect::<Vec<_>>(), records);
    // 19 gaps of 5 ms: no more than 200 tokens a second, whatever the machine does.
    let tps = mean(test, "generation_tps");
    assert!((20.0..=200.0).contains(&tps), "{tps}");
    let gaps = &test["metrics"]["itl_s"];
    assert_eq!(gaps["n"], 4 * 19, "gaps of all repetitions together");
    assert!(gaps["p95"].as_f64().unwrap() >= 0.005);
    assert!(mean(test, "prompt_tps") > 0.0 && test["metrics"]["load_s"].as_f64().unwrap() > 0.0);
    let protocol = &test["protocol"];
    assert_eq!(
        (&protocol["warmup"], &protocol["repetitions"], &protocol["max_tokens"]),
        (&json!(2), &json!(4), &json!(20))
    );
    assert_eq!(protocol["cache_avoided_by"], "cache_prompt = false");
    // A check is there once, and not once for each repetition.
    assert_eq!(test["checks"].as_array().unwrap().len(), 3);

    let spans: Vec<&str> =
        run.of_kind("span").map(|span| span["phase"].as_str().unwrap()).collect();
    assert_eq!(spans, ["spawn", "load", "warmup", "measure", "test", "stop"]);
    let start = run.of_kind("run_start").next().unwrap();
    assert_eq!(start["selected"][0]["requests"], 6);
    assert!(start["machine"]["cores_logical"].as_u64().unwrap() > 0);

    // It streams though nobody said so, for the sake of the times.
    for request in &asked(&folder)[..6] {
        assert_eq!(
            (&request["stream"], &request["ignore_eos"], &request["cache_prompt"]),
            (&json!(true), &json!(true), &json!(false))
        );
        assert_eq!(request["messages"][0]["content"], "What is 2+2?");
    }
}

#[test]
fn a_prompt_is_made_to_have_so_many_tokens_by_the_servers_own_tokenizer() {
    let cases = r#"
[[case]]
name = "speed"
needs = ["text"]
request = { api = "chat", system = "Be brief.", prompt = "Go on:", max_tokens = 4 }
bench = { prompt_tokens = 128 }
"#;
    // One has a tokenizer to ask; the other must be asked for an answer, and is told from
    // its cache by a new prompt each time.
    for (fault, kind, answers) in [("none", "llama-server", 4), ("no-tokenizer", "openai", 6)] {
        let folder = Folder::measured(fault, kind, cases);
        let run = folder.run(&[]);
        let test = run.test("speed");
        assert_eq!(test["outcome"], "passed", "{}", run.stderr);
        assert_eq!(test["metrics"]["prompt_tokens"]["min"], 128.0, "{kind}");
        assert_eq!(test["metrics"]["prompt_tokens"]["max"], 128.0, "{kind}");
        // The one token that makes it ready, or is its first, comes before.
        assert_eq!(asked(&folder).len(), answers + usize::from(kind == "openai"), "{kind}");
        let prompts: Vec<Value> = asked(&folder).split_off(answers - 4);
        let texts: std::collections::BTreeSet<String> =
            prompts.iter().rev().take(4).map(|request| request["messages"].to_string()).collect();
        assert_eq!(texts.len(), if kind == "openai" { 4 } else { 1 }, "{kind}");
    }
    let other = folder("none", &cases.replace("128", "3"));
    let run = other.run(&[]);
    let reason = run.test("speed")["reason"].as_str().unwrap();
    assert_eq!(reason, "prompt_tokens = 3: the prompt has 4 tokens before words are added");
}

#[test]
fn what_speaks_against_a_measurement_is_in_its_verdict() {
    for (fault, said) in [
        ("short", "6 of 6 answers ended before their 20 tokens, one after 8"),
        ("cached", "prompts came partly from the server's cache"),
        ("slow-clock", "generation_tps is"),
    ] {
        let cases = SPEED.replace("repetitions = 4", "repetitions = 6");
        let run = folder(fault, &cases.replace("{ finish_reason = \"length\" }, ", "")).run(&[]);
        let test = run.test("speed");
        assert_eq!(test["outcome"], "passed", "{}", run.stderr);
        assert!(reasons(test).contains(said), "{fault}: {}", reasons(test));
    }
    let run = folder("none", &SPEED.replace("repetitions = 4", "repetitions = 1")).run(&[]);
    assert!(reasons(run.test("speed")).contains("1 repetition: too few"));
}

#[test]
fn a_backend_that_dies_keeps_what_was_measured_and_the_run_goes_on() {
    for (fault, kind) in [("die-third", "backend_died"), ("refuse-third", "http_status")] {
        let cases = [&SPEED.replace("warmup = 2", "warmup = 0"), AFTER].concat();
        let run = folder(fault, &cases).run(&[]);
        let test = run.test("speed");
        assert_eq!(test["outcome"], "error");
        assert_eq!(test["error"]["kind"], kind, "{}", run.stderr);
        let message = test["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("repetition 3: "), "{message}");
        assert_eq!(test["runs"].as_array().unwrap().len(), 2);
        assert_eq!(test["metrics"]["generation_tps"]["n"], 2);
        assert_eq!(run.test("after")["outcome"], "passed", "{}", run.stderr);
    }
}

#[test]
fn a_list_of_depths_measures_each_behind_what_is_in_the_cache() {
    let cases = r#"
[[case]]
name = "deep"
needs = ["text"]
request = { api = "chat", prompt = "Go on:", max_tokens = 4 }
bench = { prompt_tokens = 32, depth = [0, 64], warmup = 0 }
"#;
    let folder = folder("none", cases);
    let run = folder.run(&[]);
    let ids: Vec<&str> = run.tests().iter().map(|test| test["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["s::deep[b,m,depth=0]", "s::deep[b,m,depth=64]"]);
    let deep = run.tests()[1];
    assert_eq!((&deep["params"]["depth"], &deep["protocol"]["warmup"]), (&json!(64), &json!(1)));
    let said = reasons(deep);
    assert!(said.contains("only 0 tokens of the depth of 64 were in the cache"), "{said}");
    let last = asked(&folder).pop().unwrap();
    let messages = last["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0]["content"].as_str().unwrap().split(' ').count(), 64);
    assert!(messages[2]["content"].as_str().unwrap().contains(" Go on: "));
    assert_eq!(last.get("cache_prompt"), None);
}

#[test]
fn a_baseline_has_a_backend_of_its_own_and_counts_its_first_query() {
    let targets = [("load_s", 60.0), ("steady_s", 0.001), ("disk_gb", 1.0)]
        .map(|(metric, max)| format!("[[case.target]]\nmetric = {metric:?}\nmax = {max:?}\n"))
        .concat();
    let cases = [BASELINE, &targets, AFTER].concat();
    let folder = folder("none", &cases);
    fs::write(folder.path().join("m.gguf"), vec![0u8; 2_000_000]).unwrap();
    let run = folder.run(&[]);
    let test = run.test("baseline");
    assert_eq!(test["outcome"], "passed", "{}", run.stderr);
    let metrics = &test["metrics"];
    assert_eq!(metrics["accuracy"], json!({"correct": 4, "total": 4}));
    assert_eq!((&metrics["steady_s"]["n"], &metrics["disk_gb"]), (&json!(3), &json!(0.002)));
    assert!(metrics["warmup_s"].as_f64().unwrap() >= 0.025);
    assert!(metrics["load_s"].as_f64().unwrap() > 0.0);
    let loaded = &test["memory"]["loaded"];
    assert_eq!(metrics["memory_gb"], loaded["tree_gb"], "{test}");
    assert!(loaded["tree_gb"].as_f64().unwrap() > 0.001);
    assert!(test["memory"]["before"].get("tree_gb").is_none());
    let kept: Vec<bool> = test["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["ok"].as_bool().unwrap())
        .collect();
    assert_eq!(kept, [true, false, true], "a target that is missed is a warning");
    assert_eq!(phases(&run), ["warmup", "measure", "measure", "measure"]);
    // Two lives: one of the baseline, which nobody asked anything before.
    let loads = run.of_kind("span").filter(|span| span["phase"] == "load");
    assert_eq!(loads.count(), 2);
    assert_eq!(asked(&folder).iter().filter(|asked| asked["max_tokens"] == 6).count(), 4);
}

#[test]
fn a_baseline_that_answers_wrongly_fails_unless_a_target_says_how_many_may() {
    let run = folder("wrong-second", BASELINE).run(&[]);
    let test = run.test("baseline");
    assert_eq!(test["outcome"], "failed");
    assert_eq!(test["metrics"]["accuracy"], json!({"correct": 3, "total": 4}));
    let reason = test["reason"].as_str().unwrap();
    assert!(reason.contains("query 2: expected"), "{reason}");
    let target = "[[case.target]]\nmetric = 'accuracy'\nmin = 0.7\non_miss = 'fail'\n";
    let cases = [BASELINE, target].concat();
    let run = folder("wrong-second", &cases).run(&[]);
    assert_eq!(run.test("baseline")["outcome"], "passed", "{}", run.stderr);
}

#[test]
fn accuracy_over_a_dataset_asks_each_row_once_and_judges_it_by_its_own_words() {
    let cases = r#"
[[case]]
name = "tool-or-answer"
needs = ["text"]
request = { api = "chat", prompt = "{q}", max_tokens = 6 }
dataset = "rows.jsonl"
baseline = {}
expect = [{ tool_calls = { count = "{calls}" } }]
[[case.target]]
metric = "accuracy"
min = 0.6
on_miss = "fail"
"#;
    let folder = folder("calls", cases);
    // A tool, or a direct answer.
    let rows = [1, 1, 0].map(|calls| json!({"q": "Who?", "calls": calls}));
    fs::write(folder.path().join("rows.jsonl"), rows.map(|row| format!("{row}\n")).concat())
        .unwrap();
    let run = folder.run(&[]);
    let test = run.test("tool-or-answer");
    assert_eq!(test["outcome"], "passed", "{}", run.stderr);
    assert_eq!(test["metrics"]["accuracy"], json!({"correct": 2, "total": 3}));
    assert_eq!(test["metrics"]["steady_s"]["n"], 2);
    assert_eq!(test["metadata"]["wrong_queries"][0]["query"], 3);
}

#[test]
fn a_baseline_whose_backend_dies_has_what_came_before() {
    let run = folder("die-third", &[BASELINE, AFTER].concat()).run(&[]);
    let test = run.test("baseline");
    assert_eq!(
        (&test["outcome"], &test["error"]["kind"]),
        (&json!("error"), &json!("backend_died"))
    );
    assert!(test["error"]["message"].as_str().unwrap().starts_with("query 3: "));
    assert_eq!(test["metrics"]["steady_s"]["n"], 1);
    assert_eq!(run.test("after")["outcome"], "passed", "{}", run.stderr);
}

#[test]
fn a_batch_is_priced_by_tokens_and_by_the_hour_and_says_what_is_not_known() {
    let cases = r#"
[[price]]
name = "elsewhere"
input = 1.0
output = 2.0
[[price]]
name = "rented"
per_hour = 3600
currency = "EUR"
[[price]]
name = "power"
per_kwh = 0.3
[[price]]
name = "of another backend"
model = "m*"
backend = "c"
per_hour = 1
[backend.c]
kind = "openai"
url = "http://127.0.0.1:9"
[[case]]
name = "batch"
needs = ["text"]
batch = { file = "b.jsonl", concurrency = 2 }
"#;
    let folder = folder("none", cases);
    let line = |n: u32| {
        let messages = json!([{"role": "user", "content": "one two three"}]);
        format!(
            "{}\n",
            json!({"custom_id": format!("r{n}"), "messages": messages, "max_tokens": 4})
        )
    };
    fs::write(folder.path().join("b.jsonl"), (0..6).map(line).collect::<String>()).unwrap();
    let run = folder.run(&[]);
    let test = run.test("batch");
    let cost = test["cost"].as_array().unwrap();
    assert_eq!(cost.len(), 3, "those that are for it: {test}");
    // 3 tokens in and 4 out, at 1 and 2 a million.
    assert_eq!((&cost[0]["basis"], &cost[0]["per_1m_requests"]), (&json!("tokens"), &json!(11.0)));
    // 3600 an hour is one a second.
    let each = test["batch"]["duration_s"].as_f64().unwrap() / 6.0;
    let said = cost[1]["per_1k_requests"].as_f64().unwrap();
    assert!((said - each * 1e3).abs() < 1e-3 * said, "{said} {each}");
    assert_eq!(cost[1]["currency"], "EUR");
    let power = &cost[2];
    assert_ne!(power.get("per_1k_requests").is_some(), power.get("unknown").is_some(), "{power}");
}
