//! What can be found out beyond the join: the lives of models, what loading cost, and
//! what went wrong with the machine. Pure: no lines, no input or output.
//!
//! The samples of one sampler come in the order of time; everything else may come in
//! any order, before them or after them. What is kept does not grow with the samples:
//! what they say is gathered second by second into the few spells in which something
//! held, and tests are set against those at the end.

mod advice;
mod condense;
mod facts;
mod findings;
mod gaps;
mod levels;
mod life;
mod machine;
mod second;
mod slope;
mod spell;
mod steps;
mod swap;
mod thresholds;
mod throttle;

use std::{collections::BTreeMap, slice};

use records::{Advice, Anomaly, Kind, ModelLife, Origin, Values};
use serde::Serialize;

pub(crate) use self::{
    facts::{Details, Facts, Tokens},
    second::Columns,
};
pub use self::{
    levels::model_delta_gb,
    slope::{Slope, slope},
    thresholds::Thresholds,
};

use self::{
    condense::{Before, Limits},
    facts::{Death, Ran},
    life::{Load, Phase},
    machine::Machine,
};
use crate::{
    Samples, Window,
    cold::ModelKey,
    window::{Micros, micros},
};

/// Something that was found out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Finding {
    /// When a model was in memory.
    Life(ModelLife),
    /// What loading cost.
    Advice(Advice),
    /// Something that went wrong.
    Anomaly(Anomaly),
}

/// Whether a line of that kind is one that a correlate before this one found out: all
/// but the anomalies that others write.
#[must_use]
pub(crate) fn is_finding(kind: Kind, anomaly: Option<&str>) -> bool {
    match kind {
        Kind::ModelLife | Kind::Advice => true,
        Kind::Anomaly => anomaly.is_some_and(|kind| findings::KINDS.contains(&kind)),
        _ => false,
    }
}

/// Deaths that are kept: far more than anybody reads.
const MOST_DEATHS: usize = 1024;

/// Takes what is joined and finds out more.
#[derive(Default)]
pub struct Analysis {
    thresholds: Thresholds,
    streams: BTreeMap<usize, Stream>,
    tests: Vec<Ran>,
    loads: Vec<Load>,
    phases: Vec<Phase>,
    deaths: Vec<Death>,
    limits: Limits,
    /// Deaths beyond those that are kept.
    more_deaths: u64,
    /// The sizes of models that tests told which are no longer kept.
    disks: BTreeMap<(usize, ModelKey), f64>,
    /// The most, on average, that a test kept the GPU busy which is no longer kept.
    busiest: BTreeMap<(usize, ModelKey), f64>,
}

/// What is known of a run on a host.
#[derive(Default)]
struct Stream {
    /// What its samples say, where there are any.
    machine: Option<Machine>,
    interval: Option<Micros>,
    samples: u64,
    /// Deadlines of the sampler that passed unused.
    missed: u64,
    /// A command is wrapped: the load before its first test may be its own.
    wraps: bool,
    /// Its runner says what it loads.
    says_loads: bool,
    /// When something first ran.
    work: Option<Micros>,
    /// When the machine slept or its clock was set: there are no samples then.
    away: Vec<Window>,
    /// What is known of what is no longer kept.
    before: Before,
}

