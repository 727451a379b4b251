//! The lives of models: from the spans of a runner, and where there are none from
//! what the samples show.

use std::collections::HashMap;

use records::{ModelLife, Origin, Params, round};

use super::{
    Analysis,
    condense::{Seen, Used},
    facts::{Facts, Ran},
    levels::{FREE, GPU, Loaded, Source, USED, loaded, peak},
    steps::Rise,
};
use crate::{
    Samples, Window,
    cold::ModelKey,
    window::{Micros, seconds},
};

/// A load of which a span tells, and what was found out about it.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) stream: usize,
    pub(crate) key: ModelKey,
    params: Params,
    pub(crate) window: Window,
    pub(crate) load_s: f64,
    page_cache: Option<String>,
    memory: Option<Loaded>,
    gpu: Option<Loaded>,
    /// Memory of the whole machine before it, which outlives the processes.
    machine: Option<(Source, f64)>,
    /// What is known of what ran on it and is no longer kept.
    pub(crate) seen: Seen,
}

/// Another phase of a model's life.
#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) stream: usize,
    pub(crate) key: ModelKey,
    pub(crate) window: Window,
    pub(crate) stop: bool,
    pub(crate) peak: Option<f64>,
}

impl Load {
    /// What tells it from every other.
    pub(crate) fn place(&self) -> (usize, Micros, Micros, &ModelKey) {
        (self.stream, self.window.start, self.window.end, &self.key)
    }

    /// The load that `facts` tell of, if they are of one that came to its aim.
    pub(crate) fn of(facts: &Facts<'_>, samples: Option<&Samples>) -> Option<Load> {
        if facts.phase != Some("load") || !facts.reached {
            return None;
        }
        let read = |source: Source| {
            samples.and_then(|samples| Loaded::read(samples, source, facts.window))
        };
        let machine = samples.and_then(|samples| {
            let source = Source::of_machine(samples)?;
            Some((source, source.base(samples, facts.window)?))
        });
        Some(Load {
            stream: facts.stream,
            key: facts.model?.clone(),
            params: facts.params.clone(),
            window: facts.window,
            load_s: facts.seconds(),
            page_cache: facts.page_cache(),
            memory: samples.and_then(|samples| loaded(samples, facts.window)),
            gpu: read(GPU),
            machine,
            seen: Seen::default(),
        })
    }
}

impl Phase {
    /// Any other span on a model.
    pub(crate) fn of(facts: &Facts<'_>, samples: Option<&Samples>) -> Option<Phase> {
        facts.phase.filter(|phase| *phase != "spawn" && *phase != "load")?;
        let peak = samples.and_then(|samples| peak(samples, facts.window));
        Some(Phase {
            stream: facts.stream,
            key: facts.model?.clone(),
            window: facts.window,
            stop: facts.phase == Some("stop"),
            peak,
        })
    }
}

/// A life that is known from spans.
pub(crate) struct Life<'a> {
    pub(crate) load: &'a Load,
    pub(crate) end: Micros,
    stopped: bool,
    disk_gb: Option<f64>,
    peak: Option<f64>,
    /// Memory once it was unloaded, of the load's source.
    after: Option<f64>,
    /// The same of the whole machine.
    pub(crate) machine_after: Option<(Source, f64)>,
}

