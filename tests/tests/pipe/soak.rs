//! memmon for a long time beside a real model, at 5 ms: what it says in its summary is
//! what its lines add up to, and no deadline passed without being counted.
//!
//! Ten seconds by default; `SOAK_S=600 cargo test --release -p testing soak` is the
//! whole of it, and prints its figures.

use std::{collections::BTreeMap, env, io::Write as _};

use serde_json::Value;

use crate::tools::{backend, read, shell, stderr, tool};

const INTERVAL_MS: f64 = 5.0;
/// Fields of a sample that tell of the sampling and have no place in `series`.
const OF_THE_SAMPLING: [&str; 7] = ["v", "ts", "seq", "elapsed_s", "read_us", "late_us", "missed"];

#[test]
fn the_summary_of_a_long_run_beside_a_real_model_is_what_its_lines_add_up_to() {
    backend();
    let seconds: u32 = env::var("SOAK_S").map_or(10, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    // Each time a run of its own: in one run a test has one result.
    let output = shell(&format!(
        "memmon -i {INTERVAL_MS} -- bash -c 'while ((SECONDS < {seconds})); do \
         env -u MEMMON_RUN runner examples/smoke.toml --state-dir {out}/state || exit; done' > {out}/run.jsonl"
    ))
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));

    let path = folder.path().join("run.jsonl");
    assert!(tool("validate").arg(&path).status().unwrap().success());
    let lines = read(&path);
    let of = |kind: &str| lines.iter().filter(|l| l["record"] == kind).collect::<Vec<&Value>>();
    let samples = of("sample");
    let summary = of("summary")[0];
    assert!(!of("run_end").is_empty() && of("run_start").len() == of("run_end").len());
    assert!(of("test").iter().all(|test| test["outcome"] == "passed"));

    deadlines_are_used_or_counted(&samples, summary);
    series_add_up(&samples, &summary["series"]);
    intervals_are_as_said(&samples, &summary["achieved"]);
    if seconds > 10 {
        let all = summary["samples"].as_f64().unwrap() + summary["missed"].as_f64().unwrap();
        let _ = writeln!(
            std::io::stderr(),
            "{} s: {} samples, {} of {all} deadlines missed, {} runs of the suite, {} {}",
            summary["duration_s"],
            summary["samples"],
            summary["missed"],
            of("run_end").len(),
            summary["achieved"],
            summary["self"]
        );
    }
}

fn deadlines_are_used_or_counted(samples: &[&Value], summary: &Value) {
    let (mut used, mut missed, mut last) = (0, 0, -1);
    for (index, sample) in samples.iter().enumerate() {
        assert_eq!(sample["seq"], index);
        let said = sample["missed"].as_i64().unwrap_or(0);
        missed += said;
        // One beside the grid is taken when the command has ended.
        let Some(late_us) = sample["late_us"].as_f64() else {
            assert_eq!((index + 1, said), (samples.len(), 0));
            continue;
        };
        let at_ms = (sample["elapsed_s"].as_f64().unwrap() * 1e6 - late_us) / 1e3;
        let point = (at_ms / INTERVAL_MS).round();
        assert!((at_ms - point * INTERVAL_MS).abs() <= 0.002, "{sample} is off the grid");
        assert_eq!(point as i64 - last - 1, said, "{sample}");
        last = point as i64;
        used += 1;
    }
    assert_eq!(used + missed, last + 1);
    assert_eq!(summary["samples"], samples.len());
    assert_eq!(summary["missed"], missed);
}

fn series_add_up(samples: &[&Value], said: &Value) {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        for (name, value) in sample.as_object().unwrap() {
            if let Some(value) =
                value.as_f64().filter(|_| !OF_THE_SAMPLING.contains(&name.as_str()))
            {
                values.entry(name).or_default().push(value);
            }
        }
    }
    let said = said.as_object().unwrap();
    assert!(said.keys().eq(values.keys()), "{:?} and {:?}", said.keys(), values.keys());
    for (name, values) in values {
        let get = |key: &str| said[name][key].as_f64().unwrap();
        assert_eq!(get("min"), values.iter().copied().fold(f64::INFINITY, f64::min), "{name}");
        assert_eq!(get("max"), values.iter().copied().fold(f64::NEG_INFINITY, f64::max), "{name}");
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((get("mean") - mean).abs() <= 1e-12 * mean.abs(), "{name}");
    }
}

fn intervals_are_as_said(samples: &[&Value], said: &Value) {
    let at_ms: Vec<f64> =
        samples.iter().map(|sample| sample["elapsed_s"].as_f64().unwrap() * 1e3).collect();
    let mut intervals: Vec<f64> = at_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_by(f64::total_cmp);
    let rank = |q: f64| intervals[(q * intervals.len() as f64).ceil() as usize - 1];
    let get = |key: &str| said[key].as_f64().unwrap();
    let mean = (at_ms.last().unwrap() - at_ms[0]) / intervals.len() as f64;
    assert!((get("mean_ms") - mean).abs() < 1e-6, "{said} {mean}");
    assert!((get("max_ms") - rank(1.0)).abs() < 1e-6, "{said}");
    // The histogram keeps three digits.
    for (key, q) in [("median_ms", 0.5), ("p99_ms", 0.99)] {
        assert!((get(key) - rank(q)).abs() <= 0.001 * rank(q) + 0.002, "{said} {}", rank(q));
    }
}
