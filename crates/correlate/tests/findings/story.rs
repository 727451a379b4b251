//! A run that is made up, and what correlate finds in it.

use correlate::{Fate, Join, Thresholds};
use serde_json::{Map, Value, json};

pub(crate) const BASE: f64 = 1_770_000_000.0;

pub(crate) const INTERVAL: f64 = 0.2;

pub(crate) fn at(seconds: f64) -> f64 {
    records::round(BASE + seconds, 6)
}

/// A run that is being made up: lines with the time at which they were written.
pub(crate) struct Story {
    pub(crate) lines: Vec<(f64, Value)>,
    pub(crate) seq: u64,
    pub(crate) now: f64,
    /// What each sample has, unless told otherwise.
    pub(crate) machine: Map<String, Value>,
    pub(crate) noise: Vec<f64>,
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Story {
    pub(crate) fn new() -> Story {
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

    pub(crate) fn line(&mut self, record: &str, ts: f64, rest: Value) {
        let mut line =
            object(json!({"record": record, "v": 1, "ts": at(ts), "run": "r", "host": "h"}));
        line.extend(object(rest));
        self.lines.push((self.now, Value::Object(line)));
    }

    pub(crate) fn set(&mut self, changed: Value) {
        self.machine.extend(object(changed));
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.machine[name].as_f64().unwrap()
    }

    /// Memory that is taken, from all that it shows in.
    pub(crate) fn take(&mut self, gb: f64) {
        self.set(json!({
            "ram_used_gb": self.number("ram_used_gb") + gb,
            "ram_free_gb": self.number("ram_free_gb") - gb,
            "tree_rss_gb": self.number("tree_rss_gb") + gb,
        }));
    }

    /// Samples for that long.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.pass_with(seconds, |_, _| {});
    }

    pub(crate) fn pass_with(
        &mut self,
        seconds: f64,
        mut change: impl FnMut(f64, &mut Map<String, Value>),
    ) {
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

    pub(crate) fn params(model: &str) -> Value {
        json!({"backend": "llama", "model": model})
    }

    pub(crate) fn begin(&mut self, rest: Value) -> f64 {
        self.line("begin", self.now, rest);
        self.now
    }

    pub(crate) fn load(&mut self, model: &str, gb: f64, seconds: f64) {
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

    pub(crate) fn stop(&mut self, model: &str, gives_back: f64) {
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

    pub(crate) fn test(&mut self, id: &str, model: Option<&str>, seconds: f64, rest: Value) {
        self.test_with(id, model, seconds, rest, |_, _| {});
    }

    pub(crate) fn test_with(
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
    pub(crate) fn soak(&mut self, models: &[&str], leak_gb: f64) {
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

    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines.iter().map(|(_, line)| line.to_string()).collect()
    }

    pub(crate) fn found(&self) -> Vec<Value> {
        found_in(&[self.texts()], Thresholds::default())
    }

    pub(crate) fn anomalies(&self) -> Vec<Value> {
        of_kind(&self.found(), "anomaly")
    }

    /// The one anomaly that there is.
    pub(crate) fn anomaly(&self) -> Value {
        let mut all = self.anomalies();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

pub(crate) fn of_kind(found: &[Value], record: &str) -> Vec<Value> {
    found.iter().filter(|line| line["record"] == record).cloned().collect()
}

pub(crate) fn joined(files: &[Vec<String>], thresholds: Thresholds) -> (Vec<Value>, Vec<Value>) {
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

pub(crate) fn found_in(files: &[Vec<String>], thresholds: Thresholds) -> Vec<Value> {
    joined(files, thresholds).1
}
