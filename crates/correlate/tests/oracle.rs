//! The statistics against an oracle that knows nothing of overlaps: it walks the
//! window in small steps and asks at each what is in force there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use correlate::{Samples, Window, resources};
use proptest::prelude::*;
use records::{Hold, Origin, Sample, round, series};

/// Ticks a second. All times of the tests are whole ticks.
const TICKS: f64 = 100.0;
/// The nominal interval in ticks.
const INTERVAL: i64 = 20;

#[derive(Clone, Copy, Debug)]
struct Row {
    tick: i64,
    /// A gauge on every sample, a slow gauge, and a rate.
    values: [Option<f64>; 3],
}

const NAMES: [&str; 3] = ["ram_free_gb", "tree_pss_gb", "cpu_user"];

fn seconds(tick: i64) -> f64 {
    round(1_770_000_000.0 + tick as f64 / TICKS, 6)
}

/// Whether a hole lies between two samples.
fn gap(from: i64, to: i64) -> bool {
    to - from > 3 * INTERVAL
}

fn gauge_at(rows: &[Row], which: usize, tick: i64) -> Option<f64> {
    let mut next = rows.iter().find(|row| row.tick > tick).map_or(i64::MAX / 2, |row| row.tick);
    for (steps, row) in rows.iter().rev().filter(|row| row.tick <= tick).enumerate() {
        if gap(row.tick, next) && (steps > 0 || tick >= row.tick + INTERVAL) {
            return None;
        }
        if let Some(value) = row.values[which] {
            return (tick < row.tick + 300).then_some(value);
        }
        next = row.tick;
    }
    None
}

fn rate_at(rows: &[Row], which: usize, tick: i64) -> Option<f64> {
    let next = rows.iter().position(|row| row.tick > tick)?;
    let before = if next == 0 { i64::MIN / 2 } else { rows[next - 1].tick };
    if gap(before, rows[next].tick) && tick < rows[next].tick - INTERVAL {
        return None;
    }
    rows[next].values[which]
}

fn covered_at(rows: &[Row], tick: i64) -> bool {
    let full: Vec<Row> = rows.iter().map(|row| Row { values: [Some(1.0); 3], ..*row }).collect();
    gauge_at(&full, 0, tick).is_some()
}

/// As numpy's documentation puts it, with the values sorted.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let virtual_index = q * (sorted.len() as f64 - 1.0);
    let (low, high) = (virtual_index.floor() as usize, virtual_index.ceil() as usize);
    sorted[low] * (1.0 - virtual_index.fract()) + sorted[high] * virtual_index.fract()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Mostly the interval with jitter, sometimes a missed deadline or a hole.
    let step = prop_oneof![8 => 15i64..26, 2 => 30i64..75, 1 => 75i64..500];
    let value = |p| prop::option::weighted(p, (0u32..100_000).prop_map(|v| f64::from(v) / 1000.0));
    prop::collection::vec((step, value(0.95), value(0.2), value(0.8)), 0..40).prop_map(|steps| {
        let mut tick = 1000;
        steps
            .into_iter()
            .map(|(step, a, b, c)| {
                tick += step;
                Row { tick, values: [a, b, c] }
            })
            .collect()
    })
}

