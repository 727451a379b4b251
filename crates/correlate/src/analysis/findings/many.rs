//! What happened many times, in one line.

use std::collections::{BTreeMap, BTreeSet};

use records::{Anomaly, round};

use super::FEW;

/// The kinds that are found one by one. The others come gathered.
const ONE_BY_ONE: [&str; 7] = [
    "crash_under_pressure",
    "gpu_idle",
    "pressure_without_swap",
    "suspect_measurement",
    "swap",
    "swap_with_pressure",
    "unnamed_model",
];

/// `anomalies`, in the order of time and with the numbers of their streams, with more
/// than a few of one kind in one: the worst of them speaks for all.
pub(super) fn gathered(anomalies: Vec<(usize, Anomaly)>) -> Vec<(usize, Anomaly)> {
    let key = |(stream, anomaly): &(usize, Anomaly)| (*stream, anomaly.kind.clone());
    let mut of_kind: BTreeMap<(usize, String), Vec<Anomaly>> = BTreeMap::new();
    for found in &anomalies {
        if ONE_BY_ONE.contains(&found.1.kind.as_str()) {
            of_kind.entry(key(found)).or_default().push(found.1.clone());
        }
    }
    of_kind.retain(|_, list| list.len() > FEW);
    let mut out = Vec::new();
    for found in anomalies {
        match of_kind.get_mut(&key(&found)) {
            None => out.push(found),
            // The first stands for all.
            Some(list) => out.extend(all_in_one(std::mem::take(list)).map(|all| (found.0, all))),
        }
    }
    out
}

fn all_in_one(list: Vec<Anomaly>) -> Option<Anomaly> {
    let length = |anomaly: &Anomaly| anomaly.end_ts - anomaly.ts;
    let times = list.len();
    let held_s: f64 = list.iter().map(length).sum();
    let first_ts = list.first()?.ts;
    let end_ts = list.iter().map(|anomaly| anomaly.end_ts).reduce(f64::max)?;
    let mut seen = BTreeSet::new();
    let touched = list.iter().flat_map(|anomaly| &anomaly.tests);
    let tests: Vec<String> = touched.filter(|test| seen.insert(*test)).cloned().collect();
    let worse = |a: &Anomaly, b: &Anomaly| {
        let severity = (a.severity as u8).cmp(&(b.severity as u8));
        severity.then(length(a).total_cmp(&length(b)))
    };
    // Of equals the first.
    let mut all = list.into_iter().rev().max_by(worse)?;
    all.message = format!("{times} times, {held_s:.1} s in all, such as: {}", all.message);
    all.evidence.insert("times".to_owned(), times.into());
    all.evidence.insert("in_all_s".to_owned(), round(held_s, 3).into());
    (all.ts, all.end_ts, all.tests) = (first_ts, end_ts, tests);
    Some(all)
}
