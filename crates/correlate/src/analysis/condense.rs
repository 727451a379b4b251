//! What is kept of a long run. Beyond some number, tests and phases that are long over are
//! no longer kept one by one: what they say of the models goes to the loads that they ran
//! on, and only those are kept that a finding may name. Lives of models that are over are
//! told before the end of the run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Analysis, Finding,
    facts::Ran,
    findings,
    life::{Load, Phase, lives},
    second::SECOND,
};
use crate::{Window, cold::ModelKey, window::Micros};
use records::Origin;

/// How many are kept one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) tests: usize,
    /// Of those that are long over, the ones that something touched.
    pub(crate) touched: usize,
    pub(crate) phases: usize,
    pub(crate) loads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tests: 4096, touched: 512, phases: 2048, loads: 512 }
    }
}

/// Tests on one model this near one another leave it in memory.
const NEAR: Micros = 5 * SECOND;
/// Uses of models that are kept.
const MOST_USED: usize = 1024;
/// Levels of memory after unloads that are kept.
const MOST_LEVELS: usize = 1024;

/// What is known of the loads and tests of a run that are no longer kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    pub(crate) loads: usize,
    pub(crate) load_s: f64,
    /// Seconds of the first load of each model.
    pub(crate) first: BTreeMap<ModelKey, f64>,
    /// The memory of the machine after unloads.
    pub(crate) unloads: Levels,
    /// When the first of the loads began.
    pub(crate) from: Option<Micros>,
    /// The tests that no finding can name any more.
    pub(crate) tests: u64,
    /// When the first test began.
    pub(crate) start: Option<Micros>,
    /// How often the model changed from one test to the next, and to which.
    pub(crate) changes: usize,
    pub(crate) models: BTreeSet<ModelKey>,
    /// Which was used when, the last ones.
    pub(crate) used: VecDeque<Used>,
    /// When those were used that are no longer kept.
    pub(crate) unknown_to: Option<Micros>,
}

/// A stretch of time in which tests were on one model.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) key: ModelKey,
    pub(crate) window: Window,
    pub(crate) disk_gb: Option<f64>,
}

/// A series of levels, of which every so many are kept.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    pub(crate) kept: Vec<f64>,
    /// How many levels there are for each that is kept.
    pub(crate) step: usize,
    pub(crate) count: usize,
}

impl Default for Levels {
    fn default() -> Levels {
        Levels { kept: Vec::new(), step: 1, count: 0 }
    }
}

impl Levels {
    pub(crate) fn push(&mut self, level: f64) {
        if self.count.is_multiple_of(self.step) {
            if self.kept.len() == MOST_LEVELS {
                let mut at = 0;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.step *= 2;
            }
            if self.count.is_multiple_of(self.step) {
                self.kept.push(level);
            }
        }
        self.count += 1;
    }
}

/// What ran on a load of which nothing else is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) peak: Option<f64>,
    pub(crate) last: Option<Micros>,
    pub(crate) stop: Option<Window>,
    /// Tests that are not named.
    pub(crate) tests: u64,
}

impl Seen {
    fn add(&mut self, peak: Option<f64>, end: Micros) {
        self.peak = self.peak.into_iter().chain(peak).reduce(f64::max);
        self.last = self.last.max(Some(end));
    }
}

impl Before {
    fn load(&mut self, load: &Load, machine_after: Option<f64>) {
        self.loads += 1;
        self.load_s += load.load_s;
        self.first.entry(load.key.clone()).or_insert(load.load_s);
        self.from.get_or_insert(load.window.start);
        machine_after.into_iter().for_each(|level| self.unloads.push(level));
    }

    fn test(&mut self, test: &Ran) {
        if test.skipped {
            return;
        }
        self.start.get_or_insert(test.window.start);
        let Some(key) = &test.model else {
            return;
        };
        if let Some(used) = self.used.back_mut().filter(|used| used.key == *key) {
            if test.window.start <= used.window.end + NEAR {
                used.window.end = used.window.end.max(test.window.end);
                used.disk_gb = used.disk_gb.or(test.disk_gb);
                return;
            }
        } else {
            self.changes += 1;
            self.models.insert(key.clone());
        }
        if self.used.len() == MOST_USED {
            self.unknown_to = self.used.pop_front().map(|used| used.window.end);
        }
        self.used.push_back(Used { key: key.clone(), window: test.window, disk_gb: test.disk_gb });
    }

