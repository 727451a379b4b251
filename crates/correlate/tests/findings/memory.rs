//! Memory that leaks, swap, pressure, zombies, and a death when memory was short.

use correlate::Thresholds;
use serde_json::{Value, json};

use crate::story::{Story, at, found_in, of_kind};

#[test]
fn memory_that_rises_with_each_unload_is_a_leak() {
    let mut story = Story::new();
    story.noise = vec![0.3, -0.8, 0.1, 0.9, -0.2, -0.5, 0.7];
    story.soak(&["a", "b", "a", "b", "a", "b"], 0.3);
    let anomaly = story.anomaly();
    assert_eq!((&anomaly["kind"], &anomaly["severity"]), (&json!("leak"), &json!("warn")));
    let evidence = &anomaly["evidence"];
    assert_eq!(evidence["cycles"], 6);
    assert!((250.0..350.0).contains(&evidence["slope_mb"].as_f64().unwrap()), "{evidence}");
    assert!(evidence["confidence"].as_f64().unwrap() >= 0.9);
    // Of three unloads nobody can say; and who expects it, sets the threshold.
    let mut story = Story::new();
    story.soak(&["a", "b", "a"], 0.3);
    assert_eq!(story.anomalies(), Vec::<Value>::new());
    let mut story = Story::new();
    story.soak(&["a", "b", "a", "b", "a", "b"], 0.3);
    let thresholds = Thresholds { leak_mb: 400.0, ..Thresholds::default() };
    assert_eq!(of_kind(&found_in(&[story.texts()], thresholds), "anomaly"), Vec::<Value>::new());
}

#[test]
fn swap_that_grows_is_told_once_with_the_tests_and_measurements_that_it_touches() {
    let mut story = Story::new();
    story.test("before", Some("m"), 5.0, json!({"runs": [{}]}));
    story.test_with("during", Some("m"), 10.0, json!({"runs": [{}]}), |ts, sample| {
        sample["swap_used_mb"] = json!(20.0 + (ts - 5.0) * 30.0);
    });
    story.set(json!({"swap_used_mb": 320.0}));
    story.test("after", Some("m"), 90.0, json!({"runs": [{}]}));
    let found = story.anomalies();
    let kinds: Vec<&Value> = found.iter().map(|anomaly| &anomaly["kind"]).collect();
    assert_eq!(kinds, ["swap", "suspect_measurement"], "{found:#?}");
    assert_eq!((&found[0]["tests"], &found[1]["tests"]), (&json!(["during"]), &json!(["during"])));
    assert_eq!(found[0]["evidence"]["swap_from_mb"], 20.0);
    assert_eq!(found[0]["evidence"]["swap_to_mb"], 320.0);
    assert_eq!(found[0]["message"], "swap grew by 300 MB, to 320 MB");
    assert_eq!(found[1]["evidence"]["reasons"], json!(["swap grew"]));
}

#[test]
fn swap_that_creeps_or_was_there_is_no_anomaly() {
    let mut story = Story::new();
    story.pass_with(1200.0, |ts, sample| {
        sample["swap_used_mb"] = json!(5000.0 + ts * 0.5);
    });
    assert_eq!(story.anomalies(), Vec::<Value>::new());
}

#[test]
fn swap_is_told_to_a_tenth_of_a_megabyte() {
    let mut story = Story::new();
    story.pass_with(30.0, |ts, sample| sample["swap_used_mb"] = json!(20.0 + ts * 100.0 / 7.0));
    let evidence = story.anomaly()["evidence"].clone();
    assert_eq!(evidence, json!({"swap_from_mb": 20.0, "swap_to_mb": 445.7}));
}

#[test]
fn pressure_with_and_without_swap_are_told_apart() {
    let mut story = Story::new();
    story.pass(10.0);
    story.set(json!({"memory_pressure": 2}));
    story.pass(4.0);
    story.set(json!({"memory_pressure": 1}));
    story.pass(100.0);
    let anomaly = story.anomaly();
    assert_eq!(
        (&anomaly["kind"], &anomaly["severity"]),
        (&json!("pressure_without_swap"), &json!("warn"))
    );
    assert_eq!(anomaly["ts"].as_f64().unwrap(), at(10.0));
    story.set(json!({"memory_pressure": 4, "swap_used_mb": 900.0}));
    story.pass(4.0);
    story.set(json!({"memory_pressure": 1}));
    story.pass(10.0);
    let found = story.anomalies();
    assert_eq!(
        (&found[1]["kind"], &found[1]["severity"]),
        (&json!("swap_with_pressure"), &json!("critical"))
    );
    assert_eq!(found.len(), 2);
    // A flicker is none.
    let mut story = Story::new();
    story.pass_with(60.0, |ts, sample| {
        if (30.0..30.5).contains(&ts) {
            sample["memory_pressure"] = json!(2);
        }
    });
    assert_eq!(story.anomalies(), Vec::<Value>::new());
}

#[test]
fn pressure_that_was_critical_for_a_moment_was_not_critical_all_the_time() {
    let mut story = Story::new();
    story.pass(5.0);
    story.set(json!({"memory_pressure": 2}));
    story.pass(8.0);
    story.set(json!({"memory_pressure": 4}));
    story.pass(2.0);
    story.set(json!({"memory_pressure": 1}));
    story.pass(10.0);
    let anomaly = story.anomaly();
    assert_eq!(anomaly["severity"], "critical");
    assert_eq!(
        anomaly["message"],
        "memory pressure was above normal for 9.8 s (critical at its worst), and swap did not grow"
    );
}