/// The lives of the runs, in the order of their loads. `samples_of` gives the samples
/// of a run, for what comes after its last unload.
pub(crate) fn lives<'a, 's>(
    analysis: &'a Analysis,
    samples_of: &dyn Fn(usize) -> Option<&'s Samples>,
) -> Vec<Life<'a>> {
    let Analysis { loads, phases, tests, disks: known_disks, .. } = analysis;
    let mut loads: Vec<&Load> = loads.iter().collect();
    loads.sort_by_key(|load| (load.stream, load.window.start));
    let phases = ByModel::new(phases.iter().map(|p| (p.stream, &p.key, p.window.start, p)));
    let tests = ByModel::new(
        tests.iter().filter_map(|t| Some((t.stream, t.model.as_ref()?, t.window.start, t))),
    );
    let again = ByModel::new(
        loads.iter().enumerate().map(|(at, l)| (l.stream, &l.key, l.window.start, at)),
    );
    let mut disks = HashMap::new();
    for (stream, key, _, test) in tests.all() {
        if let Some(disk_gb) = test.disk_gb {
            disks.entry((stream, key)).or_insert(disk_gb);
        }
    }
    for ((stream, key), disk_gb) in known_disks {
        disks.entry((*stream, key)).or_insert(*disk_gb);
    }
    let mut lives: Vec<Life<'a>> = Vec::new();
    for (at, &load) in loads.iter().enumerate() {
        let later = || loads[at + 1..].iter().take_while(|next| next.stream == load.stream);
        let (stream, key, start) = (load.stream, &load.key, load.window.start);
        let until = again
            .between(stream, key, start, None)
            .find(|next| **next > at)
            .map(|next| loads[*next].window.start);
        let phases = || phases.between(stream, key, start, until).copied();
        let stop = phases().filter(|phase| phase.stop).map(|phase| phase.window).next();
        let stop = load.seen.stop.or(stop);
        let tests = || tests.between(stream, key, start, until).copied();
        let last = phases().map(|p| p.window.end).chain(tests().map(|t| t.window.end));
        let last = last.chain(load.seen.last).max();
        let end = stop.map_or(last.unwrap_or(load.window.end), |stop| stop.end);
        // What is left is seen best when the next load starts from it; after the last
        // one, in what samples there still are. Both are the least of some time.
        let next = later().find(|next| next.window.start >= end);
        let after = |of_load: fn(&Load) -> Option<(Source, f64)>, source: Source| match next {
            Some(next) => of_load(next).filter(|(other, _)| *other == source).map(|found| found.1),
            None => samples_of(load.stream).and_then(|samples| source.settled(samples, end)),
        };
        let of_memory = |load: &Load| load.memory.map(|memory| (memory.source, memory.base));
        lives.push(Life {
            load,
            end: end.max(load.window.end),
            stopped: stop.is_some(),
            disk_gb: disks.get(&(stream, key)).copied(),
            peak: phases()
                .filter_map(|phase| phase.peak)
                .chain(tests().filter_map(|test| test.peak))
                .chain(load.memory.map(|memory| memory.ready))
                .chain(load.seen.peak)
                .reduce(f64::max),
            after: load.memory.filter(|_| stop.is_some()).and_then(|m| after(of_memory, m.source)),
            machine_after: load
                .machine
                .filter(|_| stop.is_some())
                .and_then(|(source, _)| Some((source, after(|load| load.machine, source)?))),
        });
    }
    leave_out_what_is_shared(&mut lives);
    lives
}

/// Things by the run and the model that they are about, in the order of time.
struct ByModel<'k, T>(Vec<(usize, &'k ModelKey, Micros, T)>);