fn close(got: Option<f64>, want: Option<f64>, decimals: u8) -> bool {
    match (got, want) {
        (Some(got), Some(want)) => (got - want).abs() <= 0.51 * 10f64.powi(-i32::from(decimals)),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_figure_is_that_of_the_oracle(
        rows in rows(),
        order in any::<prop::sample::Index>(),
        start in 900i64..2500,
        length in prop_oneof![Just(0i64), 1i64..15, 15i64..200, 200i64..2000],
    ) {
        let mut samples = Samples::default();
        // Turned round somewhere: late samples find their place.
        let mut lines = rows.clone();
        if !lines.is_empty() {
            lines.rotate_left(order.index(rows.len()));
        }
        for row in &lines {
            let mut sample = Sample::at(seconds(row.tick), &Origin::default());
            [sample.ram_free_gb, sample.tree_pss_gb, sample.cpu_user] = row.values;
            samples.push(&sample);
        }
        samples.sort();

        let end = start + length;
        let window = Window::new(seconds(start), Some(seconds(end)), None).unwrap();
        let found = resources(&samples, window, Some(INTERVAL as f64 / TICKS));
        prop_assert_eq!(found.is_none(), rows.is_empty());
        let Some(found) = found else { return Ok(()) };

        let inside: Vec<usize> =
            (0..rows.len()).filter(|i| start <= rows[*i].tick && rows[*i].tick < end).collect();
        let before = (0..rows.len()).rev().find(|i| rows[*i].tick <= start);
        let after = (0..rows.len()).find(|i| rows[*i].tick >= end);
        let mut counted = inside.clone();
        if inside.is_empty() {
            counted.extend(before);
            counted.extend(after);
            counted.dedup();
            let outside = before.is_none() || after.is_none();
            let near = |i: &usize| {
                (start - rows[*i].tick).max(rows[*i].tick - end) <= 3 * INTERVAL
            };
            if outside {
                counted.retain(near);
            }
        }
        prop_assert_eq!(found.samples, inside.len() as u64);
        prop_assert_eq!(found.bracketed, (inside.is_empty() && !counted.is_empty()).then_some(true));

        let ticks: Vec<i64> = if length == 0 { vec![start] } else { (start..end).collect() };
        let covered = ticks.iter().filter(|tick| covered_at(&rows, **tick)).count();
        let coverage = covered as f64 / ticks.len() as f64;
        prop_assert!(close(Some(found.coverage), Some(coverage), 4), "{} {coverage}", found.coverage);

        for (which, name) in NAMES.into_iter().enumerate() {
            let hold = series(name).unwrap().hold;
            let decimals = series(name).unwrap().unit.decimals() + 1;
            let value = |i: &usize| rows[*i].values[which];
            let values: Vec<f64> = counted.iter().filter_map(value).collect();
            let stats = found.series.get(name);
            prop_assert_eq!(stats.is_none(), values.is_empty(), "{}", name);
            let Some(stats) = stats else { continue };
            let least = values.iter().copied().reduce(f64::min);
            let greatest = values.iter().copied().reduce(f64::max);
            prop_assert!(close(Some(stats.min), least, decimals));
            prop_assert!(close(Some(stats.max), greatest, decimals));
            prop_assert!(close(Some(stats.p50), Some(quantile(&values, 0.5)), decimals));
            prop_assert!(close(Some(stats.p95), Some(quantile(&values, 0.95)), decimals));

            let in_force: Vec<f64> = ticks
                .iter()
                .filter_map(|tick| match hold {
                    Hold::Gauge => gauge_at(&rows, which, *tick),
                    Hold::Rate => rate_at(&rows, which, *tick),
                })
                .collect();
            let mean = (length > 0 && !in_force.is_empty())
                .then(|| in_force.iter().sum::<f64>() / in_force.len() as f64);
            prop_assert!(close(stats.mean, mean, decimals), "{name} {:?} {mean:?}", stats.mean);

            let recent = |i: &usize| before.is_some_and(|b| rows[b].tick - rows[*i].tick <= 300);
            let earlier = (0..rows.len())
                .rev()
                .filter(|i| rows[*i].tick <= start)
                .take_while(recent)
                .find(|i| value(i).is_some())
                .or_else(|| inside.iter().copied().find(|i| value(i).is_some()));
            let later = after
                .filter(|i| value(i).is_some())
                .or_else(|| inside.iter().copied().rfind(|i| value(i).is_some()));
            let delta = match (earlier, later) {
                (Some(from), Some(to)) if from < to && hold == Hold::Gauge => {
                    Some(value(&to).unwrap() - value(&from).unwrap())
                }
                _ => None,
            };
            prop_assert!(close(stats.delta, delta, decimals), "{name} {:?} {delta:?}", stats.delta);
        }
    }
}
