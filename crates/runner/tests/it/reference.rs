//! Figures that others took and reported, reproduced from their raw values.

use runner::measure::stats;
use serde_json::Value;

/// What was reported and does not follow from its own runs, whose deviation is 0.253 at
/// the least.
const WRONG: [&str; 1] = ["MiniMax M2.5 REAP 139B MXFP4 on CPU: generation_tps: sd 0.2"];

/// Half of the last digit of the raw values: what they may have been before they were
/// rounded.
const HALF: f64 = 0.005;

#[test]
fn a_comparison_of_backends_has_the_means_and_deviations_that_were_reported() {
    let text = include_str!("../data/backend-comparison.json");
    let rows: Vec<Value> = serde_json::from_str(text).unwrap();
    let (mut figures, mut exact) = (0, 0);
    let mut wrong = Vec::new();
    for row in &rows {
        let runs = row["runs"].as_array().unwrap();
        for (metric, reported) in row["reported"].as_object().unwrap() {
            let values: Vec<f64> = runs.iter().map(|run| run[metric].as_f64().unwrap()).collect();
            let s = stats(&values, 6).unwrap();
            let n = values.len() as f64;
            // A mean moves no further than its values, a deviation not by more than this.
            let by = [HALF, HALF * (n / (n - 1.0)).sqrt()];
            let reported: Vec<&str> = reported.as_str().unwrap().split(" ±").collect();
            let ours = [("mean", s.mean), ("sd", s.sd.unwrap())];
            for ((said, (name, ours)), by) in reported.iter().zip(ours).zip(by) {
                figures += 1;
                exact += usize::from(*said == format!("{ours:.1}"));
                let could = [ours - by, ours, ours + by].map(|value| format!("{value:.1}"));
                if !could.iter().any(|value| value == said) {
                    let (model, backend) =
                        (row["model"].as_str().unwrap(), row["backend"].as_str().unwrap());
                    wrong.push(format!("{model} on {backend}: {metric}: {name} {said}"));
                }
            }
        }
    }
    assert_eq!(wrong, WRONG);
    assert_eq!(figures, rows.len() * 4);
    assert!(exact * 100 >= figures * 90, "{exact} of {figures} to the digit");
}

#[test]
fn a_steady_state_is_the_mean_of_its_queries() {
    // The second run of a baseline; its own report says 2.34.
    let s = stats(&[2.341_605_901_7, 2.347_361_087_8, 2.344_807_863_2], 9).unwrap();
    assert!((s.mean - 2.344_591_617_584).abs() < 1e-8);
    assert!(s.sd.unwrap() / s.mean < 0.002, "0.1 %: steady indeed");
}
