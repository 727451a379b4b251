//! The layout of mlx-knife's own sampler.

use std::fs;

use records::{LineKind, legacy::LegacySample};
use serde_json::Value;

use crate::support::{errors, run, run_script};

#[test]
fn the_file_holds_samples_and_a_summary_and_nothing_that_a_reader_would_take_for_a_sample() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("memory.jsonl");
    let args = ["--emit", "mlx-knife", "-i", "20", "-o", file.to_str().unwrap()];
    let output = run_script(&args, r#"echo '{"test":1}'; sleep 0.3; exit 3"#);
    assert_eq!((output.status.code(), errors(&output).as_str()), (Some(3), ""));
    assert_eq!(output.stdout, b"{\"test\":1}\n", "the command's output is its own");

    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (summary, samples) = lines.split_last().unwrap();
    assert!(samples.len() > 3);
    let mut free = Vec::new();
    for line in samples {
        assert_eq!(records::classify(line.as_bytes()), LineKind::LegacySample, "{line}");
        let sample: LegacySample = records::parse(line.as_bytes()).unwrap();
        assert!(sample.elapsed_s.is_some() && sample.swap_used_mb.is_some());
        free.push(sample.ram_free_gb.unwrap());
        assert!(!line.contains("null"), "{line}");
    }
    let summary: Value = serde_json::from_str(summary).unwrap();
    let summary = &summary["summary"];
    assert_eq!(summary["samples"], samples.len());
    assert_eq!((&summary["interval_ms"], &summary["exit_code"]), (&20.into(), &3.into()));
    assert!(summary["command"].as_str().unwrap().starts_with("sh -c echo"));
    let most = free.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(summary["ram_free_max_gb"].as_f64(), Some(most));
    let mean = free.iter().sum::<f64>() / free.len() as f64;
    assert!((summary["ram_free_avg_gb"].as_f64().unwrap() - mean).abs() < 0.011);
}

#[test]
fn ram_free_is_in_units_of_2_to_the_30_as_there() {
    let ours = run(&["-i", "1000", "-d", "0.1"]);
    let first = |out: &[u8]| -> Value {
        let text = String::from_utf8(out.to_vec()).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["ram_free_gb"].is_number()).unwrap()
    };
    let theirs = run(&["-i", "1000", "-d", "0.1", "--emit", "mlx-knife"]);
    let (ours, theirs) = (first(&ours.stdout), first(&theirs.stdout));
    let whole = ours["ram_used_gb"].as_f64().unwrap() + ours["ram_free_gb"].as_f64().unwrap();
    let sum = theirs["ram_used_gb"].as_f64().unwrap() + theirs["ram_free_gb"].as_f64().unwrap();
    // Used and free are the whole memory, whatever happened between the two runs.
    assert!((whole / sum - 1.073_741_824).abs() < 0.002, "{whole} {sum}");
}

#[test]
fn the_commands_lines_pass_between_the_samples_as_ever() {
    let output = run_script(&["--emit", "mlx-knife"], r#"echo '{"a":  1}'; echo text"#);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.lines().any(|line| line == r#"{"a":  1}"#), "{text}");
    assert_eq!(errors(&output), "text\n");
    assert!(text.lines().last().unwrap().starts_with("{\"summary\": {"));
}
