//! The join of a stream: lines go in, and come out joined.
//!
//! Tests, spans and attempts are held until every sample that they need is known
//! to be here, or until the end of input; every other line is the caller's to pass
//! on at once.

mod findings;
mod samples;
mod source;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    sync::Arc,
};

use records::{
    Kind, LineKind, Malformed, Origin, Params, Row, SERIES, Sample, Values, legacy::LegacySample,
};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Samples,
    analysis::{Analysis, Columns, Thresholds, is_finding, model_delta_gb},
    figures::{Figures, Known},
    fold::{Fold, reach},
    item::{Item, Joined},
    offset::Shift,
    stats::{figures, finish},
    stream::Stream,
    window::{Micros, Window, micros, seconds},
};

use source::reaches_back;

/// The run of legacy lines that no `stream` stands before.
const LEGACY_RUN: &str = "legacy";
/// Their host.
const UNKNOWN_HOST: &str = "unknown";
/// Anomalies of memmon that explain why there are no samples.
const AWAY: [&str; 2] = ["sleep", "clock_jump"];

/// Lines larger than this are out of the ordinary.
const LARGEST_REUSED: usize = 1 << 16;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it is.
    PassOn,
    /// It was kept; [`Join::next_joined`] gives it out.
    Held,
}

/// Joins the lines of one or several inputs.
pub struct Join {
    /// How many inputs there will be.
    inputs: usize,
    /// The input that is read, and the last `stream` in it.
    in_force: (usize, Origin),
    streams: Vec<Stream>,
    /// The stream of the last line: mostly that of the next one, too.
    last: usize,
    /// Whose the last scanned sample was, and its stream.
    last_origin: Option<(Arc<Origin>, usize)>,
    held: BTreeMap<u64, Box<Held>>,
    arrivals: u64,
    joined: VecDeque<(Kind, Vec<u8>)>,
    /// Lines that reach back beyond the samples that were kept.
    too_late: u64,
    /// By how much the times of each input are later.
    shifts: Vec<Shift>,
    /// Finds out more; none where nobody wants to know.
    analysis: Option<Analysis>,
    /// What a correlate before this one found out about a run, by the number of the run.
    earlier: Vec<(usize, Vec<u8>)>,
    /// What the findings had to leave out.
    left_out: Vec<String>,
    /// Memory that each load took, by run and window.
    deltas: BTreeMap<(usize, i64, i64), Option<f64>>,
    /// Of the last window; the next one has its room.
    spent: Fold,
    /// A line that was written; the next one has its room.
    written: Vec<u8>,
    /// What was written in it.
    known: Known,
}

struct Held {
    item: Item,
    stream: usize,
    /// What the samples come to that were let go while it ran.
    fold: Option<Box<Fold>>,
}

impl Held {
    /// From when on samples are needed.
    fn needs_from(&self) -> Option<Micros> {
        let start = self.item.window.map(|window| window.start);
        self.fold.as_ref().map(|fold| fold.taken_to()).or(start)
    }
}

/// Whose samples a line is joined with.
enum Source {
    Stream(usize),
    /// All those of a host on which several runs were sampled.
    Host(String),
}

/// Where the samples of a line are.
enum From<'a> {
    Nowhere,
    Stream(usize),
    Merged(&'a Samples),
}

/// What the join reads of `stream`, `run_start`, `begin` and `run_end`.
#[derive(Deserialize)]
struct Mark<'a> {
    ts: f64,
    #[serde(borrow)]
    run: Cow<'a, str>,
    #[serde(borrow)]
    host: Cow<'a, str>,
    interval_ms: Option<f64>,
    id: Option<String>,
    phase: Option<String>,
    params: Option<Params>,
    command: Option<IgnoredAny>,
}

