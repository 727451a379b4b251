//! One row per case and modality: how it did over all that it ran on.

use std::collections::{BTreeMap, BTreeSet};

use records::{Counts, Modality, Test};

use super::{backend_of, came_through, median, model_of, tally};

/// The figures of a case.
#[derive(Clone, Debug)]
pub struct CaseRow<'a> {
    /// The suite, where another suite has a case of the same name.
    pub suite: Option<&'a str>,
    /// The suite.
    pub of: &'a str,
    /// The case.
    pub case: &'a str,
    /// The kind of input.
    pub modality: Option<Modality>,
    /// Results by outcome.
    pub counts: Counts,
    /// How many models it ran on.
    pub models: usize,
    /// How many pairs of backend and model it ran on.
    pub cells: usize,
    /// The fastest of those that passed, with its seconds.
    pub fastest: Option<(&'a Test, f64)>,
    /// The slowest of those that passed, with its seconds.
    pub slowest: Option<(&'a Test, f64)>,
    /// The median of those that passed, in seconds.
    pub median_s: Option<f64>,
}

/// The rows of `tests`, by name.
#[must_use]
pub fn cases(tests: &[Test]) -> Vec<CaseRow<'_>> {
    let mut suites: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut groups: BTreeMap<(&str, &str, Option<Modality>), Vec<&Test>> = BTreeMap::new();
    for test in tests {
        suites.entry(&test.case).or_default().insert(&test.suite);
        groups.entry((&test.case, &test.suite, test.modality)).or_default().push(test);
    }
    groups
        .into_iter()
        .map(|((case, suite, modality), tests)| {
            let timed: Vec<(&Test, f64)> = tests
                .iter()
                .filter(|test| came_through(test))
                .filter_map(|test| test.duration_s.map(|seconds| (*test, seconds)))
                .collect();
            // The first of equals in both directions, so that the order of the
            // stream decides and nothing else.
            let fastest = timed.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a });
            let slowest = timed.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
            let models: BTreeSet<&str> = tests.iter().filter_map(|test| model_of(test)).collect();
            let cells: BTreeSet<_> =
                tests.iter().map(|test| (backend_of(test), model_of(test))).collect();
            CaseRow {
                suite: (suites[case].len() > 1).then_some(suite),
                of: suite,
                case,
                modality,
                counts: tally(tests.iter().copied()),
                models: models.len(),
                cells: cells.len(),
                fastest,
                slowest,
                median_s: median(timed.iter().map(|(_, seconds)| *seconds).collect()),
            }
        })
        .collect()
}