    /// The model that was last used.
    pub(crate) fn last(&self) -> Option<&ModelKey> {
        self.used.back().map(|used| &used.key)
    }
}

/// The loads of each model of each run: when they began, and their places.
struct Loads(BTreeMap<(usize, ModelKey), Vec<(Micros, usize)>>);

impl Loads {
    fn new(loads: &[Load]) -> Loads {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at, load) in loads.iter().enumerate() {
            let of_model = all.entry((load.stream, load.key.clone())).or_default();
            of_model.push((load.window.start, at));
        }
        all.values_mut().for_each(|of_model| of_model.sort_unstable());
        Loads(all)
    }

    /// The last load of the model that began at `start` or before.
    fn before(&self, stream: usize, key: &ModelKey, start: Micros) -> Option<usize> {
        let of_model = self.0.get(&(stream, key.clone()))?;
        let after = of_model.partition_point(|(from, _)| *from <= start);
        of_model.get(after.checked_sub(1)?).map(|(_, at)| *at)
    }
}

impl Analysis {
    /// Whether there is so much that [`Analysis::condense`] should be called.
    pub(crate) fn is_full(&self) -> bool {
        self.tests.len() > self.limits.tests
            || self.phases.len() > self.limits.phases
            || self.loads.len() > self.limits.loads
    }

    /// Keeps less of what is long over. The lives of models that are told now.
    pub(crate) fn condense(&mut self, origins: &[Origin]) -> Vec<(usize, Finding)> {
        self.forget_copies();
        let told =
            if self.loads.len() > self.limits.loads { self.tell_lives(origins) } else { vec![] };
        let loads = Loads::new(&self.loads);
        if self.phases.len() > self.limits.phases {
            self.fold_phases(&loads);
        }
        if self.tests.len() > self.limits.tests {
            self.fold_tests(&loads);
        }
        told
    }

    /// Tells the lives that are over, up to a moment at which no model was in memory.
    fn tell_lives(&mut self, origins: &[Origin]) -> Vec<(usize, Finding)> {
        let lives = lives(self, &|_| None);
        let mut until: BTreeMap<usize, Micros> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for of_run in lives.chunk_by(|a, b| a.load.stream == b.load.stream) {
            let stream = of_run[0].load.stream;
            // Half of what may be kept is kept, whatever is over.
            let most = of_run.len().saturating_sub(self.limits.loads / 2);
            let mut end = Micros::MIN;
            let mut count = 0;
            for (at, life) in of_run.iter().enumerate().take(most + 1) {
                if life.load.window.start >= end {
                    count = at;
                }
                end = end.max(if life.is_over() { life.end } else { Micros::MAX });
            }
            // Where something never ends, it is told of as far as it is known.
            if count == 0 && of_run.len() > 2 * self.limits.loads {
                count = most;
            }
            if count > 0 {
                until.insert(stream, of_run[count].load.window.start);
                told.extend(
                    of_run[..count]
                        .iter()
                        .map(|life| life.load.window.start)
                        .map(|start| (stream, start)),
                );
            }
        }
        let over: Vec<_> = lives
            .iter()
            .filter(|life| told.contains(&(life.load.stream, life.load.window.start)))
            .collect();
        let records = findings::records_of(self, origins, &over);
        let after: Vec<(Load, Option<f64>)> =
            over.iter().map(|life| (life.load.clone(), life.level_after())).collect();
        for (load, level) in &after {
            self.streams.entry(load.stream).or_default().before.load(load, *level);
        }
        let is_kept =
            |stream: usize, start: Micros| until.get(&stream).is_none_or(|until| start >= *until);
        self.loads.retain(|load| is_kept(load.stream, load.window.start));
        self.phases.retain(|phase| is_kept(phase.stream, phase.window.start));
        records
    }

    /// Brings the older half of the phases into the loads that they belong to.
    fn fold_phases(&mut self, loads: &Loads) {
        let cut = middle(self.phases.iter().map(|phase| phase.window.end));
        let (old, new) = std::mem::take(&mut self.phases)
            .into_iter()
            .partition::<Vec<Phase>, _>(|phase| phase.window.end < cut);
        self.phases = new;
        for phase in old {
            let load = loads.before(phase.stream, &phase.key, phase.window.start);
            let Some(load) = load.and_then(|at| self.loads.get_mut(at)) else {
                continue;
            };
            load.seen.add(phase.peak, phase.window.end);
            if phase.stop {
                load.seen.stop.get_or_insert(phase.window);
            }
        }
    }

