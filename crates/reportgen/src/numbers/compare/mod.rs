//! A run beside earlier ones: like with like, and only what both have.

mod environment;
mod judge;
mod pairs;
mod rank;
mod sums;

pub use environment::Difference;
use environment::environment;
pub use judge::{ALPHA, Change, Shift, judge};
pub use pairs::{MEASURES, Measure, Pair};
pub use sums::Sum;

use std::collections::{BTreeMap, BTreeSet};

use records::{Outcome, Test};

use super::{backend_of, host_class, is_bad, machine, model_of};
use crate::run::Run;

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Changes of single values up to so many percent are noise.
    pub noise_pct: f64,
    /// Whether runs on another class of machine are compared, too.
    pub any_host: bool,
}

/// A run beside earlier ones.
#[derive(Debug, Default)]
pub struct Comparison<'a> {
    /// The earlier runs, by start.
    pub old: Vec<&'a Run>,
    /// Classes of machines of runs that were left out, for they are not this one's.
    pub other_hosts: BTreeSet<String>,
    /// The tests that both have, in the order of the new run.
    pub pairs: Vec<Pair<'a>>,
    /// Tests that none of the old runs has.
    pub new: Vec<&'a Test>,
    /// Tests that the new run lacks.
    pub gone: Vec<&'a Test>,
    /// In what the runs differ besides their figures.
    pub environment: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    /// `run` beside `old` ones.
    #[must_use]
    pub fn of(run: &'a Run, old: &[&'a Run], rules: Rules) -> Comparison<'a> {
        let class = |run: &Run| machine(run).as_ref().and_then(host_class);
        let own = class(run);
        let mut comparison = Comparison::default();
        for earlier in old {
            match (&own, class(earlier)) {
                (Some(own), Some(other)) if *own != other && !rules.any_host => {
                    comparison.other_hosts.insert(other);
                }
                _ => comparison.old.push(earlier),
            }
        }
        comparison.old.sort_by(|a, b| start(a).total_cmp(&start(b)));
        if comparison.old.is_empty() {
            return comparison;
        }
        let now = by_key(std::iter::once(run));
        let then = by_key(comparison.old.iter().copied());
        let mut keys: Vec<&Key<'_>> = now.keys().collect();
        keys.sort_by(|a, b| now[*a][0].ts.total_cmp(&now[*b][0].ts));
        for key in keys {
            match then.get(key) {
                Some(then) => comparison.pairs.push(Pair::of(then, &now[key], rules.noise_pct)),
                None => comparison.new.push(now[key][0]),
            }
        }
        let gone = then.iter().filter(|(key, _)| !now.contains_key(key));
        comparison.gone = gone.map(|(_, tests)| tests[0]).collect();
        comparison.environment = environment(&comparison.old, run);
        comparison
    }

    /// Everything that became worse, beyond the noise and by more than `pct` percent: tests
    /// that passed and no longer do first, then the greatest change.
    #[must_use]
    pub fn regressions(&self, pct: f64) -> Vec<Regression<'_>> {
        let broken = self.pairs.iter().filter(|pair| pair.broke());
        let broken = broken.map(|pair| Regression { pair, quantity: None, worse_by_pct: None });
        let mut slower: Vec<Regression<'_>> = self
            .pairs
            .iter()
            .flat_map(|pair| pair.changes.iter().map(move |change| (pair, change)))
            .filter_map(|(pair, (quantity, change))| {
                let worse = change.worse_by_pct().filter(|worse| *worse > pct)?;
                let quantity = Some((*quantity, change));
                Some(Regression { pair, quantity, worse_by_pct: Some(worse) })
            })
            .collect();
        slower.sort_by(|a, b| {
            b.worse_by_pct.partial_cmp(&a.worse_by_pct).unwrap_or(std::cmp::Ordering::Equal)
        });
        broken.chain(slower).collect()
    }
}

/// Something that became worse.
#[derive(Debug)]
pub struct Regression<'a> {
    /// The test, then and now.
    pub pair: &'a Pair<'a>,
    /// What became worse; none where the test passed and no longer does.
    pub quantity: Option<(&'static Measure, &'a Change)>,
    /// By how many percent.
    pub worse_by_pct: Option<f64>,
}

/// What makes two results those of the same test on the same thing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    suite: &'a str,
    case: &'a str,
    model: Option<&'a str>,
    backend: Option<&'a str>,
    variant: String,
}

fn by_key<'a>(runs: impl Iterator<Item = &'a Run>) -> BTreeMap<Key<'a>, Vec<&'a Test>> {
    let mut all: BTreeMap<Key<'a>, Vec<&'a Test>> = BTreeMap::new();
    for test in runs.flat_map(|run| &run.tests) {
        let key = Key {
            suite: &test.suite,
            case: &test.case,
            model: model_of(test),
            backend: backend_of(test),
            variant: variant(test),
        };
        all.entry(key).or_default().push(test);
    }
    all
}

/// The further axes of a test; of one of pytest what stands in brackets, but for the number
/// that a model has in the list of those that were found: it changes with the list.
fn variant(test: &Test) -> String {
    if !test.params.axes.is_empty() {
        return format!("{:?}", test.params.axes);
    }
    let pytest = test.id.split_once('[').filter(|(name, _)| name.contains(".py::"));
    let Some((_, inside)) = pytest else { return String::new() };
    let numbered = |word: &str| {
        let end = word.rsplit_once('_').map(|(_, end)| end.trim_end_matches(']'));
        end.is_some_and(|end| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit()))
    };
    let words = inside.split('-').filter(|word| model_of(test).is_none() || !numbered(word));
    words.collect::<Vec<_>>().join("-")
}

fn start(run: &Run) -> f64 {
    run.window().map_or(f64::INFINITY, |window| window.0)
}

/// Whether a test of these results is to be compared at all: a skipped one says nothing.
fn ran(tests: &[&Test]) -> bool {
    tests.iter().any(|test| test.outcome != Outcome::Skipped)
}

/// Whether the last of these results counts against its run.
fn failed(tests: &[&Test]) -> bool {
    tests.iter().rev().find(|test| test.outcome != Outcome::Skipped).is_some_and(|t| is_bad(t))
}
