//! What is known of one run on one host: its samples, whether they are all here up
//! to some time, and what still runs.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

use records::{Kind, Origin, Params};

use crate::{
    Samples,
    cold::Cold,
    fold::{Fold, reach},
    item::Item,
    window::{Micros, Window, micros},
};

/// The newest samples are kept whatever is open, so that a span that nobody announced is
/// joined as well: nearly a quarter of an hour at five a second.
pub(crate) const KEPT: usize = 1 << 12;

/// A run on a host.
pub(crate) struct Stream {
    pub(crate) origin: Origin,
    pub(crate) samples: Samples,
    pub(crate) cold: Cold,
    /// The interval in seconds that the sampler was asked for.
    pub(crate) interval: Option<f64>,
    /// The runner of this run announces its loads and tests: its `run_start` was seen.
    pub(crate) announces: bool,
    /// What has begun and not ended.
    open: Vec<Open>,
    /// Arrivals of the lines that wait for a sample at or after their end.
    waiting: BinaryHeap<Reverse<(Micros, u64)>>,
    /// The `seq` that the next sample has; none once one was missing or late.
    next_seq: Option<u64>,
    latest: Micros,
    /// A sample came that is earlier than one before it: the analysis, which needs them
    /// in order, has to see them anew once they are sorted.
    pub(crate) replay: bool,
    /// Look for samples to let go when there are this many.
    look_at: usize,
}

/// A test or a span that has begun.
struct Open {
    ts: Micros,
    id: Option<String>,
    phase: Option<String>,
    params: Params,
    /// What the samples come to that were let go since it began.
    fold: Option<Box<Fold>>,
}

impl Open {
    /// Whether `item` is what has begun here, or one of several attempts at it.
    fn is(&self, item: &Item) -> bool {
        match item.kind {
            Kind::Span => {
                self.id.is_none() && self.phase == item.phase && self.params == item.params
            }
            _ => self.id.is_some() && self.id == item.id,
        }
    }
}

impl Stream {
    pub(crate) fn new(origin: Origin) -> Stream {
        Stream {
            origin,
            samples: Samples::default(),
            cold: Cold::default(),
            interval: None,
            announces: false,
            open: Vec::new(),
            waiting: BinaryHeap::new(),
            next_seq: Some(0),
            latest: Micros::MIN,
            replay: false,
            look_at: 3 * KEPT,
        }
    }

    /// Takes a sample of the values at those places; `seq` where it carries one.
    pub(crate) fn sample(
        &mut self,
        ts: Micros,
        seq: Option<u64>,
        values: impl Iterator<Item = (usize, f64)>,
    ) {
        self.next_seq = self.next_seq.filter(|next| Some(*next) == seq).map(|next| next + 1);
        self.replay |= ts < self.latest;
        self.latest = ts;
        self.samples.push_row(ts, values);
    }

    /// Takes samples that were scanned and follow one another, at times that are `shift`
    /// later. Which they are among those that it keeps.
    pub(crate) fn scanned(&mut self, part: &pipe::Samples<'_>, shift: Micros) -> Range<usize> {
        let known = self.samples.times().len();
        self.samples.push_rows(part, shift);
        let times = &self.samples.times()[known..];
        if let ([first, ..], [first_at, .., last_at] | [first_at @ last_at]) = (part.rows, times) {
            let behind = first.seq.saturating_add(part.rows.len() as u64);
            self.next_seq = self.next_seq.filter(|next| *next == first.seq).map(|_| behind);
            self.replay |= *first_at < self.latest;
            self.latest = *last_at;
        }
        known..known + times.len()
    }

    /// A test or a span begins.
    pub(crate) fn begin(
        &mut self,
        ts: f64,
        id: Option<String>,
        phase: Option<String>,
        params: Params,
    ) {
        self.open.push(Open { ts: micros(ts), id, phase, params, fold: None });
    }

    /// The run ended, and whatever it left open with it.
    pub(crate) fn end(&mut self) {
        self.open.clear();
    }

