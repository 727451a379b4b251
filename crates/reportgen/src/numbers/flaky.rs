//! Tests that do not always come out the same.

use std::collections::BTreeMap;

use records::{Outcome, Test};

use super::is_bad;
use crate::run::Run;

/// A test with several results or attempts that do not agree.
#[derive(Debug)]
pub struct Flaky<'a> {
    /// Its last result.
    pub test: &'a Test,
    /// How it came out each time, in turn.
    pub outcomes: Vec<Outcome>,
    /// Why it did not pass, the first time that it did not.
    pub why: Option<&'a str>,
}

/// The flaky tests of `run`: those that passed after a failed attempt, and those whose id has
/// both results that passed and that did not.
#[must_use]
pub fn flaky(run: &Run) -> Vec<Flaky<'_>> {
    let mut results: BTreeMap<&str, Vec<&Test>> = BTreeMap::new();
    for test in run.tests.iter().filter(|test| test.outcome != Outcome::Skipped) {
        results.entry(&test.id).or_default().push(test);
    }
    // Most runs have no attempt at all.
    let mut attempts: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for attempt in &run.attempts {
        attempts.entry(&attempt.id).or_default().push(attempt);
    }
    let mut all: Vec<Flaky<'_>> = Vec::new();
    for (id, tests) in results {
        let Some(test) = tests.last().copied() else { continue };
        let before = attempts.get(id).map(Vec::as_slice).unwrap_or_default();
        let mut outcomes: Vec<Outcome> = before.iter().map(|attempt| attempt.outcome).collect();
        outcomes.extend(tests.iter().map(|test| test.outcome));
        let bad = |outcome: &Outcome| matches!(outcome, Outcome::Failed | Outcome::Error);
        let agree = outcomes.iter().all(bad) || !outcomes.iter().any(bad);
        if agree && test.flaky != Some(true) {
            continue;
        }
        let of_attempts = before.iter().find_map(|attempt| {
            attempt.reason.as_deref().or(attempt.error.as_ref().map(|e| e.message.as_str()))
        });
        let of_results = tests.iter().find(|test| is_bad(test)).and_then(|t| t.reason.as_deref());
        all.push(Flaky { test, outcomes, why: of_attempts.or(of_results) });
    }
    all
}
