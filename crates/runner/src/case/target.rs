//! Limits that metrics should keep.

use records::{ErrorInfo, Metric, Metrics, Target};
use serde_json::{Map, Value, json};

use crate::suite::TargetDef;

/// Holds `metrics` against `target`. `Err` says what was not measured: nothing is known of
/// the limit then, and that is no pass.
pub(super) fn hold(target: &TargetDef, metrics: &Metrics) -> (Target, Option<ErrorInfo>) {
    let actual = value(target, metrics);
    let limits = [("min", target.min), ("max", target.max)];
    let limit: Map<String, Value> = limits
        .into_iter()
        .filter_map(|(key, limit)| Some((key.to_owned(), json!(limit?))))
        .collect();
    let ok = actual.is_some_and(|actual| {
        target.min.is_none_or(|min| actual >= min) && target.max.is_none_or(|max| actual <= max)
    });
    let error = actual.is_none().then(|| {
        let stat = target.stat.as_ref().map(|stat| format!("the {stat} of ")).unwrap_or_default();
        ErrorInfo {
            kind: "missing_metric".to_owned(),
            message: format!("{stat}{} was not measured, which has a target", target.metric),
            ..ErrorInfo::default()
        }
    });
    let held = Target {
        metric: target.metric.clone(),
        stat: target.stat.clone(),
        limit: Value::Object(limit),
        actual,
        ok,
        on_miss: target.on_miss,
    };
    (held, error)
}

fn value(target: &TargetDef, metrics: &Metrics) -> Option<f64> {
    let stat = target.stat.as_deref().unwrap_or("mean");
    if target.metric == "accuracy" {
        let of = metrics.accuracy.filter(|of| of.total > 0)?;
        return Some(of.correct as f64 / of.total as f64);
    }
    match (metrics.get(&target.metric)?, stat) {
        (Metric::Number(n), "mean" | "median" | "min" | "max") => Some(*n),
        // Of one value there is no spread.
        (Metric::Number(_), _) => None,
        (Metric::Stats(stats), stat) => match stat {
            "mean" => Some(stats.mean),
            "median" => Some(stats.median),
            "min" => Some(stats.min),
            "max" => Some(stats.max),
            "sd" => stats.sd,
            "p50" => stats.p50,
            "p90" => stats.p90,
            "p95" => stats.p95,
            "p99" => stats.p99,
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use records::{Accuracy, Metric, Metrics, Stats};

    use super::hold;
    use crate::suite::TargetDef;

    fn target(text: &str) -> TargetDef {
        toml::from_str(text).unwrap()
    }

    fn metrics() -> Metrics {
        let stats = Stats { mean: 0.3, median: 0.2, max: 0.9, n: 5, ..Stats::default() };
        Metrics {
            e2e_s: Some(Metric::Number(2.0)),
            ttft_s: Some(Metric::Stats(Box::new(stats))),
            accuracy: Some(Accuracy { correct: 3, total: 4 }),
            ..Metrics::default()
        }
    }

    #[test]
    fn a_limit_is_kept_or_missed_by_the_statistic_that_it_is_of() {
        for (text, actual, ok) in [
            ("metric = 'e2e_s'\nmax = 2", 2.0, true),
            ("metric = 'e2e_s'\nstat = 'median'\nmin = 2.1", 2.0, false),
            ("metric = 'ttft_s'\nmax = 0.25", 0.3, false),
            ("metric = 'ttft_s'\nstat = 'median'\nmax = 0.25", 0.2, true),
            ("metric = 'accuracy'\nmin = 0.8", 0.75, false),
        ] {
            let (held, error) = hold(&target(text), &metrics());
            assert_eq!((held.actual, held.ok, error), (Some(actual), ok, None), "{text}");
        }
    }

    #[test]
    fn what_was_not_measured_is_an_error_and_no_pass() {
        for text in [
            "metric = 'generation_tps'\nmin = 1",
            "metric = 'ttft_s'\nstat = 'p99'\nmax = 1",
            "metric = 'e2e_s'\nstat = 'sd'\nmax = 1",
        ] {
            let (held, error) = hold(&target(text), &metrics());
            assert!(!held.ok && held.actual.is_none(), "{text}");
            assert!(error.unwrap().message.contains("was not measured"), "{text}");
        }
    }
}
