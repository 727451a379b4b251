//! Measurements out of several runs, beside one another.

use std::collections::{BTreeSet, HashMap};

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

    /// What is asked of what on which host: only the backend may differ.
    #[must_use]
    pub fn task(&self) -> TaskKey<'a> {
        let Found { run, test } = *self;
        TaskKey {
            host: &run.host,
            suite: &test.suite,
            case: &test.case,
            model: model_of(test),
            axes: test
                .params
                .axes
                .iter()
                .map(|(name, value)| (&**name, value.to_string()))
                .collect(),
            backend: None,
        }
    }

    /// The same on one backend: those of which one is a repetition of the other.
    #[must_use]
    pub fn measurement(&self) -> TaskKey<'a> {
        TaskKey { backend: Some(backend_of(self.test)), ..self.task() }
    }
}

/// What measurements must have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskKey<'a> {
    host: &'a str,
    suite: &'a str,
    case: &'a str,
    model: Option<&'a str>,
    axes: Vec<(&'a str, String)>,
    backend: Option<Option<&'a str>>,
}

/// `all` in groups of those that have `key` in common, in the order in which they come up.
#[must_use]
pub fn grouped<'a>(all: &[Found<'a>], key: fn(&Found<'a>) -> TaskKey<'a>) -> Vec<Vec<Found<'a>>> {
    let mut groups: Vec<Vec<Found<'a>>> = Vec::new();
    let mut places: HashMap<TaskKey<'a>, usize> = HashMap::new();
    for one in all {
        let at = *places.entry(key(one)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(*one),
            None => groups.push(vec![*one]),
        }
    }
    groups
}

/// The last of each that was measured again.
#[must_use]
pub fn latest<'a>(all: &[Found<'a>]) -> Vec<Found<'a>> {
    grouped(all, Found::measurement).iter().filter_map(|group| group.last().copied()).collect()
}