    /// The same with the older half of the tests, but for some of those that a finding may
    /// name.
    fn fold_tests(&mut self, loads: &Loads) {
        let cut = middle(self.tests.iter().map(|test| test.window.end));
        let troubles: Vec<(Micros, Micros)> = self
            .streams
            .values()
            .filter_map(|s| s.machine.as_ref())
            .flat_map(|m| m.troubles())
            .collect();
        let idle_pct = self.thresholds.gpu_idle_pct;
        let is_touched = |test: &Ran| {
            let Window { start, end } = test.window;
            !test.doubts.is_empty()
                || (test.answered && test.gpu_pct.is_some_and(|(_, most)| most < idle_pct))
                || troubles.iter().any(|(from, to)| start < *to && end > *from)
        };
        let mut touched = 0;
        let tests = std::mem::take(&mut self.tests);
        for mut test in tests {
            if test.window.end >= cut {
                self.tests.push(test);
                continue;
            }
            let stream = self.streams.entry(test.stream).or_default();
            let is_kept = touched < self.limits.touched && is_touched(&test);
            let load = test
                .model
                .as_ref()
                .and_then(|key| loads.before(test.stream, key, test.window.start));
            let load = load.and_then(|at| self.loads.get_mut(at));
            if !test.folded {
                stream.before.test(&test);
                if let (Some(model), Some(disk_gb)) = (&test.model, test.disk_gb) {
                    self.disks.entry((test.stream, model.clone())).or_insert(disk_gb);
                }
                if let (Some(model), Some((mean, _))) = (&test.model, test.gpu_pct) {
                    let most = self.busiest.entry((test.stream, model.clone())).or_insert(mean);
                    *most = most.max(mean);
                }
            }
            if is_kept {
                touched += 1;
                test.folded = true;
                self.tests.push(test);
                continue;
            }
            stream.before.tests += 1;
            if let Some(load) = load {
                load.seen.add(test.peak, test.window.end);
                load.seen.tests += u64::from(!test.skipped);
            }
        }
    }
}

