//! What holds of all findings: the order of lines, lines that come twice, joining again.

use std::collections::BTreeSet;

use correlate::Thresholds;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::story::{Story, found_in, joined, of_kind};

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
