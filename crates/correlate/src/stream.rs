//! What is known of one run on one host: its samples, whether they are all here up
//! to some time, and what still runs.

use std::{cmp::Reverse, collections::BinaryHeap};

use records::{Kind, Origin, Params, Sample};

use crate::{
    Samples,
    cold::Cold,
    item::Item,
    stats::reach,
    window::{Micros, Window, micros},
};

/// Samples that are kept whatever is open, so that a span that nobody announced is
/// joined as well: nearly an hour at five a second, in a few megabytes.
pub(crate) const KEPT: usize = 1 << 14;

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
            look_at: 2 * KEPT,
        }
    }

    /// Takes a sample; `seq` where it carries one.
    pub(crate) fn sample(&mut self, sample: &Sample, seq: Option<u64>) {
        self.next_seq = self.next_seq.filter(|next| Some(*next) == seq).map(|next| next + 1);
        let ts = micros(sample.ts);
        self.replay |= ts < self.latest;
        self.latest = ts;
        self.samples.push(sample);
    }

    /// A test or a span begins.
    pub(crate) fn begin(
        &mut self,
        ts: f64,
        id: Option<String>,
        phase: Option<String>,
        params: Params,
    ) {
        self.open.push(Open { ts: micros(ts), id, phase, params });
    }

    /// The run ended, and whatever it left open with it.
    pub(crate) fn end(&mut self) {
        self.open.clear();
    }

    /// A test, span or attempt ended, and waits under `arrival` for its samples.
    pub(crate) fn ended(&mut self, item: &Item, arrival: u64) {
        match item.kind {
            // Every attempt of it began under the same id.
            Kind::Test => self.open.retain(|open| open.id.is_none() || open.id != item.id),
            Kind::Span => {
                let begun = self.open.iter().position(|open| {
                    open.id.is_none() && open.phase == item.phase && open.params == item.params
                });
                if let Some(begun) = begun {
                    self.open.remove(begun);
                }
            }
            _ => {}
        }
        let Some(window) = item.window else {
            return;
        };
        if let Some(model) = &item.model {
            if item.is_load() {
                self.cold.loaded(model.clone(), window);
            } else if item.kind != Kind::Span {
                self.cold.used(model.clone(), window, arrival);
            }
        }
        self.waiting.push(Reverse((window.end, arrival)));
    }

    /// Whether a test was the first on its model since it was loaded, where it can be known.
    pub(crate) fn is_cold(&self, item: &Item, arrival: u64) -> Option<bool> {
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
        self.cold.is_cold(model, window, arrival, self.announces, open)
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
        self.next_seq.and(self.interval)?;
        let Reverse((end, arrival)) = *self.waiting.peek()?;
        (self.latest >= end).then(|| {
            self.waiting.pop();
            arrival
        })
    }

    /// Lets samples go that nothing can need any more, once there are many.
    ///
    /// Nothing needs samples from before the start of what waits (`waits_from`) and
    /// of what has begun and not ended, because a run that announces its tests has
    /// none that began earlier; less the sample before that start, which the join
    /// looks at, and the time for which its gauges may hold. Only where samples came
    /// in order, so that "earlier" means anything, and never the newest [`KEPT`].
    pub(crate) fn let_go(&mut self, waits_from: impl FnOnce() -> Micros) {
        if !self.announces || self.next_seq.is_none() || self.samples.times().len() < self.look_at {
            return;
        }
        let floor = self.open.iter().map(|open| open.ts).fold(waits_from(), Micros::min);
        self.samples.sort();
        let times = self.samples.times();
        let old = times.len().saturating_sub(KEPT);
        let before = times.partition_point(|ts| *ts <= floor).saturating_sub(1).min(old);
        let oldest = times[before] - reach(self.interval.map_or(0, micros));
        let count = times[..before].partition_point(|ts| *ts < oldest);
        self.samples.let_go(count);
        // Where little could go, come back later: looking each time would cost more
        // than the samples.
        self.look_at = (self.samples.times().len() + KEPT).max(2 * KEPT);
    }
}
