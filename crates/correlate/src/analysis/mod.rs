//! What can be found out beyond the join: the lives of models, what loading cost, and
//! what went wrong with the machine. Pure: no lines, no input or output.
//!
//! The samples of one sampler come in the order of time; everything else may come in
//! any order, before them or after them. What is kept does not grow with the samples:
//! what they say is gathered second by second into the few spells in which something
//! held, and tests are set against those at the end.

mod advice;
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
    facts::{Death, Ran},
    life::{Load, Phase},
    machine::Machine,
};
use crate::{
    Samples, Window,
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

/// Takes what is joined and finds out more.
#[derive(Default)]
pub struct Analysis {
    thresholds: Thresholds,
    streams: BTreeMap<usize, Stream>,
    tests: Vec<Ran>,
    loads: Vec<Load>,
    phases: Vec<Phase>,
    deaths: Vec<Death>,
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
        self.deaths.extend(Death::of(facts, self.thresholds.crash_free_gb));
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
