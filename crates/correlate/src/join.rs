//! The join of a stream: lines go in, and come out joined.
//!
//! Tests, spans and attempts are held until every sample that they need is known
//! to be here, or until the end of input; every other line is the caller's to pass
//! on at once.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    sync::Arc,
};

use records::{
    Kind, LineKind, Malformed, Origin, Params, Resources, SERIES, Sample, legacy::LegacySample,
};
use serde::Deserialize;

use crate::{
    Samples,
    fold::{Fold, reach},
    item::Item,
    stats::{finish, resources},
    stream::Stream,
    window::{Micros, Window, micros},
};

/// The run of legacy lines that no `stream` stands before.
const LEGACY_RUN: &str = "legacy";
/// Their host.
const UNKNOWN_HOST: &str = "unknown";

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
    held: BTreeMap<u64, Held>,
    arrivals: u64,
    joined: VecDeque<(Kind, Vec<u8>)>,
    /// Lines that reach back beyond the samples that were kept.
    too_late: u64,
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

/// What the join reads of `stream`, `run_start`, `begin` and `run_end`.
#[derive(Deserialize)]
struct Mark {
    ts: f64,
    run: String,
    host: String,
    interval_ms: Option<f64>,
    id: Option<String>,
    phase: Option<String>,
    params: Option<Params>,
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
        }
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
                self.hold(Item::ours(*kind, line)?);
                return Ok(Fate::Held);
            }
            LineKind::LegacyTest => {
                self.hold(Item::legacy(line, &self.in_force.1)?);
                return Ok(Fate::Held);
            }
            LineKind::Ours(kind @ (Kind::Stream | Kind::RunStart | Kind::Begin | Kind::RunEnd)) => {
                self.mark(*kind, records::parse(line)?, input);
            }
            _ => {}
        }
        Ok(Fate::PassOn)
    }

    /// Takes samples that were scanned. What can be joined once they are here comes before
    /// all of them.
    pub fn scanned(&mut self, part: &pipe::Samples<'_>) {
        self.note_input(part.input);
        let index = match &self.last_origin {
            Some((last, stream)) if Arc::ptr_eq(last, part.origin) => *stream,
            _ => {
                let stream = self.stream(&part.origin.run, &part.origin.host);
                self.last_origin = Some((Arc::clone(part.origin), stream));
                stream
            }
        };
        self.streams[index].scanned(part.rows, part.values);
        self.after_sample(index, part.input);
    }

    /// The input has ended: everything that is held is joined.
    pub fn finish(&mut self) {
        for stream in &mut self.streams {
            stream.samples.sort();
        }
        let mut merged = BTreeMap::new();
        for (arrival, mut held) in std::mem::take(&mut self.held) {
            let found = match (self.source(held.stream), held.item.window) {
                (Some(source), Some(window)) => {
                    self.look_up(source, window, held.fold.take(), &mut merged)
                }
                _ => None,
            };
            self.give_out(held, arrival, found);
        }
    }

    /// The next line that is joined, in the order in which they can be.
    pub fn next_joined(&mut self) -> Option<(Kind, Vec<u8>)> {
        self.joined.pop_front()
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

    fn mark(&mut self, kind: Kind, mark: Mark, input: usize) {
        let index = self.stream(&mark.run, &mark.host);
        let stream = &mut self.streams[index];
        match kind {
            Kind::Stream => {
                // Several of one run (which memmon never writes): the widest, so that
                // their order does not matter.
                let seconds = mark.interval_ms.map(|ms| ms / 1e3).filter(|s| *s > 0.0);
                stream.interval = [stream.interval, seconds].into_iter().flatten().reduce(f64::max);
                self.in_force = (input, Origin { run: mark.run, host: mark.host });
                self.join_complete(index);
            }
            Kind::RunStart => stream.announces = true,
            Kind::Begin => {
                stream.begin(mark.ts, mark.id, mark.phase, mark.params.unwrap_or_default())
            }
            _ => stream.end(),
        }
    }

    fn read_sample(&mut self, sample: &Sample, seq: Option<u64>, input: usize) {
        let stream = self.stream(&sample.run, &sample.host);
        let values = SERIES.iter().enumerate();
        let values = values.filter_map(|(place, series)| Some((place, (series.get)(sample)?)));
        self.streams[stream].sample(micros(sample.ts), seq, values);
        self.after_sample(stream, input);
    }

    fn after_sample(&mut self, index: usize, input: usize) {
        self.join_complete(index);
        // Tests of a later input may need any of them.
        if input + 1 >= self.inputs {
            let held = &self.held;
            let needed_from =
                || held.values().filter_map(Held::needs_from).min().unwrap_or(Micros::MAX);
            self.streams[index].let_go(needed_from);
        }
    }

    fn note_input(&mut self, input: usize) {
        if self.in_force.0 != input {
            self.in_force = (input, legacy_origin());
        }
    }

    fn hold(&mut self, item: Item) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let stream = self.stream(&item.origin.run, &item.origin.host);
        let fold = self.streams[stream].ended(&item, arrival);
        let is_in_time = item.window.is_some();
        let held = Held { item, stream, fold };
        if is_in_time {
            self.held.insert(arrival, held);
            self.join_complete(stream);
        } else {
            self.give_out(held, arrival, None);
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
            self.give_out(held, arrival, found);
        }
    }

    fn give_out(&mut self, held: Held, arrival: u64, found: Option<Resources>) {
        let cold = self.streams[held.stream].is_cold(&held.item, arrival);
        let kind = held.item.kind;
        self.joined.push_back((kind, held.item.joined(found, cold)));
    }

    fn of_stream(
        &mut self,
        index: usize,
        window: Window,
        fold: Option<Box<Fold>>,
    ) -> Option<Resources> {
        let Stream { samples, interval, .. } = &self.streams[index];
        let fold = match fold {
            Some(mut fold) => fold.end(window.end).then_some(fold),
            None if reaches_back(samples, window, *interval) => {
                return resources(samples, window, *interval);
            }
            None => None,
        };
        self.too_late += u64::from(fold.is_none());
        finish(*fold?, samples, window)
    }

    /// Whose samples a line of that stream is joined with, now that all are here:
    /// those of its own run; else those of its host; else, where the host of the one
    /// or the other is not known, those of the only host that was sampled.
    fn source(&self, index: usize) -> Option<Source> {
        if self.is_sampled(index) {
            return Some(Source::Stream(index));
        }
        let own = self.streams[index].origin.host.as_str();
        let sampled = || (0..self.streams.len()).filter(|index| self.is_sampled(*index));
        let host_of = |index: usize| self.streams[index].origin.host.as_str();
        let hosts: BTreeSet<&str> = sampled().map(host_of).collect();
        let host = match hosts.first() {
            _ if hosts.contains(own) => own,
            Some(&only) if hosts.len() == 1 && [own, only].contains(&UNKNOWN_HOST) => only,
            _ => return None,
        };
        let mut of_host = sampled().filter(|index| host_of(*index) == host);
        match (of_host.next(), of_host.next()) {
            (Some(one), None) => Some(Source::Stream(one)),
            _ => Some(Source::Host(host.to_owned())),
        }
    }

    fn is_sampled(&self, index: usize) -> bool {
        !self.streams[index].samples.times().is_empty()
    }

    fn look_up(
        &mut self,
        source: Source,
        window: Window,
        fold: Option<Box<Fold>>,
        merged: &mut BTreeMap<String, Samples>,
    ) -> Option<Resources> {
        match source {
            Source::Stream(index) => self.of_stream(index, window, fold),
            Source::Host(host) => {
                let mut of_host = self.streams.iter().filter(|stream| stream.origin.host == host);
                if of_host.any(|stream| !reaches_back(&stream.samples, window, stream.interval)) {
                    self.too_late += 1;
                    return None;
                }
                let samples = match merged.entry(host) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let samples = merge(&self.streams, new.key());
                        new.insert(samples)
                    }
                };
                resources(samples, window, None)
            }
        }
    }
}

/// Whether every sample is here that `window` has to do with.
fn reaches_back(samples: &Samples, window: Window, interval: Option<f64>) -> bool {
    samples.reach_back(window.start, reach(interval.map_or(0, micros)))
}

/// All samples of a host, in the order of time.
fn merge(streams: &[Stream], host: &str) -> Samples {
    let mut of_host: Vec<&Stream> =
        streams.iter().filter(|stream| stream.origin.host == host).collect();
    // Whichever came first: of two samples of one moment the same one counts.
    of_host.sort_by(|a, b| a.origin.run.cmp(&b.origin.run));
    let mut all = Samples::default();
    for stream in of_host {
        all.extend(&stream.samples);
    }
    all.sort();
    all
}

fn legacy_origin() -> Origin {
    Origin { run: LEGACY_RUN.to_owned(), host: UNKNOWN_HOST.to_owned() }
}
