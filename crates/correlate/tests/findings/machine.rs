//! A machine that gets slower, is idle, sleeps, or does something else.

use serde_json::{Value, json};

use crate::story::{BASE, Story, at};

#[test]
fn a_hot_gpu_that_gets_slower_at_full_load_is_throttled() {
    let mut story = Story::new();
    let run = |story: &mut Story, temp: f64| {
        story.set(json!({"gpu_device_util": 99.0, "gpu_freq_mhz": 1400, "gpu_temp_c": 60.0}));
        story.pass(30.0);
        story.set(json!({"gpu_freq_mhz": 1100, "gpu_temp_c": temp}));
        story.pass(30.0);
    };
    run(&mut story, 90.0);
    let anomaly = story.anomaly();
    assert_eq!(anomaly["kind"], "throttling");
    assert_eq!(anomaly["evidence"]["best_mhz"], 1400.0);
    assert_eq!(anomaly["evidence"]["worst_mhz"], 1100.0);
    let late = anomaly["ts"].as_f64().unwrap() - (BASE + 30.0);
    assert!((0.0..2.0).contains(&late), "told since it began, and not since it was sure: {late}");
    let mut story = Story::new();
    run(&mut story, 65.0);
    assert_eq!(story.anomalies(), Vec::<Value>::new(), "a cool GPU is slow for other reasons");
    let mut story = Story::new();
    story.set(json!({"thermal_level": 3}));
    story.pass(20.0);
    assert_eq!(story.anomaly()["evidence"]["thermal_level"], 3);
}

#[test]
fn a_gpu_that_is_idle_in_one_test_of_many_is_told() {
    let answered = || json!({"metrics": {"completion_tokens": 5}});
    let mut story = Story::new();
    story.test_with("busy", Some("m"), 4.0, answered(), |_, s| s["gpu_device_util"] = json!(85.0));
    story.pass(1.0);
    story.test("idle", Some("m"), 4.0, answered());
    story.test("asks nothing", Some("m"), 4.0, json!({}));
    story.test("another model", Some("n"), 4.0, answered());
    story.pass(1.0);
    let anomaly = story.anomaly();
    assert_eq!((&anomaly["kind"], &anomaly["tests"]), (&json!("gpu_idle"), &json!(["idle"])));
    // Where no test uses the GPU, none is expected to.
    let mut story = Story::new();
    story.test("a", Some("m"), 4.0, answered());
    story.test("b", Some("m"), 4.0, answered());
    assert_eq!(story.anomalies(), Vec::<Value>::new());
}

#[test]
fn a_gap_is_told_unless_the_machine_slept() {
    let mut story = Story::new();
    story.pass(10.0);
    story.seq += 20;
    story.now += 4.0;
    story.pass(10.0);
    let anomaly = story.anomaly();
    assert_eq!((&anomaly["kind"], &anomaly["severity"]), (&json!("sampler_gap"), &json!("info")));
    assert_eq!(anomaly["evidence"]["lost_s"], 4.2);
    let from = story.lines[52].1["ts"].as_f64().unwrap() - BASE - 4.2;
    story.line(
        "anomaly",
        from,
        json!({"kind": "sleep", "severity": "info", "end_ts": at(from + 4.1), "message": "slept"}),
    );
    assert_eq!(story.anomalies(), Vec::<Value>::new());

    let mut story = Story::new();
    for _ in 0..20 {
        story.test("t", None, 2.0, json!({}));
        story.seq += 10;
        story.now += 2.0;
    }
    let anomaly = story.anomaly();
    assert_eq!(anomaly["evidence"]["gaps"], 19);
    assert!(anomaly["message"].as_str().unwrap().starts_with("19 gaps: "), "{anomaly}");
}

#[test]
fn a_clock_that_was_set_back_leaves_no_gap() {
    let jumped = |told: bool| {
        let mut story = Story::new();
        story.pass(30.0);
        if told {
            story.line(
                "anomaly",
                29.8 - 3600.0,
                json!({"kind": "clock_jump", "severity": "warn", "end_ts": at(30.0 - 3600.0),
                    "message": "the wall clock was set back by 3600.0 s before sample 150",
                    "evidence": {"jump_s": -3600.0, "awake_s": 0.2, "seq": 150}, "tests": []}),
            );
        }
        let before = story.lines.len();
        story.pass(30.0);
        for (_, line) in &mut story.lines[before..] {
            line["ts"] = json!(line["ts"].as_f64().unwrap() - 3600.0);
        }
        story.anomalies()
    };
    assert_eq!(jumped(false).len(), 1);
    assert_eq!(jumped(true), Vec::<Value>::new());
}

#[test]
fn a_sampler_that_keeps_few_of_its_deadlines_is_told() {
    let mut story = Story::new();
    story.pass_with(60.0, |_, sample| {
        sample.insert("missed".into(), json!(2));
    });
    assert_eq!(story.anomaly()["evidence"], json!({"samples": 300, "missed": 600}));
}

#[test]
fn load_from_outside_is_told() {
    let mut story = Story::new();
    story.pass(10.0);
    story.set(json!({"cpu_user": 80.0}));
    story.test("disturbed", None, 8.0, json!({"runs": [{}]}));
    story.set(json!({"cpu_user": 30.0}));
    story.pass(10.0);
    let found = story.anomalies();
    let kinds: Vec<&Value> = found.iter().map(|anomaly| &anomaly["kind"]).collect();
    assert_eq!(kinds, ["interference", "suspect_measurement"]);
    assert_eq!(found[0]["evidence"]["outside_max_pct"], 52.0);
    assert_eq!(found[1]["evidence"]["reasons"], json!(["other programs used the CPU"]));
}

#[test]
fn load_before_the_first_test_is_told_where_it_cannot_be_the_command() {
    let mut story = Story::new();
    story.set(json!({"cpu_user": 60.0}));
    story.machine.remove("tree_cpu_pct");
    story.pass(10.0);
    story.set(json!({"cpu_user": 5.0}));
    story.test("t", None, 3.0, json!({}));
    assert_eq!(story.anomalies(), Vec::<Value>::new(), "the command may have been busy itself");
    story.lines[0].1.as_object_mut().unwrap().remove("command");
    let anomaly = story.anomaly();
    assert_eq!(anomaly["message"], "the CPU was 63 % busy in the 10 s before the first test");
}
