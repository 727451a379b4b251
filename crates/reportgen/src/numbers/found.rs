//! Measurements out of several runs, beside one another.

use std::collections::BTreeSet;

use records::{Outcome, ProtocolKind, Test};

use super::{Measured, backend_of, model_of};
use crate::run::Run;

/// A measurement and the run that it is of.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The run.
    pub run: &'a Run,
    /// The measurement.
    pub test: &'a Test,
}

/// The measurements of this kind in `runs`, the earliest first.
#[must_use]
pub fn found<'a>(runs: &[&'a Run], kind: ProtocolKind) -> Vec<Found<'a>> {
    let mut all: Vec<Found<'a>> = Vec::new();
    for run in runs {
        let measured = Measured::of(&run.tests);
        all.extend(measured.select(&run.tests, kind).into_iter().map(|test| Found { run, test }));
    }
    // Stable: what began at the same time stays in the order of the input.
    all.sort_by(|a, b| a.test.ts.total_cmp(&b.test.ts));
    all
}

/// Of how many runs `all` are.
#[must_use]
pub fn runs_of(all: &[Found<'_>]) -> usize {
    let runs: BTreeSet<(&str, &str)> =
        all.iter().map(|one| (&*one.run.id, &*one.run.host)).collect();
    runs.len()
}

impl<'a> Found<'a> {
    /// Whether it came to figures that were asked for: what died may have measured something
    /// before it did.
    #[must_use]
    pub fn ran(&self) -> bool {
        !matches!(self.test.outcome, Outcome::Error | Outcome::Skipped)
    }

    /// Whether both ask the same of the same kind of thing on the same host: only the
    /// backend may differ.
    #[must_use]
    pub fn same_task(&self, other: &Found<'a>) -> bool {
        let task = |one: &Found<'a>| (one.run.host.as_str(), &one.test.suite, &one.test.case);
        task(self) == task(other)
            && model_of(self.test) == model_of(other.test)
            && self.test.params.axes == other.test.params.axes
    }

    /// Whether one is a repetition of the other.
    #[must_use]
    pub fn same(&self, other: &Found<'a>) -> bool {
        self.same_task(other) && backend_of(self.test) == backend_of(other.test)
    }
}

/// `all` in groups of those for which `same` holds, in the order in which they come up.
#[must_use]
pub fn grouped<'a>(
    all: &[Found<'a>],
    same: fn(&Found<'a>, &Found<'a>) -> bool,
) -> Vec<Vec<Found<'a>>> {
    let mut groups: Vec<Vec<Found<'a>>> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|group| same(&group[0], one)) {
            Some(group) => group.push(*one),
            None => groups.push(vec![*one]),
        }
    }
    groups
}

/// The last of each that was measured again.
#[must_use]
pub fn latest<'a>(all: &[Found<'a>]) -> Vec<Found<'a>> {
    grouped(all, Found::same).iter().filter_map(|group| group.last().copied()).collect()
}