    /// A test, span or attempt ended, and waits under `arrival` for its samples. What
    /// those come to that were let go while it ran.
    pub(crate) fn ended(&mut self, item: &Item, arrival: u64) -> Option<Box<Fold>> {
        let begun = |open: &Open| open.is(item) && item.window.is_some_and(|w| w.start == open.ts);
        let fold = self.open.iter_mut().find(|open| begun(open)).and_then(|open| open.fold.take());
        match item.kind {
            // Every attempt of it began under the same id.
            Kind::Test => self.open.retain(|open| !open.is(item)),
            Kind::Span => {
                if let Some(begun) = self.open.iter().position(|open| open.is(item)) {
                    self.open.remove(begun);
                }
            }
            _ => {}
        }
        let window = item.window?;
        if let Some(model) = &item.model {
            if item.is_load() {
                self.cold.loaded(model.clone(), window);
            } else if item.kind != Kind::Span {
                self.cold.used(model.clone(), window, item.id.as_deref(), arrival);
            }
        }
        self.waiting.push(Reverse((window.end, arrival)));
        fold
    }

    /// Whether a test was the first on its model since it was loaded, where it can be known.
    pub(crate) fn is_cold(&self, item: &Item) -> Option<bool> {
        let (model, window) = (item.model.as_ref()?, item.window?);
        if item.kind != Kind::Test {
            return None;
        }
        let (backend, name) = model;
        let others = self.open.iter().filter(|open| {
            open.id.is_some()
                && open.id != item.id
                && open.params.backend == *backend
                && open.params.model.as_ref() == Some(name)
        });
        let open = others.map(|open| open.ts);
        self.cold.is_cold(model, window, item.id.as_deref(), self.announces, open)
    }

    /// The load that a test ran on: the last of its model that ended before it.
    pub(crate) fn load_before(&self, item: &Item) -> Option<Window> {
        self.cold.load_before(item.model.as_ref()?, item.window?.start)
    }

    /// The next line that can be joined now, in the order of their ends.
    ///
    /// It can when no sample that it needs is still to come: every sample of the run
    /// is here, from `seq` 0 on in order, up to one at or after the line's end, and
    /// the interval is known. Where that cannot be shown (files in another order, a
    /// hole in `seq`, legacy samples, which have none), lines wait for the end of input.
    pub(crate) fn next_complete(&mut self) -> Option<u64> {
        (self.latest >= self.awaited()?)
            .then(|| self.waiting.pop())?
            .map(|Reverse((_, arrival))| arrival)
    }

    /// When that line ends: a sample from then on completes it.
    pub(crate) fn awaited(&self) -> Option<Micros> {
        self.next_seq.and(self.interval)?;
        self.waiting.peek().map(|Reverse((end, _))| *end)
    }

    /// Lets samples go that nothing can need any more, once there are many.
    ///
    /// Nothing needs samples from before `needed_from`, where the windows begin that
    /// wait, less the sample before that start, which the join looks at, and the time for
    /// which its gauges may hold. What has begun and not ended takes in those that go. A
    /// run that announces its tests has no others that began earlier. Only where samples
    /// came in order, so that "earlier" means anything, and never the newest [`KEPT`].
    pub(crate) fn let_go(&mut self, needed_from: impl FnOnce() -> Micros) {
        let Some(interval) = self.interval.map(micros) else {
            return;
        };
        if !self.announces || self.next_seq.is_none() || self.samples.times().len() < self.look_at {
            return;
        }
        self.samples.sort();
        let times = self.samples.times();
        let needed_from = needed_from();
        let before = times.partition_point(|ts| *ts <= needed_from).saturating_sub(1);
        let before = before.min(times.len().saturating_sub(KEPT));
        let oldest = times[before] - reach(interval);
        let count = times[..before].partition_point(|ts| *ts < oldest);
        for open in self.open.iter_mut().filter(|open| open.ts <= times[before]) {
            if open.fold.is_none() && self.samples.reach_back(open.ts, reach(interval)) {
                open.fold = Some(Box::new(Fold::open(&self.samples, open.ts, interval)));
            }
            if let Some(fold) = &mut open.fold {
                let rest = fold.rest(&self.samples);
                fold.take(&self.samples, rest.start..rest.end.min(count));
            }
        }
        self.samples.let_go(count);
        // Where little could go, come back later: looking each time would cost more
        // than the samples.
        self.look_at = (self.samples.times().len() + 2 * KEPT).max(3 * KEPT);
    }
}