impl<'k, T> ByModel<'k, T> {
    fn new(things: impl Iterator<Item = (usize, &'k ModelKey, Micros, T)>) -> Self {
        let mut all: Vec<_> = things.collect();
        // Stable: what begins at one time stays as it came.
        all.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        ByModel(all)
    }

    fn all(&self) -> impl Iterator<Item = (usize, &'k ModelKey, Micros, &T)> {
        self.0.iter().map(|(stream, key, ts, thing)| (*stream, *key, *ts, thing))
    }

    /// Those that began at `from` or later and, where that is known, before `until`.
    fn between(
        &self,
        stream: usize,
        key: &ModelKey,
        from: Micros,
        until: Option<Micros>,
    ) -> impl Iterator<Item = &T> {
        let first = self.0.partition_point(|(s, k, ts, _)| (*s, *k, *ts) < (stream, key, from));
        self.0[first..]
            .iter()
            .take_while(move |(s, k, ts, _)| {
                (*s, *k) == (stream, key) && until.is_none_or(|until| *ts < until)
            })
            .map(|(.., thing)| thing)
    }
}

/// While two models of one run are in memory at once, nobody knows whose its peak is, and
/// what is left after one of them is also the other.
fn leave_out_what_is_shared(lives: &mut [Life<'_>]) {
    let mut until = (usize::MAX, Micros::MIN);
    for at in 0..lives.len() {
        let (stream, start, end) =
            (lives[at].load.stream, lives[at].load.window.start, lives[at].end);
        let meets_next = lives
            .get(at + 1)
            .is_some_and(|next| next.load.stream == stream && next.load.window.start < end);
        if until.0 != stream {
            until = (stream, Micros::MIN);
        }
        if meets_next || start < until.1 {
            let life = &mut lives[at];
            (life.peak, life.after, life.machine_after) = (None, None, None);
        }
        until.1 = until.1.max(end);
    }
}

impl Life<'_> {
    /// Whether its end was seen.
    pub(crate) fn is_over(&self) -> bool {
        self.stopped
    }

    /// The machine's memory once it was unloaded.
    pub(crate) fn level_after(&self) -> Option<f64> {
        self.machine_after.filter(|_| self.stopped).map(|(_, level)| level)
    }

    /// The record. `tests` are those that ran on the same machine, in the order of time.
    pub(crate) fn record(&self, origin: &Origin, tests: &[&Ran]) -> ModelLife {
        let load = self.load;
        let memory = load.memory;
        let taken = |level: f64| memory.map(|memory| gb(level - memory.base));
        let mut life = ModelLife::at(seconds(load.window.start), origin);
        life.end_ts = round(seconds(self.end), 6);
        life.params = load.params.clone();
        life.memory_series = memory.map(|memory| memory.source.name.to_owned());
        life.before_gb = memory.and_then(|memory| memory.source.shown(memory.base)).map(gb);
        life.model_delta_gb = memory.map(|memory| gb(memory.delta()));
        life.gpu_delta_gb = load.gpu.map(|gpu| gb(gpu.delta()));
        life.peak_gb = self.peak.and_then(taken);
        life.not_returned_gb = self.after.and_then(taken);
        life.load_s = Some(round(load.load_s, 6));
        life.page_cache.clone_from(&load.page_cache);
        let at = |time: Micros| tests.partition_point(|test| test.window.start < time);
        let during = &tests[at(load.window.start)..at(self.end)];
        let ran = |test: &&&Ran| !test.skipped;
        let on_it =
            |test: &&&Ran| test.stream == load.stream && test.model.as_ref() == Some(&load.key);
        life.disk_gb = self.disk_gb;
        life.tests = ids(during.iter().filter(ran).filter(on_it));
        life.tests_left_out = Some(load.seen.tests).filter(|count| *count > 0);
        // A test of another backend ran on something else, whatever it names.
        let unnamed = |test: &&&Ran| {
            test.model.is_none() && (test.backend.is_none() || test.backend == load.key.0)
        };
        life.unnamed_tests = ids(during.iter().filter(ran).filter(unnamed));
        life
    }
}

/// The record of a life that only the samples tell of. `last` is the last sample.
pub(crate) fn inferred(
    rise: &Rise,
    last: Micros,
    samples: Option<&Samples>,
    origin: &Origin,
    tests: &[&Ran],
    before: &[&Used],
) -> ModelLife {
    let source = samples.and_then(Source::of_machine).unwrap_or(USED);
    let end = rise.end.unwrap_or(last);
    let mut life = ModelLife::at(seconds(rise.from), origin);
    life.end_ts = round(seconds(end), 6);
    life.inferred = Some(true);
    life.memory_series = Some(source.name.to_owned());
    life.before_gb = Some(rise.before_gb).filter(|_| source != FREE).map(gb);
    life.model_delta_gb = Some(gb(rise.after_load_gb - rise.before_gb));
    life.peak_gb = Some(gb(rise.peak_gb - rise.before_gb));
    life.not_returned_gb = rise.after_gb.map(|after| gb(after - rise.before_gb));
    life.load_s = Some(round(seconds(rise.ready - rise.from), 3));
    let during: Vec<&&Ran> = tests
        .iter()
        .filter(|test| !test.skipped && test.window.start < end && test.window.end > rise.from)
        .collect();
    let named = during.iter().filter_map(|test| Some((test.model.as_ref()?, test.disk_gb)));
    let used = before.iter().filter(|used| used.window.start < end && used.window.end > rise.from);
    let mut named: Vec<(&ModelKey, Option<f64>)> =
        named.chain(used.map(|used| (&used.key, used.disk_gb))).collect();
    named.sort_by(|a, b| a.0.cmp(b.0));
    // Only where all of them name the same model is it known which this one is.
    if let (Some((first, disk_gb)), Some((last, _))) = (named.first(), named.last())
        && first == last
    {
        life.params.backend.clone_from(&first.0);
        life.params.model = Some(first.1.clone());
        life.disk_gb = *disk_gb;
    }
    life.tests = ids(during.iter().copied().filter(|test| test.model.is_some()));
    life.unnamed_tests = ids(during.iter().copied().filter(|test| test.model.is_none()));
    life
}

fn ids<'a>(tests: impl Iterator<Item = &'a &'a Ran>) -> Vec<String> {
    let mut tests: Vec<&&Ran> = tests.collect();
    tests.sort_by_key(|test| test.window.start);
    tests.into_iter().map(|test| test.id.clone()).collect()
}

fn gb(value: f64) -> f64 {
    // Adding 0 turns a -0 that came of rounding into 0.
    round(value, 3) + 0.0
}