impl Join {
    /// A join of that many inputs.
    #[must_use]
    pub fn new(inputs: usize) -> Join {
        Join {
            inputs,
            in_force: (0, legacy_origin()),
            streams: Vec::new(),
            last: 0,
            last_origin: None,
            held: BTreeMap::new(),
            arrivals: 0,
            joined: VecDeque::new(),
            too_late: 0,
            shifts: Vec::new(),
            analysis: Some(Analysis::new(Thresholds::default())),
            earlier: Vec::new(),
            left_out: Vec::new(),
            deltas: BTreeMap::new(),
            spent: Fold::default(),
            written: Vec::new(),
            known: Known::default(),
        }
    }

    /// With other thresholds of anomalies; before the first line.
    #[must_use]
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Join {
        self.analysis = Some(Analysis::new(thresholds));
        self
    }

    /// Joins only, and finds nothing out beyond that; before the first line.
    #[must_use]
    pub fn without_findings(mut self) -> Join {
        self.analysis = None;
        self
    }

    #[cfg(test)]
    pub(crate) fn analysis(&self) -> Option<&Analysis> {
        self.analysis.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn with_analysis(mut self, analysis: Analysis) -> Join {
        self.analysis = Some(analysis);
        self
    }

    /// With the times of each input shifted; before the first line. Lines leave with the
    /// times that they came with.
    #[must_use]
    pub fn with_shifts(mut self, shifts: Vec<Shift>) -> Join {
        self.shifts = shifts;
        self
    }

    fn shift(&self, input: usize) -> Shift {
        self.shifts.get(input).copied().unwrap_or_default()
    }

    /// Takes a line of that kind from the input of that number.
    ///
    /// # Errors
    ///
    /// When it lacks what a line of its kind must have. It should be passed on then.
    pub fn push(&mut self, line: &[u8], kind: &LineKind, input: usize) -> Result<Fate, Malformed> {
        self.note_input(input);
        match kind {
            LineKind::Ours(Kind::Sample) => {
                let sample: Sample = records::parse(line)?;
                self.read_sample(&sample, Some(sample.seq), input);
            }
            LineKind::LegacySample => {
                let origin = &self.in_force.1;
                let sample = records::parse::<LegacySample>(line)?.upgrade(0, origin);
                self.read_sample(&sample, None, input);
            }
            LineKind::Ours(kind @ (Kind::Test | Kind::Span | Kind::Attempt)) => {
                self.hold(Item::ours(*kind, line)?, input);
                return Ok(Fate::Held);
            }
            LineKind::LegacyTest => {
                self.hold(Item::legacy(line, &self.in_force.1)?, input);
                return Ok(Fate::Held);
            }
            LineKind::Ours(kind @ (Kind::Stream | Kind::RunStart | Kind::Begin | Kind::RunEnd)) => {
                records::parse_with(line, |line| {
                    self.mark(*kind, records::read_json(line)?, input);
                    Ok(())
                })?;
            }
            LineKind::Ours(kind @ (Kind::ModelLife | Kind::Advice | Kind::Anomaly)) => {
                return self.told(*kind, &records::parse(line)?, line, input);
            }
            _ => {}
        }
        Ok(Fate::PassOn)
    }

    /// The input has ended: everything that is held is joined.
    pub fn finish(&mut self) {
        for (index, stream) in self.streams.iter_mut().enumerate() {
            stream.samples.sort();
            if let Some(analysis) = &mut self.analysis
                && stream.replay
                && stream.samples.is_whole()
            {
                analysis.restart(index);
                for (row, ts) in stream.samples.times().iter().enumerate() {
                    let value = |series| stream.samples.value(series, row).unwrap_or(f64::NAN);
                    analysis.sample(index, *ts, 0, &Values(std::array::from_fn(value)));
                }
            }
        }
        let mut merged = BTreeMap::new();
        for mut held in std::mem::take(&mut self.held).into_values() {
            let found = match (self.source(held.stream), held.item.window) {
                (Some(source), Some(window)) => {
                    self.look_up(source, window, held.fold.take(), &mut merged)
                }
                _ => None,
            };
            let samples = match self.source(held.stream) {
                Some(Source::Stream(index)) => From::Stream(index),
                Some(Source::Host(host)) => merged.get(&host).map_or(From::Nowhere, From::Merged),
                None => From::Nowhere,
            };
            self.give_out(held, found, samples);
        }
    }

    /// Whether a line is joined and waits to be given out.
    #[must_use]
    pub fn has_joined(&self) -> bool {
        !self.joined.is_empty()
    }

    /// The next line that is joined, in the order in which they can be.
    pub fn next_joined(&mut self) -> Option<(Kind, Vec<u8>)> {
        self.joined.pop_front()
    }

    /// Takes back a line that was written, for its memory.
    pub fn give_back(&mut self, line: Vec<u8>) {
        // A single huge one must not keep its memory for the rest of the run.
        if line.capacity() <= LARGEST_REUSED {
            self.written = line;
        }
    }

    /// How many samples are in memory.
    #[must_use]
    pub fn samples_kept(&self) -> usize {
        self.streams.iter().map(|stream| stream.samples.times().len()).sum()
    }

    /// What people should be told.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        (self.too_late > 0)
            .then(|| {
                format!(
                    "lines that got no resources: {}: they begin before the samples that are kept \
                     of a stream that announces what it begins; give their file before it",
                    self.too_late
                )
            })
            .into_iter()
            .chain(self.left_out.iter().cloned())
    }

