//! Which tests were measured in which way.

use std::collections::BTreeMap;

use records::{Metric, ProtocolKind, Stats, Test};

/// The benches, baselines and batches among some tests.
///
/// A test that came to no figures may not say what it was to be: then it is what the others
/// of its case are, so that it has its row beside them.
#[derive(Debug, Default)]
pub struct Measured<'a> {
    kinds: BTreeMap<(&'a str, &'a str), ProtocolKind>,
}

impl<'a> Measured<'a> {
    /// Those among `tests`.
    #[must_use]
    pub fn of(tests: &'a [Test]) -> Measured<'a> {
        let known = tests.iter().filter_map(|test| Some((case(test), stated(test)?)));
        Measured { kinds: known.collect() }
    }

    /// How `test` was measured, or was to be.
    #[must_use]
    pub fn kind(&self, test: &Test) -> Option<ProtocolKind> {
        stated(test).or_else(|| self.kinds.get(&(&*test.suite, &*test.case)).copied())
    }

    /// Those of `tests` that were measured like this.
    #[must_use]
    pub fn select<'t>(&self, tests: &'t [Test], kind: ProtocolKind) -> Vec<&'t Test> {
        tests.iter().filter(|test| self.kind(test) == Some(kind)).collect()
    }
}

fn case(test: &Test) -> (&str, &str) {
    (&test.suite, &test.case)
}

fn stated(test: &Test) -> Option<ProtocolKind> {
    let batch = test.batch.is_some().then_some(ProtocolKind::Batch);
    test.protocol.as_ref().map(|protocol| protocol.kind).or(batch)
}

/// The statistics of a metric; a single number is that of one value.
#[must_use]
pub fn stats(metric: &Metric) -> Stats {
    match metric {
        Metric::Stats(stats) => (**stats).clone(),
        Metric::Number(value) => {
            let (mean, min, median, max) = (*value, *value, *value, *value);
            Stats { mean, n: 1, min, median, max, ..Stats::default() }
        }
    }
}

/// Something about several tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Common<T> {
    /// None says it.
    Unknown,
    /// All that say it say this.
    Same(T),
    /// They do not agree.
    Differs,
}

/// What `get` tells of all `tests`. One that does not say it agrees with everybody.
pub fn common<'a, T: PartialEq>(
    tests: impl IntoIterator<Item = &'a Test>,
    get: impl Fn(&'a Test) -> Option<T>,
) -> Common<T> {
    let mut known = tests.into_iter().filter_map(get);
    match known.next() {
        None => Common::Unknown,
        Some(first) if known.all(|other| other == first) => Common::Same(first),
        Some(_) => Common::Differs,
    }
}