impl Analysis {
    /// One that alarms from those thresholds on.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Analysis {
        Analysis { thresholds, ..Analysis::default() }
    }

    /// A sampler says its interval in seconds, and whether it wraps a command.
    pub fn stream(&mut self, stream: usize, interval_s: Option<f64>, wraps: bool) {
        let stream = self.streams.entry(stream).or_default();
        stream.wraps |= wraps;
        let Some(interval) = interval_s.map(micros) else {
            return;
        };
        let known = stream.interval.get_or_insert(interval);
        *known = (*known).max(interval);
        if let Some(machine) = &mut stream.machine {
            machine.gaps.interval(interval);
        }
    }

    /// Samples of that sampler, each later than all before it; `missed` deadlines passed
    /// unused in between. One that is not later counts for nothing.
    pub(crate) fn samples(
        &mut self,
        stream: usize,
        times: &[Micros],
        missed: u64,
        columns: &Columns<'_>,
    ) {
        let stream = self.streams.entry(stream).or_default();
        let machine = stream.machine.get_or_insert_with(|| {
            let mut machine = Machine::new(&self.thresholds);
            if let Some(interval) = stream.interval {
                machine.gaps.interval(interval);
            }
            machine
        });
        stream.samples += times.len() as u64;
        stream.missed = stream.missed.saturating_add(missed);
        machine.samples(times, columns);
    }

    /// One sample, the same way.
    pub(crate) fn sample(&mut self, stream: usize, ts: Micros, missed: u64, values: &Values) {
        let mut columns = Columns::NONE;
        for (column, value) in columns.0.iter_mut().zip(&values.0) {
            if !value.is_nan() {
                *column = slice::from_ref(value);
            }
        }
        self.samples(stream, &[ts], missed, &columns);
    }

    /// Forgets the samples of that sampler: they come anew, in the order of time, and
    /// without `missed`, which is known.
    pub fn restart(&mut self, stream: usize) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.machine = None;
            stream.samples = 0;
        }
    }

    /// A runner that says what it loads starts.
    pub fn says_loads(&mut self, stream: usize) {
        self.streams.entry(stream).or_default().says_loads = true;
    }

    /// A test or a span begins.
    pub fn begin(&mut self, stream: usize, ts: Micros) {
        let work = &mut self.streams.entry(stream).or_default().work;
        *work = Some(work.map_or(ts, |known| known.min(ts)));
    }

    /// The machine slept, or its clock was set.
    pub fn away(&mut self, stream: usize, window: Window) {
        self.streams.entry(stream).or_default().away.push(window);
    }

    /// A line was joined, with `samples`.
    pub(crate) fn item(&mut self, facts: &Facts<'_>, samples: Option<&Samples>) {
        self.begin(facts.stream, facts.window.start);
        if let Some(death) = Death::of(facts, self.thresholds.crash_free_gb) {
            if self.deaths.len() < MOST_DEATHS {
                self.deaths.push(death);
            } else {
                self.more_deaths += 1;
            }
        }
        if facts.kind == Kind::Span {
            self.loads.extend(Load::of(facts, samples));
            self.phases.extend(Phase::of(facts, samples));
        }
        self.tests.extend(Ran::of(facts, samples));
    }

    /// All that was found out, now that everything is here: lives, then advice, then
    /// anomalies, each in the order of time. `origins` are the runs on their hosts by
    /// their number, `samples_of` gives what samples there are of one.
    pub fn finish<'s>(
        &mut self,
        origins: &[Origin],
        samples_of: &dyn Fn(usize) -> Option<&'s Samples>,
    ) -> Vec<(usize, Finding)> {
        for stream in self.streams.values_mut() {
            if let Some(machine) = &mut stream.machine {
                machine.finish();
            }
        }
        self.forget_copies();
        findings::all(self, origins, samples_of)
    }

    /// What is left out of the findings because there is too much of it.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        let tests: u64 = self.streams.values().map(|stream| stream.before.tests).sum();
        let rises: u64 =
            self.streams.values().filter_map(|s| s.machine.as_ref()).map(Machine::more_rises).sum();
        let about = [
            (tests, "tests that findings count and do not name"),
            (rises, "lives of models, found in the samples, that are not told"),
            (self.more_deaths, "deaths under pressure that are not told"),
        ];
        about.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| {
            format!("a long run: {what}: {count}; their lines are joined as all others")
        })
    }

    /// A line that came twice tells of one thing. Brings them in the order of time, too.
    fn forget_copies(&mut self) {
        fn when(window: Window) -> (Micros, Micros) {
            (window.start, window.end)
        }
        fn test(test: &Ran) -> (usize, (Micros, Micros), &str) {
            (test.stream, when(test.window), &test.id)
        }
        self.tests.sort_by(|a, b| test(a).cmp(&test(b)));
        self.tests.dedup_by(|a, b| test(a) == test(b));
        self.loads.sort_by(|a, b| a.place().cmp(&b.place()));
        self.loads.dedup_by(|a, b| a.place() == b.place());
    }
}