    fn stream(&mut self, run: &str, host: &str) -> usize {
        let is = |stream: &Stream| stream.origin.run == run && stream.origin.host == host;
        if !self.streams.get(self.last).is_some_and(is) {
            self.last = self.streams.iter().position(is).unwrap_or_else(|| {
                let origin = Origin { run: run.to_owned(), host: host.to_owned() };
                self.streams.push(Stream::new(origin));
                self.streams.len() - 1
            });
        }
        self.last
    }

    fn mark(&mut self, kind: Kind, mut mark: Mark<'_>, input: usize) {
        let Shift { all, tests } = self.shift(input);
        mark.ts = later(mark.ts, all + tests);
        let index = self.stream(&mark.run, &mark.host);
        let stream = &mut self.streams[index];
        match kind {
            Kind::Stream => {
                // Several of one run (which memmon never writes): the widest, so that
                // their order does not matter.
                let seconds = mark.interval_ms.map(|ms| ms / 1e3).filter(|s| *s > 0.0);
                stream.interval = [stream.interval, seconds].into_iter().flatten().reduce(f64::max);
                if let Some(analysis) = &mut self.analysis {
                    analysis.stream(index, seconds, mark.command.is_some());
                }
                let origin = Origin { run: mark.run.into_owned(), host: mark.host.into_owned() };
                self.in_force = (input, origin);
                self.join_complete(index);
            }
            Kind::RunStart => {
                stream.announces = true;
                if let Some(analysis) = &mut self.analysis {
                    analysis.says_loads(index);
                }
            }
            Kind::Begin => {
                if let Some(analysis) = &mut self.analysis {
                    analysis.begin(index, micros(mark.ts));
                }
                stream.begin(mark.ts, mark.id, mark.phase, mark.params.unwrap_or_default());
            }
            _ => stream.end(),
        }
    }

    fn note_input(&mut self, input: usize) {
        if self.in_force.0 != input {
            self.in_force = (input, legacy_origin());
        }
    }

    fn hold(&mut self, mut item: Item, input: usize) {
        let Shift { all, tests } = self.shift(input);
        item.window = item.window.map(|window| window.later(all + tests));
        let arrival = self.arrivals;
        self.arrivals += 1;
        let stream = self.stream(&item.origin.run, &item.origin.host);
        let fold = self.streams[stream].ended(&item, arrival);
        let is_in_time = item.window.is_some();
        let held = Box::new(Held { item, stream, fold });
        if is_in_time {
            self.held.insert(arrival, held);
            self.join_complete(stream);
        } else {
            self.give_out(held, None, From::Nowhere);
        }
    }