/// The moment in the middle of `moments`.
fn middle(moments: impl Iterator<Item = Micros>) -> Micros {
    let mut moments: Vec<Micros> = moments.collect();
    if moments.is_empty() {
        return Micros::MIN;
    }
    let at = moments.len() / 2;
    *moments.select_nth_unstable(at).1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Levels, Limits, MOST_LEVELS};
    use crate::{Join, analysis::Analysis};

    #[test]
    fn of_many_levels_every_so_many_are_kept() {
        let mut levels = Levels::default();
        for level in 0..5 * MOST_LEVELS {
            levels.push(level as f64);
        }
        assert_eq!((levels.count, levels.step), (5 * MOST_LEVELS, 8));
        assert!(levels.kept.iter().enumerate().all(|(at, level)| *level == (8 * at) as f64));
        assert!(levels.kept.len() <= MOST_LEVELS);
    }

    /// A run that loads models, runs so many tests on each, and unloads it; memory leaks,
    /// and now and then swap grows. With or without spans that tell of the loads.
    fn story(cycles: &[(u8, usize, bool)], spans: bool) -> Vec<Value> {
        let head = |record: &str, ts: f64| json!({"record": record, "v": 1, "ts": ts, "run": "r", "host": "h"});
        let with = |mut line: Value, more: Value| {
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            line
        };
        let mut lines =
            vec![with(head("stream", 0.0), json!({"interval_ms": 1000})), head("run_start", 0.0)];
        let (mut now, mut used, mut swap) = (0.0, 10.0, 0.0);
        let mut sample = |lines: &mut Vec<Value>, until: f64, gb: f64, swap: f64| {
            while now < until {
                let figures = json!({"seq": now as u64, "elapsed_s": now, "ram_used_gb": gb,
                    "swap_used_mb": swap, "gpu_device_util": if (now as u64).is_multiple_of(7) { 90.0 } else { 30.0 }});
                lines.push(with(head("sample", now), figures));
                now += 1.0;
            }
        };
        let mut at = 0.5;
        for (cycle, (model, tests, swaps)) in cycles.iter().enumerate() {
            let params = json!({"backend": "b", "model": format!("m{model}")});
            sample(&mut lines, at, used, swap);
            let span = |phase: &str, ts: f64, end: f64| {
                let more = json!({"phase": phase, "params": params, "end_ts": end, "duration_s": end - ts});
                with(head("span", ts), more)
            };
            sample(&mut lines, at + 4.0, used + 2.0, swap);
            if spans {
                lines.push(span("load", at, at + 3.0));
            }
            at += 4.0;
            for test in 0..*tests {
                sample(&mut lines, at + 3.0, used + 2.5, swap);
                swap += if *swaps { 150.0 } else { 0.0 };
                let id = format!("t{cycle}-{test}");
                lines.push(with(
                    head("test", at),
                    json!({"id": id, "params": params, "outcome": "passed",
                    "end_ts": at + 2.5, "runs": [{}], "metrics": {"completion_tokens": 3},
                    "model": {"id": "m", "size_gb": 1.5}}),
                ));
                at += 3.0;
            }
            used += 0.06;
            sample(&mut lines, at + 6.0, used, swap);
            if spans {
                lines.push(span("stop", at, at + 1.0));
            }
            at += 7.0;
        }
        sample(&mut lines, at + 10.0, used, swap);
        lines
    }

    /// The findings; a life by its start, since some are told earlier.
    fn findings(lines: &[Value], limits: Limits) -> (BTreeMap<String, Value>, Vec<Value>) {
        let mut join = Join::new(1).with_analysis(Analysis { limits, ..Analysis::default() });
        for line in lines {
            let line = serde_json::to_vec(line).unwrap();
            join.push(&line, &records::classify(&line), 0).unwrap();
            let Analysis { tests, loads, phases, .. } = join.analysis().unwrap();
            assert!(tests.len() <= limits.tests && phases.len() <= limits.phases);
            assert!(loads.len() <= 2 * limits.loads + 1);
        }
        join.finish();
        let mut found: Vec<Vec<u8>> = Vec::new();
        while let Some((kind, line)) = join.next_joined() {
            found.extend((kind == records::Kind::ModelLife).then_some(line));
        }
        found.extend(join.findings());
        let found = found.iter().map(|line| serde_json::from_slice::<Value>(line).unwrap());
        let (lives, others) =
            found.partition::<Vec<Value>, _>(|line| line["record"] == "model_life");
        // Those are of single tests, of which some are kept.
        let others =
            others.into_iter().filter(|line| line["kind"] != "suspect_measurement").collect();
        (lives.into_iter().map(|life| (life["ts"].to_string(), life)).collect(), others)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_long_run_comes_to_the_same_but_for_names(
            cycles in prop::collection::vec((0u8..3, 0usize..6, prop::bool::weighted(0.05)), 1..40),
            spans in any::<bool>(),
        ) {
            let lines = story(&cycles, spans);
            let all = usize::MAX / 4;
            let (want, want_others) = findings(&lines, Limits { tests: all, touched: all, phases: all, loads: all });
            let (got, got_others) = findings(&lines, Limits { tests: 16, touched: 4, phases: 8, loads: 6 });
            prop_assert_eq!(got.len(), want.len());
            for (start, want) in want {
                let mut got = got[&start].clone();
                let count = |life: &Value| life["tests"].as_array().unwrap().len();
                if spans {
                    let left_out = got["tests_left_out"].as_u64().unwrap_or(0) as usize;
                    prop_assert_eq!(count(&got) + left_out, count(&want));
                }
                let mut want = want;
                // A life that is told early knows of no later test.
                if got["disk_gb"].is_null() {
                    drop(want.as_object_mut().unwrap().remove("disk_gb"));
                }
                for life in [&mut got, &mut want] {
                    life.as_object_mut().unwrap().retain(|field, value| {
                        !field.starts_with("tests") && !value.is_null()
                    });
                }
                prop_assert_eq!(got, want);
            }
            prop_assert_eq!(got_others.len(), want_others.len());
            for (mut got, want) in got_others.into_iter().zip(want_others) {
                let mut want = want;
                let said = |line: &Value| line["message"].as_str().unwrap().split(';').next().unwrap().to_owned();
                for line in [&mut got, &mut want] {
                    line["message"] = said(line).into();
                    for field in ["tests", "order"] {
                        drop(line.as_object_mut().unwrap().remove(field));
                    }
                }
                prop_assert_eq!(got, want);
            }
        }
    }
}
