//! What was measured again: in the same run, in another, on another host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use serde_json::{Value, json};

/// A bench that generated `speeds` tokens per second.
fn bench(run: &str, host: &str, backend: &str, ts: f64, speeds: &[f64]) -> Value {
    let n = speeds.len() as f64;
    let mean = speeds.iter().sum::<f64>() / n;
    let sd = (speeds.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    json!({"record": "test", "v": 1, "ts": ts, "run": run, "host": host, "outcome": "passed",
        "id": format!("s::b[{backend},m]"), "suite": "s", "case": "b",
        "params": {"backend": backend, "model": "m"},
        "protocol": {"kind": "bench", "repetitions": speeds.len(), "max_tokens": 8},
        "metrics": {"generation_tps":
            {"mean": mean, "sd": sd, "n": speeds.len(), "min": mean, "median": mean, "max": mean}}})
}

fn reportgen(tests: &[Value], format: &str) -> String {
    let lines: Vec<String> = tests.iter().map(Value::to_string).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    let output = testing::fed(command.args(["-f", format]), lines.join("\n").as_bytes());
    String::from_utf8(output.stdout).unwrap()
}

fn fastest(tests: &[Value]) -> Vec<(String, String, f64)> {
    let report: Value = serde_json::from_str(&reportgen(tests, "json")).unwrap();
    let rows = report["tables"]["fastest"].as_array().cloned().unwrap_or_default();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| (text(row, "fastest"), text(row, "next"), row["factor"].as_f64().unwrap()))
        .collect()
}

const FAST: [f64; 3] = [40.0, 40.1, 39.9];
const SLOW: [f64; 3] = [20.0, 20.1, 19.9];

#[test]
fn in_one_run_each_time_has_its_row_and_date_and_the_last_counts() {
    let tests = [
        bench("r", "h", "a", 0.0, &FAST),
        bench("r", "h", "b", 3600.0, &SLOW),
        bench("r", "h", "a", 7200.0, &[10.0, 10.1, 9.9]),
    ];
    assert_eq!(fastest(&tests), [("b".to_owned(), "a".to_owned(), 2.0)]);
    let report = reportgen(&tests, "md");
    assert!(report.contains("`b` is fastest, 2.00 × `a`"), "{report}");
    for date in ["1970-01-01 00:00", "1970-01-01 02:00"] {
        assert!(report.contains(&format!("s::b[a,m], began {date}:")), "{date} {report}");
        let rows = report.lines().filter(|line| line.starts_with("| ") && line.contains(date));
        assert_eq!(rows.count(), 2, "one in all benches and one in those of the model: {report}");
    }
    assert!(report.contains("One was measured before on the same backend"), "{report}");
}

#[test]
fn what_died_the_second_time_keeps_the_figures_of_the_first() {
    let mut died = bench("q", "h", "a", 7200.0, &FAST);
    died["outcome"] = "error".into();
    died["error"] = json!({"kind": "backend_died", "message": "server died"});
    let tests = [bench("r", "h", "a", 0.0, &FAST), bench("r", "h", "b", 1.0, &SLOW), died];
    assert_eq!(fastest(&tests), [("a".to_owned(), "b".to_owned(), 2.0)]);
    let report = reportgen(&tests, "md");
    assert!(report.contains("ERROR: server died"), "{report}");
}

#[test]
fn other_hosts_and_other_ways_of_measuring_are_not_compared() {
    let mut longer = bench("q", "h", "b", 1.0, &SLOW);
    longer["protocol"]["max_tokens"] = 128.into();
    assert_eq!(fastest(&[bench("r", "h", "a", 0.0, &FAST), longer]), []);
    let elsewhere = bench("q", "i", "b", 1.0, &SLOW);
    assert_eq!(fastest(&[bench("r", "h", "a", 0.0, &FAST), elsewhere]), []);
    let same = bench("q", "h", "b", 1.0, &SLOW);
    assert_eq!(fastest(&[bench("r", "h", "a", 0.0, &FAST), same]).len(), 1);
}
