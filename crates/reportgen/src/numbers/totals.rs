//! Counts and times of the whole run, and how it was sampled.

use std::collections::BTreeSet;

use records::{Counts, Outcome, Test};

use super::{Spread, backend_of, model_of};
use crate::run::Run;

/// Counts and times of some tests.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Results by outcome.
    pub counts: Counts,
    /// Results that name a model.
    pub with_model: u64,
    /// Results that name none.
    pub without_model: u64,
    /// The sum of `duration_s`: seconds of the last attempts.
    pub time_s: f64,
    /// How many results have a `duration_s`.
    pub timed: u64,
    /// The models that are named.
    pub models: BTreeSet<String>,
    /// The backends that are named.
    pub backends: BTreeSet<String>,
    /// Ids that have more than one result.
    pub repeated: u64,
}

/// Results by outcome.
pub fn tally<'a>(tests: impl IntoIterator<Item = &'a Test>) -> Counts {
    let mut counts = Counts::default();
    for test in tests {
        match test.outcome {
            Outcome::Passed => counts.passed += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::Error => counts.error += 1,
            Outcome::Skipped => counts.skipped += 1,
            Outcome::Xfailed => counts.xfailed += 1,
            Outcome::Xpassed => counts.xpassed += 1,
        }
    }
    counts
}

/// The totals of `tests`.
#[must_use]
pub fn totals(tests: &[Test]) -> Totals {
    let mut totals = Totals { counts: tally(tests), ..Totals::default() };
    let (mut seen, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for test in tests {
        match model_of(test) {
            Some(model) => {
                totals.with_model += 1;
                totals.models.insert(model.to_owned());
            }
            None => totals.without_model += 1,
        }
        totals.backends.extend(backend_of(test).map(str::to_owned));
        if let Some(seconds) = test.duration_s {
            totals.time_s += seconds;
            totals.timed += 1;
        }
        if !seen.insert(&test.id) {
            repeated.insert(&test.id);
        }
    }
    totals.repeated = repeated.len() as u64;
    totals
}

/// How well the run was sampled.
#[derive(Clone, Debug, Default)]
pub struct Sampling {
    /// Samples of the recording; by its own count where it has one.
    pub samples: u64,
    /// The interval asked for, in milliseconds.
    pub asked_ms: Option<f64>,
    /// Median, 99th percentile and maximum of the interval achieved, in milliseconds.
    pub achieved_ms: Option<(f64, f64, f64)>,
    /// Deadlines that passed unused.
    pub missed: Option<u64>,
    /// Tests with `resources`.
    pub joined: u64,
    /// Tests that ran: all but the skipped.
    pub ran: u64,
    /// Share of the tests' windows that samples cover.
    pub coverage: Option<Spread>,
    /// Tests between two samples.
    pub bracketed: u64,
}

/// How well `run` was sampled.
#[must_use]
pub fn sampling(run: &Run) -> Sampling {
    let ran = || run.tests.iter().filter(|test| test.outcome != Outcome::Skipped);
    let resources = || ran().filter_map(|test| test.resources.as_ref());
    let summed: u64 = run.summaries.iter().map(|summary| summary.samples).sum();
    let achieved = run.summaries.iter().filter_map(|summary| summary.achieved.as_ref());
    Sampling {
        // A stream that correlate stripped of its samples still has their count.
        samples: if summed > 0 { summed } else { run.samples },
        asked_ms: (run.streams.first().map(|stream| stream.interval_ms))
            .or_else(|| run.legacy_summaries.first().and_then(|summary| summary.interval_ms)),
        // Of several recordings the one whose longest interval is the worst.
        achieved_ms: achieved
            .max_by(|a, b| a.max_ms.total_cmp(&b.max_ms))
            .map(|achieved| (achieved.median_ms, achieved.p99_ms, achieved.max_ms)),
        missed: (!run.summaries.is_empty())
            .then(|| run.summaries.iter().map(|summary| summary.missed).sum()),
        joined: resources().count() as u64,
        ran: ran().count() as u64,
        coverage: Spread::of(resources().map(|resources| resources.coverage)),
        bracketed: resources().filter(|r| r.bracketed == Some(true)).count() as u64,
    }
}