#[test]
fn zombies_that_stay_are_told_and_those_that_are_waited_for_are_not() {
    let mut story = Story::new();
    story.pass_with(60.0, |ts, sample| {
        sample.remove("zombies");
        if ts.fract() < 0.1 {
            sample.insert("zombies".into(), json!(if (20.0..40.0).contains(&ts) { 3 } else { 0 }));
        }
    });
    let anomaly = story.anomaly();
    assert_eq!((&anomaly["kind"], &anomaly["evidence"]["zombies"]), (&json!("zombies"), &json!(3)));
    assert_eq!(anomaly["severity"], "warn");
    let mut story = Story::new();
    story.pass_with(60.0, |ts, sample| sample["zombies"] = json!(u8::from(ts % 10.0 < 2.0)));
    assert_eq!(story.anomalies(), Vec::<Value>::new());
    let mut story = Story::new();
    story.set(json!({"zombies": 2}));
    story.pass(60.0);
    assert_eq!(story.anomaly()["severity"], "info", "they are not ours");
}

#[test]
fn zombies_that_come_again_are_not_those_from_the_beginning() {
    let mut story = Story::new();
    story.set(json!({"zombies": 1}));
    story.pass(20.0);
    story.set(json!({"zombies": 0}));
    story.pass(20.0);
    story.set(json!({"zombies": 1}));
    story.pass(20.0);
    story.set(json!({"zombies": 0}));
    story.pass(5.0);
    let found = story.anomalies();
    let severities: Vec<&Value> = found.iter().map(|line| &line["severity"]).collect();
    assert_eq!(severities, [&json!("info"), &json!("warn")]);
    // More of them than there were: both numbers.
    let mut story = Story::new();
    story.set(json!({"zombies": 3}));
    story.pass(20.0);
    story.set(json!({"zombies": 5}));
    story.pass(20.0);
    assert!(story.anomaly()["message"].as_str().unwrap().starts_with("3 to 5 zombie processes"));
}

#[test]
fn what_happens_many_times_is_told_in_one_line() {
    let tense = |times: usize| {
        let mut story = Story::new();
        story.pass(5.0);
        for at in 0..times {
            story.set(json!({"memory_pressure": if at == 3 { 4 } else { 2 }}));
            story.test(&format!("t{at}"), None, 4.0, json!({}));
            story.set(json!({"memory_pressure": 1}));
            story.pass(16.0);
        }
        story.anomalies()
    };
    assert_eq!(tense(5).len(), 5);
    let found = tense(30);
    let [all] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(
        (&all["kind"], &all["severity"]),
        (&json!("pressure_without_swap"), &json!("critical"))
    );
    assert_eq!(
        (&all["evidence"]["times"], &all["evidence"]["in_all_s"]),
        (&json!(30), &json!(114.0))
    );
    assert_eq!((all["ts"].as_f64(), all["end_ts"].as_f64()), (Some(at(5.0)), Some(at(588.8))));
    assert_eq!(all["tests"].as_array().unwrap().len(), 30);
    assert!(all["message"].as_str().unwrap().starts_with("30 times, 114.0 s in all, such as: "));

    // Backends that are killed are told by the same rule.
    let mut story = Story::new();
    for at in 0..8 {
        let error = json!({"kind": "backend_died", "signal": 9, "message": "killed",
            "memory": {"ram_free_gb": 0.3}});
        story.test(&format!("t{at}"), Some("m"), 3.0, json!({"outcome": "error", "error": error}));
        story.pass(10.0);
    }
    let killed = story.anomaly();
    assert_eq!(
        (&killed["kind"], &killed["evidence"]["times"]),
        (&json!("crash_under_pressure"), &json!(8))
    );
}

#[test]
fn a_backend_that_is_killed_while_memory_is_short_is_told_once() {
    let error = json!({"kind": "backend_died", "message": "llama-server died", "signal": 9,
        "memory": {"ram_free_gb": 0.3, "swap_used_mb": 2048.0, "memory_pressure": 4}});
    let mut story = Story::new();
    story.load("m", 5.0, 2.0);
    story.test("dies", Some("m"), 3.0, json!({"outcome": "error", "error": error}));
    let params = Story::params("m");
    let start = story.now - 3.0;
    story.line(
        "span",
        start,
        json!({"phase": "test", "params": params, "end_ts": at(start + 3.0),
        "duration_s": 3.0, "error": error}),
    );
    story.pass(2.0);
    let anomaly = story.anomaly();
    assert_eq!(
        (&anomaly["kind"], &anomaly["severity"]),
        (&json!("crash_under_pressure"), &json!("critical"))
    );
    assert_eq!(anomaly["tests"], json!(["dies"]));
    assert_eq!(anomaly["evidence"]["ram_free_gb"], 0.3);
    assert_eq!(
        anomaly["message"],
        "llama with m was killed with 0.3 GB free, 2048 MB of swap in use, pressure critical"
    );
    // A death with memory to spare is a failure, and no matter of the machine.
    let mut story = Story::new();
    let error = json!({"kind": "backend_died", "message": "died", "signal": 11});
    story.test("dies", Some("m"), 3.0, json!({"outcome": "error", "error": error}));
    story.pass(2.0);
    assert_eq!(story.anomalies(), Vec::<Value>::new());
}
