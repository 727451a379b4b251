//! From what was gathered to records: each thing that happened in a sentence, with
//! its figures and the tests that it touches.

mod lives;
mod machine;
mod many;
mod tests;

use records::{Anomaly, ModelLife, Origin, Severity, round};
use serde_json::{Map, Value};

use super::{
    Analysis, Finding,
    advice::advice,
    condense::Before,
    facts::Ran,
    life::{Life, Load, lives},
    second::SECOND,
    spell::Spell,
};
use crate::{
    Samples,
    window::{Micros, seconds},
};

/// The anomalies that are found here.
pub(crate) const KINDS: [&str; 12] = [
    "crash_under_pressure",
    "gpu_idle",
    "interference",
    "leak",
    "pressure_without_swap",
    "sampler_gap",
    "suspect_measurement",
    "swap",
    "swap_with_pressure",
    "throttling",
    "unnamed_model",
    "zombies",
];

/// More of one kind than this on one machine are told in one line.
const FEW: usize = 5;
/// Things this near one another are one.
const NEAR: Micros = 5 * SECOND;
/// The host of lines that do not name theirs.
const UNKNOWN_HOST: &str = "unknown";

type SamplesOf<'f, 's> = &'f dyn Fn(usize) -> Option<&'s Samples>;

pub(crate) fn all<'s>(
    analysis: &Analysis,
    origins: &[Origin],
    samples_of: SamplesOf<'_, 's>,
) -> Vec<(usize, Finding)> {
    let lives = lives(analysis, samples_of);
    let mut found = Found::new(analysis, origins);
    found.lives(&lives, samples_of);
    let mut advised = Vec::new();
    let none_before = Before::default();
    for (stream, origin) in origins.iter().enumerate() {
        let loads: Vec<&Load> = analysis.loads.iter().filter(|l| l.stream == stream).collect();
        let tests: Vec<&Ran> = analysis.tests.iter().filter(|t| t.stream == stream).collect();
        // What a run that says what it loads does not say was loaded before it.
        let says_loads = analysis.streams.get(&stream).is_some_and(|stream| stream.says_loads);
        let before = analysis.streams.get(&stream).map(|stream| &stream.before);
        let before = before.unwrap_or(&none_before);
        if !(says_loads && loads.is_empty() && before.loads == 0) {
            advised.extend(advice(origin, before, &loads, &tests).map(|advice| (stream, advice)));
        }
        found.leak_of_spans(stream, &lives);
    }
    for (&index, stream) in &analysis.streams {
        if let Some(machine) = &stream.machine {
            found.machine(index, stream, machine);
        }
    }
    found.deaths();
    found.idle_gpus();
    found.suspects();
    found.lives.sort_by(|a, b| a.1.ts.total_cmp(&b.1.ts));
    advised.sort_by(|a, b| a.1.ts.total_cmp(&b.1.ts));
    found.anomalies.sort_by(|a, b| a.1.ts.total_cmp(&b.1.ts));
    let lives = found.lives.into_iter().map(|(stream, life)| (stream, Finding::Life(life)));
    let advised = advised.into_iter().map(|(stream, advice)| (stream, Finding::Advice(advice)));
    let anomalies = many::gathered(found.anomalies)
        .into_iter()
        .map(|(stream, anomaly)| (stream, Finding::Anomaly(anomaly)));
    lives.chain(advised).chain(anomalies).collect()
}

struct Found<'a> {
    analysis: &'a Analysis,
    origins: &'a [Origin],
    lives: Vec<(usize, ModelLife)>,
    anomalies: Vec<(usize, Anomaly)>,
    /// What spoils a measurement on the machine of a sampler, and when.
    spoilers: Vec<(usize, &'static str, Spell)>,
}

/// The records of some lives.
pub(super) fn records_of(
    analysis: &Analysis,
    origins: &[Origin],
    lives: &[&Life<'_>],
) -> Vec<(usize, Finding)> {
    let records = Found::new(analysis, origins).records_of(lives.iter().copied());
    records.into_iter().map(|(stream, life)| (stream, Finding::Life(life))).collect()
}

impl<'a> Found<'a> {
    fn new(analysis: &'a Analysis, origins: &'a [Origin]) -> Found<'a> {
        let (lives, anomalies, spoilers) = (Vec::new(), Vec::new(), Vec::new());
        Found { analysis, origins, lives, anomalies, spoilers }
    }
}

impl Found<'_> {
    fn same_machine(&self, one: usize, other: usize) -> bool {
        let host = |stream: usize| self.origins.get(stream).map_or("", |o| o.host.as_str());
        host(one) == host(other) || [host(one), host(other)].contains(&UNKNOWN_HOST)
    }

    /// The tests that ran on the machine of `stream`.
    fn tests_on(&self, stream: usize) -> Vec<&Ran> {
        self.analysis.tests.iter().filter(|t| self.same_machine(t.stream, stream)).collect()
    }

    /// Writes down what the samples of `stream` show in `parts`; the tests that ran
    /// meanwhile are its tests.
    fn anomaly(
        &mut self,
        stream: usize,
        kind: &str,
        severity: Severity,
        parts: &[(Micros, Micros)],
        message: String,
        evidence: Value,
    ) {
        let (Some(from), Some(to)) =
            (parts.iter().map(|part| part.0).min(), parts.iter().map(|part| part.1).max())
        else {
            return;
        };
        let tests = self.tests_within(stream, parts);
        self.push(stream, kind, severity, (from, to), message, evidence, tests);
    }

    /// The tests that ran on the machine of `stream` in one of `parts`.
    fn tests_within(&self, stream: usize, parts: &[(Micros, Micros)]) -> Vec<String> {
        let within = |test: &&Ran| {
            let window = test.window;
            !test.skipped && parts.iter().any(|(from, to)| window.start < *to && window.end > *from)
        };
        self.tests_on(stream).into_iter().filter(within).map(|test| test.id.clone()).collect()
    }

    #[allow(clippy::too_many_arguments)]
    fn push(
        &mut self,
        stream: usize,
        kind: &str,
        severity: Severity,
        (from, to): (Micros, Micros),
        message: String,
        evidence: Value,
        tests: Vec<String>,
    ) {
        let Some(origin) = self.origins.get(stream) else {
            return;
        };
        let mut anomaly = Anomaly::at(seconds(from), origin);
        kind.clone_into(&mut anomaly.kind);
        anomaly.severity = severity;
        anomaly.end_ts = round(seconds(to), 6);
        anomaly.message = message;
        anomaly.evidence = present(evidence);
        anomaly.tests = tests;
        self.anomalies.push((stream, anomaly));
    }
}

/// The fields that there are.
fn present(evidence: Value) -> Map<String, Value> {
    match evidence {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
