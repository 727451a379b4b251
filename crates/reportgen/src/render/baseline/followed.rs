//! The figures of a baseline that are followed from run to run.

use records::{Metric, Metrics, Test};

use crate::{
    numbers::{Course, Drift, Found, accuracy_pct, course, steady},
    page::Cell,
    render::{
        figure::{fine_gb, share, timing},
        format::{gb_change, pct_change, seconds_change},
    },
};

/// A figure, how it is written, and what is to be thought of its course.
pub(super) struct Followed {
    pub(super) name: &'static str,
    get: Get,
    pub(super) write: fn(f64) -> Cell,
    pub(super) change: fn(f64) -> Cell,
    pub(super) verdict: fn(&Course) -> Option<&'static str>,
}

/// A figure of a baseline, where it was measured.
#[derive(Clone, Copy)]
enum Get {
    Metric(fn(&Metrics) -> Option<&Metric>),
    Other(fn(&Test) -> Option<f64>),
}

/// In the order in which they are shown.
pub(super) const FOLLOWED: [Followed; 8] = [
    size("Disk size", Get::Metric(|m| m.disk_gb.as_ref())),
    MEMORY,
    size("Memory after load, GPU", Get::Metric(|m| m.gpu_memory_gb.as_ref())),
    time("Load time", Get::Metric(|m| m.load_s.as_ref())),
    time("Start to first token", Get::Metric(|m| m.first_token_s.as_ref())),
    time("Warm-up", Get::Metric(|m| m.warmup_s.as_ref())),
    STEADY,
    ACCURACY,
];
/// That of the backend's processes.
pub(super) const MEMORY: Followed =
    size("Memory after load", Get::Metric(|m| m.memory_gb.as_ref()));
/// The time of the queries after the first.
pub(super) const STEADY: Followed =
    time("Steady state", Get::Other(|test| steady(test).map(|steady| steady.stats.mean)));

const ACCURACY: Followed = Followed {
    name: "Accuracy",
    get: Get::Other(|test| test.metrics.accuracy.and_then(accuracy_pct)),
    write: |pct| share(pct / 100.0),
    change: |points| {
        let text = pct_change(points).trim_end_matches(" %").to_owned();
        Cell::number(points, "points", format!("{text} points"))
    },
    verdict: |course| {
        Some(match course.change() {
            _ if course.spread_pct.is_none_or(|spread| spread == 0.0) => "unchanged",
            change if change > 0.0 => "better",
            change if change < 0.0 => "worse",
            _ => "varies",
        })
    },
};

const fn size(name: &'static str, get: Get) -> Followed {
    Followed {
        name,
        get,
        write: fine_gb,
        change: gb_change,
        verdict: |course| {
            Some(match course.drift()? {
                Drift::Stable => "stable",
                Drift::Grew => "grew from run to run",
                Drift::Varies => "varies",
            })
        },
    }
}

const fn time(name: &'static str, get: Get) -> Followed {
    Followed {
        name,
        get,
        write: timing,
        change: seconds_change,
        verdict: |course| course.consistency().map(|called| called.name()),
    }
}

impl Followed {
    /// How it went, of the runs that measured it.
    pub(super) fn course(&self, group: &[Found<'_>]) -> Option<Course> {
        let value = |one: &Found<'_>| match self.get {
            Get::Metric(get) => get(&one.test.metrics).map(Metric::value),
            Get::Other(get) => get(one.test),
        };
        let values: Vec<f64> = group.iter().filter_map(value).collect();
        course(&values)
    }
}
