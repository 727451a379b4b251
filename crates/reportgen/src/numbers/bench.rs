//! Benches: the same case with the same model on several backends.

use std::collections::BTreeSet;

use records::{Metric, Metrics, Protocol, ProtocolKind, Stats, Test};

use super::{Measured, backend_of, model_of, stats};

/// What stands in one table: a case with a model.
#[derive(Debug)]
pub struct BenchGroup<'a> {
    /// The suite, where another suite has a case of the same name.
    pub suite: Option<&'a str>,
    /// The case.
    pub case: &'a str,
    /// The model.
    pub model: Option<&'a str>,
    /// Its tests, those with the same axes beside one another.
    pub tests: Vec<&'a Test>,
    /// The further axes that any of them has, by name.
    pub axes: BTreeSet<&'a str>,
}

/// The groups of `tests`, in the order in which they were run.
#[must_use]
pub fn benches<'a>(tests: &'a [Test], measured: &Measured<'_>) -> Vec<BenchGroup<'a>> {
    let mut groups: Vec<(&str, BenchGroup<'a>)> = Vec::new();
    for test in measured.select(tests, ProtocolKind::Bench) {
        let (case, model) = (test.case.as_str(), model_of(test));
        let same = |(suite, group): &&mut (&str, BenchGroup<'_>)| {
            *suite == test.suite && group.case == case && group.model == model
        };
        if let Some((_, group)) = groups.iter_mut().find(same) {
            group.tests.push(test);
        } else {
            let (tests, axes) = (vec![test], BTreeSet::new());
            groups.push((&test.suite, BenchGroup { suite: None, case, model, tests, axes }));
        }
    }
    let suites: BTreeSet<(&str, &str)> =
        groups.iter().map(|(suite, group)| (group.case, *suite)).collect();
    let finish = |(suite, mut group): (&'a str, BenchGroup<'a>)| {
        let twice = suites.iter().filter(|(case, _)| *case == group.case).count() > 1;
        group.suite = twice.then_some(suite);
        group.axes = group
            .tests
            .iter()
            .flat_map(|test| test.params.axes.keys())
            .map(String::as_str)
            .collect();
        group.tests = group.cells().concat();
        group
    };
    groups.into_iter().map(finish).collect()
}

impl<'a> BenchGroup<'a> {
    /// The tests with the same axes, each such set for itself: those that can be compared.
    #[must_use]
    pub fn cells(&self) -> Vec<Vec<&'a Test>> {
        let mut cells: Vec<Vec<&Test>> = Vec::new();
        for test in &self.tests {
            match cells.iter_mut().find(|cell| cell[0].params.axes == test.params.axes) {
                Some(cell) => cell.push(test),
                None => cells.push(vec![test]),
            }
        }
        cells
    }

    /// Whether `test` was measured more than once: on the same backend, with the same axes.
    #[must_use]
    pub fn is_again(&self, test: &Test) -> bool {
        let same = |other: &&&Test| {
            backend_of(other) == backend_of(test) && other.params.axes == test.params.axes
        };
        self.tests.iter().filter(same).count() > 1
    }

    /// Whether they ran on more than one backend.
    #[must_use]
    pub fn several_backends(&self) -> bool {
        let mut others = self.tests.iter().map(|test| backend_of(test));
        let first = others.next();
        others.any(|other| Some(other) != first)
    }
}

/// Of tests in the order in which they were run, the last of each backend.
pub fn last_of_each<'a>(tests: impl Iterator<Item = &'a Test>) -> Vec<&'a Test> {
    let mut last: Vec<&Test> = Vec::new();
    for test in tests {
        match last.iter_mut().find(|other| backend_of(other) == backend_of(test)) {
            Some(earlier) => *earlier = test,
            None => last.push(test),
        }
    }
    last
}

/// Whether figures by these two protocols say which backend is faster: what is asked of
/// both is the same. How a cache is avoided is each backend's own affair; where it was not,
/// and answered, there is no speed of the prompt to compare.
#[must_use]
pub fn comparable(a: &Protocol, b: &Protocol) -> bool {
    let asked = |p: &Protocol| {
        (p.prompt_tokens, p.depth, p.max_tokens, p.concurrency, p.rate, p.ramp, p.temperature)
    };
    asked(a) == asked(b)
}

/// What the server says of itself beside what was measured of it.
#[derive(Clone, Debug, Default)]
pub struct OwnTimings {
    /// Its prompt processing, in tokens per second.
    pub prompt_tps: Option<Stats>,
    /// Its token generation, in tokens per second.
    pub generation_tps: Option<Stats>,
    /// What ours differs from it, in percent.
    pub prompt_difference_pct: Option<Stats>,
    /// What ours differs from it, in percent.
    pub generation_difference_pct: Option<Stats>,
    /// Time to first token less its time for the prompt, in seconds.
    pub ttft_minus_prompt_s: Option<Stats>,
}

/// What the server says of itself in `metrics`, where it does.
#[must_use]
pub fn own_timings(metrics: &Metrics) -> Option<OwnTimings> {
    let server = metrics.server.as_ref()?;
    let get = |name: &str| {
        let metric: Metric = serde_json::from_value(server.get(name)?.clone()).ok()?;
        Some(stats(&metric))
    };
    let own = OwnTimings {
        prompt_tps: get("prompt_tps"),
        generation_tps: get("generation_tps"),
        prompt_difference_pct: get("prompt_difference_pct"),
        generation_difference_pct: get("generation_difference_pct"),
        ttft_minus_prompt_s: get("ttft_minus_prompt_s"),
    };
    (own.prompt_tps.is_some() || own.generation_tps.is_some()).then_some(own)
}

/// There is none of an answer that comes in one piece.
const NO_TTFT: &str = "no time to first token was measured; answers were not streamed or empty";

/// Why `metrics` has no speed of prompt processing, as far as they tell.
#[must_use]
pub fn why_no_prompt_tps(metrics: &Metrics) -> Option<&'static str> {
    if metrics.prompt_tps.is_some() || metrics.is_empty() {
        return None;
    }
    let cached = metrics.cached_tokens.as_ref().is_some_and(|cached| cached.value() > 0.0);
    Some(match () {
        () if cached => "the server answered for part of the prompt from its cache",
        () if metrics.ttft_s.is_none() => NO_TTFT,
        () if metrics.prompt_tokens.is_none() => "the server does not count the prompt's tokens",
        () => return None,
    })
}

/// Why `metrics` has no speed of generation, as far as they tell.
#[must_use]
pub fn why_no_generation_tps(metrics: &Metrics) -> Option<&'static str> {
    if metrics.generation_tps.is_some() || metrics.is_empty() {
        return None;
    }
    let tokens = metrics.completion_tokens.as_ref().map(Metric::value);
    Some(match tokens {
        _ if metrics.ttft_s.is_none() => NO_TTFT,
        None => "the server does not count the answer's tokens",
        Some(tokens) if tokens <= 1.0 => "the answers had no second token",
        Some(_) => return None,
    })
}
