//! What a baseline came to.

use records::{Accuracy, Metric, Metrics, Stats, Test};

use super::stats;

/// The steady state of a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    /// Over the queries.
    pub stats: Stats,
    /// Seconds of each query, where the record has as many as the statistics are of.
    pub each_s: Vec<f64>,
}

/// The steady state of `test`.
#[must_use]
pub fn steady(test: &Test) -> Option<Steady> {
    let stats = stats(test.metrics.steady_s.as_ref()?);
    let values = |get: fn(&Metrics) -> Option<&Metric>| -> Vec<f64> {
        test.runs.iter().flatten().filter_map(get).map(Metric::value).collect()
    };
    let mut each_s = values(|run| run.steady_s.as_ref());
    if each_s.is_empty() {
        each_s = values(|run| run.e2e_s.as_ref());
    }
    // The query that warmed up may stand before them.
    if each_s.len() as u64 == stats.n + 1 {
        each_s.remove(0);
    }
    if each_s.len() as u64 != stats.n {
        each_s.clear();
    }
    Some(Steady { stats, each_s })
}

/// Right answers of all, in percent.
#[must_use]
pub fn accuracy_pct(accuracy: Accuracy) -> Option<f64> {
    // Both are far below 2^53.
    (accuracy.total > 0).then(|| 100.0 * accuracy.correct as f64 / accuracy.total as f64)
}
