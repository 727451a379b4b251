//! What correlate finds out beyond the join, from streams as they come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use correlate::{Fate, Join, Thresholds};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const BASE: f64 = 1_770_000_000.0;
const INTERVAL: f64 = 0.2;

fn at(seconds: f64) -> f64 {
    records::round(BASE + seconds, 6)
}

/// A run that is being made up: lines with the time at which they were written.
struct Story {
    lines: Vec<(f64, Value)>,
    seq: u64,
    now: f64,
    /// What each sample has, unless told otherwise.
    machine: Map<String, Value>,
    noise: Vec<f64>,
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Story {
    fn new() -> Story {
        let machine = json!({
            "ram_total_gb": 64.0, "ram_free_gb": 50.0, "ram_used_gb": 14.0, "swap_used_mb": 20.0,
            "memory_pressure": 1, "zombies": 0, "cpu_user": 30.0, "cpu_sys": 3.0, "cpu_idle": 67.0,
            "tree_cpu_pct": 31.0, "tree_rss_gb": 0.05, "gpu_device_util": 2.0, "thermal_level": 0,
        });
        let mut story = Story {
            lines: Vec::new(),
            seq: 0,
            now: 0.0,
            machine: object(machine),
            noise: vec![0.0],
        };
        story.line("stream", 0.0, json!({"interval_ms": INTERVAL * 1e3, "command": ["runner"]}));
        story.line("run_start", 0.0, json!({}));
        story
    }

    fn line(&mut self, record: &str, ts: f64, rest: Value) {
        let mut line =
            object(json!({"record": record, "v": 1, "ts": at(ts), "run": "r", "host": "h"}));
        line.extend(object(rest));
        self.lines.push((self.now, Value::Object(line)));
    }

    fn set(&mut self, changed: Value) {
        self.machine.extend(object(changed));
    }

    fn number(&self, name: &str) -> f64 {
        self.machine[name].as_f64().unwrap()
    }

    /// Memory that is taken, from all that it shows in.
    fn take(&mut self, gb: f64) {
        self.set(json!({
            "ram_used_gb": self.number("ram_used_gb") + gb,
            "ram_free_gb": self.number("ram_free_gb") - gb,
            "tree_rss_gb": self.number("tree_rss_gb") + gb,
        }));
    }

    /// Samples for that long.
    fn pass(&mut self, seconds: f64) {
        self.pass_with(seconds, |_, _| {});
    }

    fn pass_with(&mut self, seconds: f64, mut change: impl FnMut(f64, &mut Map<String, Value>)) {
        let until = self.now + seconds;
        while (self.seq as f64) * INTERVAL < until {
            let ts = self.seq as f64 * INTERVAL;
            self.now = self.now.max(ts);
            let mut sample = self.machine.clone();
            let noise = self.noise[self.seq as usize % self.noise.len()];
            for (name, scale) in [
                ("ram_used_gb", 0.05),
                ("ram_free_gb", -0.05),
                ("cpu_user", 5.0),
                ("tree_cpu_pct", 5.0),
            ] {
                if let Some(value) = sample.get(name).and_then(Value::as_f64) {
                    sample[name] = json!(records::round((value + noise * scale).max(0.0), 3));
                }
            }
            change(ts, &mut sample);
            sample.extend(object(json!({"seq": self.seq, "elapsed_s": ts})));
            self.seq += 1;
            self.line("sample", ts, Value::Object(sample));
        }
        self.now = until;
    }

    fn params(model: &str) -> Value {
        json!({"backend": "llama", "model": model})
    }

    fn begin(&mut self, rest: Value) -> f64 {
        self.line("begin", self.now, rest);
        self.now
    }

    fn load(&mut self, model: &str, gb: f64, seconds: f64) {
        let params = Story::params(model);
        let start = self.begin(json!({"phase": "load", "params": params}));
        self.pass(seconds / 2.0);
        self.take(gb);
        self.pass(seconds / 2.0);
        let end = self.now;
        self.line(
            "span",
            start,
            json!({"phase": "load", "params": params, "end_ts": at(end),
            "duration_s": seconds}),
        );
    }

    fn stop(&mut self, model: &str, gives_back: f64) {
        let params = Story::params(model);
        let start = self.begin(json!({"phase": "stop", "params": params}));
        self.take(-gives_back);
        self.now += 0.01;
        let end = self.now;
        self.line(
            "span",
            start,
            json!({"phase": "stop", "params": params, "end_ts": at(end),
            "duration_s": 0.01}),
        );
    }

    fn test(&mut self, id: &str, model: Option<&str>, seconds: f64, rest: Value) {
        self.test_with(id, model, seconds, rest, |_, _| {});
    }

    fn test_with(
        &mut self,
        id: &str,
        model: Option<&str>,
        seconds: f64,
        rest: Value,
        change: impl FnMut(f64, &mut Map<String, Value>),
    ) {
        let params = model.map_or(json!({}), Story::params);
        let start = self.begin(json!({"id": id, "params": params}));
        self.pass_with(seconds, change);
        let end = self.now;
        let mut test = object(json!({"id": id, "suite": "s", "case": id, "params": params,
            "outcome": "passed", "end_ts": at(end), "duration_s": seconds}));
        test.extend(object(rest));
        self.line("test", start, Value::Object(test));
    }

    /// Each load, its tests and its unload, of models in that order.
    fn soak(&mut self, models: &[&str], leak_gb: f64) {
        for (at, model) in models.iter().enumerate() {
            let gb = 2.0 + model.len() as f64;
            self.load(model, gb, 3.0);
            for test in 0..3 {
                self.set(json!({"cpu_user": 92.0, "tree_cpu_pct": 93.0, "gpu_device_util": 80.0}));
                let rest = json!({"model": {"id": model, "size_gb": 1.9},
                    "metrics": {"completion_tokens": 16}, "runs": [{"e2e_s": 1}]});
                self.test(&format!("t{at}.{test}"), Some(model), 4.0, rest);
                self.set(json!({"cpu_user": 30.0, "tree_cpu_pct": 31.0, "gpu_device_util": 2.0}));
            }
            self.stop(model, gb - leak_gb);
            self.pass(1.0);
        }
    }

    fn texts(&self) -> Vec<String> {
        self.lines.iter().map(|(_, line)| line.to_string()).collect()
    }

    fn found(&self) -> Vec<Value> {
        found_in(&[self.texts()], Thresholds::default())
    }

    fn anomalies(&self) -> Vec<Value> {
        of_kind(&self.found(), "anomaly")
    }

    /// The one anomaly that there is.
    fn anomaly(&self) -> Value {
        let mut all = self.anomalies();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

fn of_kind(found: &[Value], record: &str) -> Vec<Value> {
    found.iter().filter(|line| line["record"] == record).cloned().collect()
}

fn joined(files: &[Vec<String>], thresholds: Thresholds) -> (Vec<Value>, Vec<Value>) {
    let mut join = Join::new(files.len()).with_thresholds(thresholds);
    let mut out = Vec::new();
    for (input, file) in files.iter().enumerate() {
        for line in file {
            let fate =
                join.push(line.as_bytes(), &records::classify(line.as_bytes()), input).unwrap();
            if fate == Fate::PassOn {
                out.push(line.clone().into_bytes());
            }
        }
    }
    join.finish();
    while let Some((_, line)) = join.next_joined() {
        out.push(line);
    }
    let read = |line: &Vec<u8>| serde_json::from_slice::<Value>(line).unwrap();
    let found = join.findings();
    (out.iter().map(read).collect(), found.iter().map(read).collect())
}

fn found_in(files: &[Vec<String>], thresholds: Thresholds) -> Vec<Value> {
    joined(files, thresholds).1
}

#[test]
fn a_model_life_tells_what_it_took_and_gave_back_and_what_ran_on_it() {
    let mut story = Story::new();
    story.pass(2.0);
    story.load("abc", 5.0, 3.0);
    let rest = json!({"model": {"id": "abc", "size_gb": 4.4}});
    story.test_with("t1", Some("abc"), 2.0, rest, |ts, sample| {
        if (6.0..6.5).contains(&ts) {
            sample["tree_rss_gb"] = json!(6.55);
        }
    });
    story.test("no model", None, 2.0, json!({}));
    story.stop("abc", 4.8);
    story.pass(2.0);
    let found = story.found();
    let lives = of_kind(&found, "model_life");
    assert_eq!(lives.len(), 1);
    let life = &lives[0];
    assert_eq!(
        (life["ts"].as_f64().unwrap(), life["end_ts"].as_f64().unwrap()),
        (at(2.0), at(9.01))
    );
    assert_eq!(life["params"], Story::params("abc"));
    assert_eq!((&life["memory_series"], &life["before_gb"]), (&json!("tree_rss_gb"), &json!(0.05)));
    assert_eq!((&life["disk_gb"], &life["model_delta_gb"]), (&json!(4.4), &json!(5.0)));
    assert_eq!((&life["peak_gb"], &life["not_returned_gb"]), (&json!(6.5), &json!(0.2)));
    assert_eq!((&life["load_s"], &life["tests"]), (&json!(3.0), &json!(["t1"])));
    assert_eq!(life["unnamed_tests"], json!(["no model"]));
    assert!(life.get("inferred").is_none() && life.get("gpu_delta_gb").is_none());
    assert_eq!(of_kind(&found, "anomaly"), Vec::<Value>::new());

    let (lines, _) = joined(&[story.texts()], Thresholds::default());
    let delta = |what: &str| {
        let is = |line: &&Value| {
            line["record"] == "test" && line["id"] == what
                || line["record"] == "span" && line["phase"] == what
        };
        lines.iter().find(is).unwrap()["model_delta_gb"].clone()
    };
    assert_eq!((delta("load"), delta("t1")), (json!(5.0), json!(5.0)));
    assert_eq!((delta("stop"), delta("no model")), (Value::Null, Value::Null));
}

#[test]
fn memory_of_a_discrete_gpu_counts() {
    let mut story = Story::new();
    story.set(json!({"gpu_mem_used_gb": 1.0}));
    story.pass(2.0);
    let start = story.begin(json!({"phase": "load", "params": Story::params("m")}));
    story.take(0.5);
    story.set(json!({"gpu_mem_used_gb": 9.0}));
    story.pass(2.0);
    let end = story.now;
    story.line(
        "span",
        start,
        json!({"phase": "load", "params": Story::params("m"),
        "end_ts": at(end), "duration_s": 2.0}),
    );
    story.pass(1.0);
    let life = of_kind(&story.found(), "model_life").remove(0);
    assert_eq!(life["memory_series"], "tree_rss_gb + gpu_mem_used_gb");
    assert_eq!((&life["model_delta_gb"], &life["gpu_delta_gb"]), (&json!(8.5), &json!(8.0)));
    assert!(life.get("not_returned_gb").is_none(), "it was never unloaded");
}

#[test]
fn advice_tells_what_loading_cost_and_the_order_that_loads_each_model_once() {
    let mut story = Story::new();
    story.soak(&["a", "b", "a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["loads"], &advice["models"]), (&json!(4), &json!(2)));
    assert_eq!((&advice["load_s"], &advice["saves_s"]), (&json!(12.0), &json!(6.0)));
    assert_eq!(
        advice["message"],
        "4 loads of 2 models in 12.0 s: loading each once would have saved 6.0 s"
    );
    let order: Vec<&str> =
        advice["order"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let want = [
        "t0.0", "t0.1", "t0.2", "t2.0", "t2.1", "t2.2", "t1.0", "t1.1", "t1.2", "t3.0", "t3.1",
        "t3.2",
    ];
    assert_eq!(order, want);

    let mut story = Story::new();
    story.soak(&["a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["saves_s"], &advice["order"]), (&json!(0.0), &json!([])));

    // An order that was kept already is no advice.
    let mut story = Story::new();
    story.soak(&["a", "a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["saves_s"], &advice["order"]), (&json!(3.0), &json!([])));
    let message = advice["message"].as_str().unwrap();
    assert!(message.ends_with("saved 3.0 s; the order of the cases was not the reason"));
}

#[test]
fn a_server_that_was_there_before_gets_no_advice() {
    let mut story = Story::new();
    for (at, model) in ["a", "b", "a", "b"].iter().enumerate() {
        story.test(&format!("t{at}"), Some(model), 2.0, json!({}));
    }
    assert_eq!(story.found(), Vec::<Value>::new());
    // Where nobody says what is loaded, a change of the model is a load.
    story.lines.retain(|(_, line)| line["record"] != "run_start");
    assert_eq!(of_kind(&story.found(), "advice")[0]["loads"], 4);
}

#[test]
fn models_in_memory_at_once_share_what_nobody_can_tell_apart() {
    let mut story = Story::new();
    story.pass(5.0);
    story.load("a", 4.0, 2.0);
    story.load("b", 3.0, 2.0);
    story.test("x", Some("a"), 3.0, json!({}));
    story.stop("a", 4.0);
    story.pass(2.0);
    story.stop("b", 3.0);
    story.pass(2.0);
    story.load("c", 1.0, 2.0);
    story.test("z", Some("c"), 3.0, json!({}));
    story.stop("c", 1.0);
    story.pass(4.0);
    let lives = of_kind(&story.found(), "model_life");
    let told = |name: &str| lives.iter().map(|life| life[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("model_delta_gb"), [json!(4.0), json!(3.0), json!(1.0)]);
    assert_eq!(told("peak_gb"), [Value::Null, Value::Null, json!(1.0)]);
    assert_eq!(told("not_returned_gb"), [Value::Null, Value::Null, json!(0.0)]);
}

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

#[test]
fn a_model_of_which_no_span_tells_is_found_in_the_samples() {
    let mut story = Story::new();
    story.machine.remove("tree_rss_gb");
    story.machine.insert("tree_rss_gb".into(), json!(0.05));
    story.test("without", None, 10.0, json!({}));
    story.take(6.0);
    story.test("server", None, 20.0, json!({}));
    story.take(-5.9);
    story.test("gone", None, 10.0, json!({}));
    let found = story.found();
    let life = &of_kind(&found, "model_life")[0];
    assert_eq!((&life["inferred"], &life["params"]), (&json!(true), &json!({})));
    assert_eq!((&life["model_delta_gb"], &life["not_returned_gb"]), (&json!(6.0), &json!(0.1)));
    assert_eq!(life["unnamed_tests"], json!(["server"]));
    let anomaly = &of_kind(&found, "anomaly")[0];
    assert_eq!(
        (&anomaly["kind"], &anomaly["tests"]),
        (&json!("unnamed_model"), &json!(["server"]))
    );
}

#[test]
fn an_inferred_life_bears_the_name_that_its_tests_agree_on() {
    let mut story = Story::new();
    story.pass(10.0);
    story.take(6.0);
    story.test("t", Some("m"), 20.0, json!({"model": {"id": "m", "size_gb": 5.5}}));
    story.take(-6.0);
    story.pass(10.0);
    let found = story.found();
    let life = &of_kind(&found, "model_life")[0];
    assert_eq!((&life["params"], &life["disk_gb"]), (&Story::params("m"), &json!(5.5)));
    assert_eq!((&life["tests"], of_kind(&found, "anomaly").len()), (&json!(["t"]), 0));
}

/// A run with something of everything in it.
fn eventful() -> Story {
    let mut story = Story::new();
    story.noise = vec![0.3, -0.8, 0.1, 0.9, -0.2, -0.5, 0.7];
    story.soak(&["a", "bb", "a", "bb", "a"], 0.3);
    story.set(json!({"memory_pressure": 2, "swap_used_mb": 400.0, "zombies": 1}));
    story.test("late", None, 15.0, json!({"runs": [{}]}));
    story.set(json!({"memory_pressure": 1, "zombies": 0}));
    story.pass(3.0);
    story.seq += 30;
    story.now += 6.0;
    story.pass(3.0);
    story
}

#[test]
fn the_order_in_which_lines_come_changes_no_finding() {
    let story = eventful();
    let want = story.found();
    assert!(want.len() > 8, "{want:#?}");
    let is_sample = |line: &&String| {
        line.contains(r#""record":"sample""#) || line.contains(r#""record":"stream""#)
    };
    let samples: Vec<String> = story.texts().iter().filter(is_sample).cloned().collect();
    let rest: Vec<String> = story.texts().iter().filter(|line| !is_sample(line)).cloned().collect();
    let find = |files: &[Vec<String>]| found_in(files, Thresholds::default());
    assert_eq!(find(&[samples.clone(), rest.clone()]), want);
    assert_eq!(find(&[rest.clone(), samples.clone()]), want);
    let backwards: Vec<String> = samples.iter().rev().cloned().collect();
    assert_eq!(find(&[rest, backwards]), want);
}

#[test]
fn lines_that_come_twice_tell_of_one_thing() {
    let (lines, want) = joined(&[eventful().texts()], Thresholds::default());
    let find = |texts: Vec<String>| {
        let (mut lines, found) = joined(&[texts], Thresholds::default());
        lines.sort_by_key(Value::to_string);
        lines.dedup();
        (lines.len(), found)
    };
    let twice = eventful().texts().iter().flat_map(|l| [l.clone(), l.clone()]).collect();
    assert_eq!(find(twice), (lines.len(), want.clone()));
    let again = [eventful().texts(), eventful().texts()].concat();
    assert_eq!(find(again), (lines.len(), want));
}

#[test]
fn joined_again_the_findings_are_the_same_and_stay_when_the_samples_are_gone() {
    let story = eventful();
    let (lines, found) = joined(&[story.texts()], Thresholds::default());
    let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let mut once = texts(&lines);
    once.extend(texts(&found));
    assert_eq!(found_in(&[once.clone()], Thresholds::default()), found);
    let without: Vec<String> =
        once.into_iter().filter(|line| !line.contains(r#""record":"sample""#)).collect();
    assert_eq!(found_in(&[without], Thresholds::default()), found);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nothing goes wrong in it but noise: of memory and CPU, in the times of loads, in
    /// zombies that are waited for, in swap that moves a little, in late samples.
    #[test]
    fn a_clean_soak_has_no_anomaly(
        noise in proptest::collection::vec(-1.0..1.0f64, 50..400),
        order in proptest::collection::vec(0usize..4, 1..14),
        drift_mb in -3.0..3.0f64,
        late in proptest::collection::vec(0u64..3000, 0..40),
    ) {
        let mut story = Story::new();
        story.noise = noise.clone();
        story.pass(5.0);
        let models: Vec<&str> = order.iter().map(|at| ["a", "bb", "ccc", "dddd"][*at]).collect();
        story.soak(&models, drift_mb / 1e3);
        for (at, (_, line)) in story.lines.iter_mut().enumerate() {
            if line["record"] == "sample" {
                let wave = noise[at % noise.len()];
                line["swap_used_mb"] = json!(records::round(20.0 + 30.0 * wave.abs(), 1));
                line["zombies"] = json!(u8::from(wave > 0.9));
                line["gpu_device_util"] = json!(line["gpu_device_util"].as_f64().unwrap() + wave);
            }
        }
        // Some samples were never taken: two in a row at most.
        let lines = story.texts();
        let is_sample = |line: &String| line.contains(r#""record":"sample""#);
        let count = lines.iter().filter(|line| is_sample(line)).count() as u64;
        let late: BTreeSet<u64> = late.iter().map(|at| at * 5 % count).collect();
        let gone = |at: u64| late.contains(&at) && !(1..=2).all(|by| late.contains(&at.wrapping_sub(by)));
        let mut at = 0;
        let taken = |line: &String| {
            at += u64::from(is_sample(line));
            !is_sample(line) || !gone(at - 1)
        };
        let lines: Vec<String> = lines.into_iter().filter(taken).collect();
        let found = found_in(&[lines], Thresholds::default());
        prop_assert_eq!(of_kind(&found, "anomaly"), Vec::<Value>::new());
        prop_assert_eq!(of_kind(&found, "model_life").len(), models.len());
    }
}