    /// Joins what the stream can be shown to have all samples for.
    fn join_complete(&mut self, index: usize) {
        let stream = &mut self.streams[index];
        let mut arrivals: Vec<u64> = std::iter::from_fn(|| stream.next_complete()).collect();
        arrivals.sort_unstable();
        for arrival in arrivals {
            let Some(mut held) = self.held.remove(&arrival) else {
                continue;
            };
            self.streams[index].samples.sort();
            let fold = held.fold.take();
            let found = held.item.window.and_then(|window| self.of_stream(index, window, fold));
            self.give_out(held, found, From::Stream(index));
        }
        self.forget(index);
    }

    /// Forgets what nothing asks for any more, once there is much of it.
    fn forget(&mut self, index: usize) {
        let cold = &mut self.streams[index].cold;
        if !cold.is_full() {
            return;
        }
        let waiting = self.held.values().filter(|held| held.stream == index);
        let starts = waiting.filter_map(|held| held.item.window.map(|window| window.start));
        cold.forget(starts.min().unwrap_or(Micros::MAX));
        self.deltas.retain(|(of, _, end), _| *of != index || cold.has_load(*end));
    }

    /// Gives a line out with the figures that were found in those samples.
    fn give_out(&mut self, held: Box<Held>, figures: Option<Figures>, samples: From<'_>) {
        let Held { item, stream, .. } = *held;
        let samples = match samples {
            From::Stream(index) => Some(&self.streams[index].samples),
            From::Merged(samples) => Some(samples),
            From::Nowhere => None,
        };
        let stream_of = &self.streams[stream];
        let cold_start = stream_of.is_cold(&item);
        let load = match cold_start {
            Some(true) => stream_of.load_before(&item),
            _ => item.window.filter(|_| item.is_load()),
        };
        let model_delta_gb = load.and_then(|load| {
            let delta = || samples.and_then(|samples| model_delta_gb(samples, load));
            *self.deltas.entry((stream, load.start, load.end)).or_insert_with(delta)
        });
        if let Some(analysis) = &mut self.analysis
            && let Some(facts) = item.facts(stream, figures.as_ref())
        {
            analysis.item(&facts, samples);
        }
        let kind = item.kind;
        let found = Joined { figures, cold_start, model_delta_gb };
        let memory = std::mem::take(&mut self.written);
        self.joined.push_back((kind, item.joined(found, memory, &mut self.known)));
        if let Some(analysis) = &mut self.analysis
            && analysis.is_full()
        {
            let origins: Vec<Origin> = self.streams.iter().map(|s| s.origin.clone()).collect();
            let told = analysis.condense(&origins);
            self.joined.extend(told.iter().filter_map(|(_, finding)| {
                Some((Kind::ModelLife, serde_json::to_vec(finding).ok()?))
            }));
        }
    }

    fn of_stream(
        &mut self,
        index: usize,
        window: Window,
        fold: Option<Box<Fold>>,
    ) -> Option<Figures> {
        let Stream { samples, interval, .. } = &self.streams[index];
        let fold = match fold {
            Some(mut fold) => fold.end(window.end).then_some(fold),
            None if reaches_back(samples, window, *interval) => {
                return figures(&mut self.spent, samples, window, *interval);
            }
            None => None,
        };
        self.too_late += u64::from(fold.is_none());
        finish(&mut *fold?, samples, window)
    }
}

/// A time in Unix seconds that is later by so much.
fn later(ts: f64, by: Micros) -> f64 {
    if by == 0 { ts } else { seconds(micros(ts).saturating_add(by)) }
}

fn legacy_origin() -> Origin {
    Origin { run: LEGACY_RUN.to_owned(), host: UNKNOWN_HOST.to_owned() }
}
