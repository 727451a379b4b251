//! From what was gathered to records: each thing that happened in a sentence, with
//! its figures and the tests that it touches.

use std::collections::BTreeMap;

use records::{Anomaly, ErrorInfo, ModelLife, Origin, Severity, round};
use serde_json::{Map, Value, json};

use super::{
    Analysis, Finding, Stream,
    advice::advice,
    facts::{Death, Ran},
    life::{Life, Load, inferred, lives},
    machine::Machine,
    second::SECOND,
    slope::slope,
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
/// A test must run so long, and samples cover so much of it, before its GPU is called idle.
const IDLE_FROM: Micros = 2 * SECOND;
const IDLE_COVERAGE: f64 = 0.8;

type SamplesOf<'f, 's> = &'f dyn Fn(usize) -> Option<&'s Samples>;

pub(crate) fn all<'s>(
    analysis: &Analysis,
    origins: &[Origin],
    samples_of: SamplesOf<'_, 's>,
) -> Vec<(usize, Finding)> {
    let lives = lives(&analysis.loads, &analysis.phases, &analysis.tests, samples_of);
    let mut found =
        Found { analysis, origins, lives: Vec::new(), anomalies: Vec::new(), spoilers: Vec::new() };
    found.lives(&lives, samples_of);
    let mut advised = Vec::new();
    for (stream, origin) in origins.iter().enumerate() {
        let loads: Vec<&Load> = analysis.loads.iter().filter(|l| l.stream == stream).collect();
        let tests: Vec<&Ran> = analysis.tests.iter().filter(|t| t.stream == stream).collect();
        advised.extend(advice(origin, &loads, &tests).map(|advice| (stream, advice)));
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
    let anomalies =
        found.anomalies.into_iter().map(|(stream, anomaly)| (stream, Finding::Anomaly(anomaly)));
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

    fn lives<'s>(&mut self, lives: &[Life<'_>], samples_of: SamplesOf<'_, 's>) {
        for life in lives {
            let stream = life.load.stream;
            if let Some(origin) = self.origins.get(stream) {
                let record = life.record(origin, &self.tests_on(stream));
                self.lives.push((stream, record));
            }
        }
        // Where a run on the machine tells of its loads, what rises is known.
        for (&index, stream) in &self.analysis.streams {
            let tests = self.tests_on(index);
            let told = tests.iter().any(|test| lives.iter().any(|l| l.load.stream == test.stream))
                || lives.iter().any(|life| life.load.stream == index);
            let (Some(machine), Some(origin)) = (&stream.machine, self.origins.get(index)) else {
                continue;
            };
            let Some((_, last)) = machine.span().filter(|_| !told) else {
                continue;
            };
            let rises = machine.rises();
            let samples = samples_of(index);
            let records: Vec<ModelLife> =
                rises.iter().map(|rise| inferred(rise, last, samples, origin, &tests)).collect();
            let any_tests = !tests.is_empty();
            let after: Vec<f64> = rises.iter().filter_map(|rise| rise.after_gb).collect();
            for (record, rise) in records.into_iter().zip(&rises) {
                if any_tests && record.tests.is_empty() {
                    self.unnamed(index, &record, (rise.from, rise.end.unwrap_or(last)));
                }
                self.lives.push((index, record));
            }
            if let (Some(first), Some(last_rise)) = (rises.first(), rises.last()) {
                let window = (first.from, last_rise.end.unwrap_or(last));
                self.leak(index, "the machine's memory", &after, window);
            }
        }
    }

    fn unnamed(&mut self, stream: usize, life: &ModelLife, window: (Micros, Micros)) {
        let took = life.model_delta_gb.unwrap_or_default();
        let tests = &life.unnamed_tests;
        let message = match tests.len() {
            0 => format!("{took:.1} GB were taken as by a model while no test ran on one"),
            1 => format!(
                "{took:.1} GB were taken as by a model, and the one test meanwhile names none"
            ),
            n => format!(
                "{took:.1} GB were taken as by a model, and none of the {n} tests meanwhile names one"
            ),
        };
        let evidence = json!({"model_delta_gb": took, "memory_series": life.memory_series});
        let tests = tests.clone();
        self.push(stream, "unnamed_model", Severity::Info, window, message, evidence, tests);
    }

    fn leak_of_spans(&mut self, stream: usize, lives: &[Life<'_>]) {
        let over: Vec<&Life<'_>> =
            lives.iter().filter(|l| l.load.stream == stream && l.is_over()).collect();
        let (Some(first), Some(last)) = (over.first(), over.last()) else {
            return;
        };
        let window = (first.load.window.start, last.end);
        let levels: Vec<f64> = over.iter().filter_map(|life| Some(life.machine_after?.1)).collect();
        self.leak(stream, "the machine's memory", &levels, window);
    }

    fn leak(&mut self, stream: usize, what: &str, levels_gb: &[f64], window: (Micros, Micros)) {
        let thresholds = &self.analysis.thresholds;
        let cycles = levels_gb.len();
        let Some(slope) = slope(levels_gb).filter(|_| cycles as f64 >= thresholds.leak_cycles)
        else {
            return;
        };
        let mb = |gb: f64| round(gb * 1e3, 1);
        if mb(slope.low) <= thresholds.leak_mb {
            return;
        }
        let message = format!(
            "{what} rises by {:.0} MB with each of {cycles} unloads (at least {:.0} MB, at {:.0} % confidence)",
            mb(slope.median),
            mb(slope.low),
            slope.confidence * 100.0
        );
        let evidence = json!({
            "cycles": cycles, "slope_mb": mb(slope.median), "low_mb": mb(slope.low),
            "high_mb": mb(slope.high), "confidence": round(slope.confidence, 4),
            "rise_mb": mb(levels_gb[cycles - 1] - levels_gb[0]),
        });
        let tests = Vec::new();
        self.push(stream, "leak", Severity::Warn, window, message, evidence, tests);
    }

    fn machine(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        self.memory(index, machine);
        self.zombies(index, machine);
        let thermal = machine.thermal();
        self.spoil(index, "a processor was throttled", &thermal);
        for told in few(&thermal) {
            let level = told.spell.high;
            let message =
                format!("the system reported thermal level {level} for {}", lasting(&told));
            let evidence = json!({"thermal_level": level as u64, "held_s": held(&told.spell)});
            self.anomaly(index, "throttling", Severity::Warn, &told.parts, message, evidence);
        }
        for (name, spells) in machine.throttled() {
            self.spoil(index, "a processor was throttled", &spells);
            for told in few(&spells) {
                self.throttled(index, name, &told);
            }
        }
        let outside = machine.outside();
        self.spoil(index, "other programs used the CPU", &outside);
        for told in few(&outside) {
            let most = told.spell.high;
            let message = format!(
                "up to {most:.0} % of the CPU went to programs outside of the run, for {}",
                lasting(&told)
            );
            let evidence = json!({"outside_max_pct": round(most, 1), "held_s": held(&told.spell)});
            self.anomaly(index, "interference", Severity::Warn, &told.parts, message, evidence);
        }
        self.load_before(index, stream, machine);
        self.gaps(index, stream, machine);
    }

    fn zombies(&mut self, index: usize, machine: &Machine) {
        let (zombies, at_first) = machine.zombies();
        for told in few(&zombies) {
            let many = told.spell.high;
            let old = many <= at_first;
            let message = format!(
                "{} for {}{}",
                counted(many, "zombie process", "zombie processes"),
                lasting(&told),
                if old { ", there from the beginning" } else { "" }
            );
            let severity = if old { Severity::Info } else { Severity::Warn };
            let evidence = json!({"zombies": many as u64, "at_start": at_first as u64,
                "held_s": held(&told.spell)});
            self.anomaly(index, "zombies", severity, &told.parts, message, evidence);
        }
    }

    fn throttled(&mut self, index: usize, name: &str, told: &Told) {
        let Spell { low, high, .. } = told.spell;
        let drop = (1.0 - low / high) * 100.0;
        let message = format!(
            "the {name} fell from {high:.0} to {low:.0} MHz at full load ({drop:.0} % slower) for {}",
            lasting(told)
        );
        let evidence = json!({"processor": name, "best_mhz": round(high, 0),
            "worst_mhz": round(low, 0), "drop_pct": round(drop, 1), "held_s": held(&told.spell)});
        self.anomaly(index, "throttling", Severity::Warn, &told.parts, message, evidence);
    }

    fn spoil(&mut self, index: usize, reason: &'static str, spells: &[Spell]) {
        self.spoilers.extend(spells.iter().map(|spell| (index, reason, *spell)));
    }

    /// Swap that grew and memory pressure: apart, or both at once.
    fn memory(&mut self, index: usize, machine: &Machine) {
        let (swaps, pressures) = (machine.swap(), machine.pressure());
        self.spoil(index, "swap grew", &swaps);
        self.spoil(index, "memory pressure was above normal", &pressures);
        let swaps = swaps.into_iter().map(|spell| [Some(spell), None]);
        let pressures = pressures.into_iter().map(|spell| [None, Some(spell)]);
        let mut happened: Vec<[Option<Spell>; 2]> = swaps.chain(pressures).collect();
        let window = |what: &[Option<Spell>; 2]| {
            let both = what.iter().flatten().copied().reduce(Spell::with);
            both.map_or((0, 0), |both| (both.from, both.to))
        };
        happened.sort_by_key(window);
        happened.dedup_by(|later, first| {
            let near = window(later).0 <= window(first).1 + NEAR;
            if near {
                for (first, later) in first.iter_mut().zip(later) {
                    *first = first.iter().chain(later.iter()).copied().reduce(Spell::with);
                }
            }
            near
        });
        for what in happened {
            self.short_of_memory(index, what[0], what[1], window(&what));
        }
    }

    fn short_of_memory(
        &mut self,
        index: usize,
        swap: Option<Spell>,
        pressure: Option<Spell>,
        window: (Micros, Micros),
    ) {
        let grew = swap.map(|swap| {
            format!("swap grew by {:.0} MB, to {:.0} MB", swap.high - swap.low, swap.high)
        });
        let level = pressure.map(|pressure| {
            let name = if pressure.high >= 4.0 { "critical" } else { "above normal" };
            format!("memory pressure was {name} for {:.1} s", seconds(pressure.held))
        });
        let evidence = json!({
            "swap_from_mb": swap.map(|swap| swap.low), "swap_to_mb": swap.map(|swap| swap.high),
            "memory_pressure": pressure.map(|pressure| pressure.high as u64),
            "pressure_s": pressure.as_ref().map(held),
        });
        let critical = pressure.is_some_and(|pressure| pressure.high >= 4.0);
        let severity = if critical { Severity::Critical } else { Severity::Warn };
        let (kind, message) = match (grew, level) {
            (Some(grew), Some(level)) => ("swap_with_pressure", format!("{grew}, and {level}")),
            (Some(grew), None) => ("swap", grew),
            (None, Some(level)) => {
                ("pressure_without_swap", format!("{level}, and swap did not grow"))
            }
            (None, None) => return,
        };
        self.anomaly(index, kind, severity, &[window], message, evidence);
    }

    /// Load before anything ran, where no command is wrapped whose own it could be.
    fn load_before(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        let starts = self.tests_on(index).into_iter().map(|test| test.window.start);
        let Some(work) = starts.chain(stream.work).min().filter(|_| !stream.wraps) else {
            return;
        };
        let thresholds = self.analysis.thresholds;
        let Some(load) = machine.load_before(work) else {
            return;
        };
        if seconds(load.to - load.from) < thresholds.interference_s {
            return;
        }
        let much = |pct: Option<f64>| pct.filter(|pct| *pct >= thresholds.interference_pct);
        let busy: Vec<String> = [("CPU", much(load.cpu_pct)), ("GPU", much(load.gpu_pct))]
            .into_iter()
            .filter_map(|(name, pct)| Some(format!("the {name} was {:.0} % busy", pct?)))
            .collect();
        if busy.is_empty() {
            return;
        }
        let message = format!(
            "{} in the {:.0} s before the first test",
            busy.join(" and "),
            seconds(load.to - load.from)
        );
        let pct = |value: Option<f64>| value.map(|value| round(value, 1));
        let evidence = json!({"cpu_pct": pct(load.cpu_pct), "gpu_pct": pct(load.gpu_pct)});
        let parts = [(load.from, load.to)];
        self.anomaly(index, "interference", Severity::Info, &parts, message, evidence);
    }

    fn gaps(&mut self, index: usize, stream: &Stream, machine: &Machine) {
        let gaps = &machine.gaps;
        let Some((first, last)) = gaps.span() else {
            return;
        };
        let away = |gap: &&(Micros, Micros)| {
            stream.away.iter().any(|away| away.start < gap.1 && away.end > gap.0 - NEAR)
        };
        let explained = gaps.list.iter().filter(away).count();
        let list: Vec<(Micros, Micros)> =
            gaps.list.iter().filter(|gap| !away(gap)).copied().collect();
        if list.len() > FEW {
            let lost: Micros = if explained == 0 {
                gaps.lost
            } else {
                list.iter().map(|(from, to)| to - from).sum()
            };
            let count = gaps.count - explained as u64;
            let whole = seconds(last - first);
            let message = format!(
                "{count} gaps: {:.1} s of {whole:.1} s without samples, the longest {:.1} s",
                seconds(lost),
                seconds(gaps.longest)
            );
            let evidence = json!({"gaps": count, "lost_s": round(seconds(lost), 3),
                "longest_s": round(seconds(gaps.longest), 3), "of_s": round(whole, 3)});
            self.anomaly(index, "sampler_gap", Severity::Warn, &list, message, evidence);
            return;
        }
        for &(from, to) in &list {
            let message = format!("no sample was taken for {:.1} s", seconds(to - from));
            let evidence = json!({"gaps": 1, "lost_s": round(seconds(to - from), 3)});
            let spoils = !self.tests_within(index, &[(from, to)]).is_empty();
            let severity = if spoils { Severity::Warn } else { Severity::Info };
            self.anomaly(index, "sampler_gap", severity, &[(from, to)], message, evidence);
        }
        let deadlines = stream.missed + stream.samples;
        let missed = stream.missed as f64 / deadlines as f64 * 100.0;
        if list.is_empty() && explained == 0 && missed > self.analysis.thresholds.missed_pct {
            let message = format!(
                "the sampler kept {} of {} deadlines: samples are further apart than was asked for",
                stream.samples, deadlines
            );
            let evidence = json!({"samples": stream.samples, "missed": stream.missed});
            let parts = [(first, last)];
            self.anomaly(index, "sampler_gap", Severity::Info, &parts, message, evidence);
        }
    }

    /// Deaths while memory was short; the span, the tries and the test that tell of the
    /// same one are one.
    fn deaths(&mut self) {
        let mut deaths: Vec<&Death> = self.analysis.deaths.iter().collect();
        deaths.sort_by_key(|death| (death.stream, death.window.end));
        let same = |a: &Death, b: &Death| {
            a.stream == b.stream
                && a.params.backend == b.params.backend
                && a.params.model == b.params.model
                && b.window.start <= a.window.end + NEAR
        };
        let mut at = 0;
        while at < deaths.len() {
            let mut until = at + 1;
            while until < deaths.len() && same(deaths[until - 1], deaths[until]) {
                until += 1;
            }
            self.death(&deaths[at..until]);
            at = until;
        }
    }

    fn death(&mut self, told: &[&Death]) {
        let (Some(first), Some(last)) = (told.first(), told.last()) else {
            return;
        };
        let least =
            |of: fn(&Death) -> Option<f64>| told.iter().filter_map(|d| of(d)).reduce(f64::min);
        let most =
            |of: fn(&Death) -> Option<f64>| told.iter().filter_map(|d| of(d)).reduce(f64::max);
        let free = least(|death| death.free_gb);
        let (swap, pressure) = (most(|death| death.swap_mb), most(|death| death.pressure));
        let who = first.params.backend.as_deref().unwrap_or("a process");
        let on =
            first.params.model.as_deref().map(|model| format!(" with {model}")).unwrap_or_default();
        let memory: Vec<String> = [
            free.map(|gb| format!("{gb:.1} GB free")),
            swap.map(|mb| format!("{mb:.0} MB of swap in use")),
            pressure.filter(|level| *level >= 2.0).map(|level| {
                format!("pressure {}", if level >= 4.0 { "critical" } else { "above normal" })
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        let message = format!("{who}{on} {} with {}", how(&first.error), memory.join(", "));
        let evidence = json!({
            "error": first.error.kind, "signal": first.error.signal, "exit": first.error.exit,
            "ram_free_gb": free, "swap_used_mb": swap,
            "memory_pressure": pressure.map(|level| level as u64),
        });
        let start = told.iter().map(|death| death.window.start).min().unwrap_or(first.window.start);
        let mut tests: Vec<String> = told.iter().filter_map(|death| death.id.clone()).collect();
        tests.dedup();
        let window = (start, last.window.end);
        let kind = "crash_under_pressure";
        self.push(first.stream, kind, Severity::Critical, window, message, evidence, tests);
    }

    /// Tests that a model answered without the GPU, although others on the same model
    /// and backend used it.
    fn idle_gpus(&mut self) {
        let thresholds = self.analysis.thresholds;
        let mut busiest: BTreeMap<_, f64> = BTreeMap::new();
        for test in &self.analysis.tests {
            if let (Some(model), Some((mean, _))) = (&test.model, test.gpu_pct) {
                let most = busiest.entry((test.stream, model)).or_insert(mean);
                *most = most.max(mean);
            }
        }
        let mut idle = Vec::new();
        for test in self.analysis.tests.iter().filter(|test| test.answered) {
            let (Some(model), Some((_, max))) = (&test.model, test.gpu_pct) else {
                continue;
            };
            let others = busiest.get(&(test.stream, model)).copied().unwrap_or_default();
            let long = test.window.end - test.window.start >= IDLE_FROM;
            let seen = test.coverage.is_some_and(|share| share >= IDLE_COVERAGE);
            if long && seen && max < thresholds.gpu_idle_pct && others >= thresholds.gpu_busy_pct {
                idle.push((test.clone(), max, others));
            }
        }
        for (test, max, others) in idle {
            let message = format!(
                "the GPU was idle (at most {max:.0} %) although other tests on this model kept it {others:.0} % busy"
            );
            let evidence = json!({"gpu_max_pct": max, "others_mean_pct": others});
            let window = (test.window.start, test.window.end);
            let tests = vec![test.id];
            self.push(test.stream, "gpu_idle", Severity::Warn, window, message, evidence, tests);
        }
    }

    /// Measurements during which something happened that spoils them.
    fn suspects(&mut self) {
        let limit = self.analysis.thresholds.coverage;
        let mut benches: Vec<&Ran> =
            self.analysis.tests.iter().filter(|test| test.bench && !test.skipped).collect();
        benches.sort_by_key(|test| (test.stream, test.window.start));
        let mut suspects: Vec<(Vec<String>, Vec<&Ran>)> = Vec::new();
        let mut before = None;
        for test in benches {
            let mut reasons = self.what_happened(test);
            if test.coverage.is_some_and(|share| share < limit) {
                reasons.push("few samples cover it".to_owned());
            }
            reasons.extend(test.doubts.iter().cloned());
            if reasons.is_empty() {
                before = None;
                continue;
            }
            let key = (test.stream, reasons.clone());
            match suspects.last_mut() {
                Some((_, tests)) if before.as_ref() == Some(&key) => tests.push(test),
                _ => suspects.push((reasons, vec![test])),
            }
            before = Some(key);
        }
        for (reasons, tests) in suspects {
            let stream = tests[0].stream;
            let window = (
                tests[0].window.start,
                tests.iter().map(|test| test.window.end).max().unwrap_or(tests[0].window.end),
            );
            let what = if tests.len() == 1 {
                "a measurement is".to_owned()
            } else {
                format!("{} measurements are", tests.len())
            };
            let message = format!("{what} suspect: {}", reasons.join("; "));
            let tests = tests.iter().map(|test| test.id.clone()).collect();
            let evidence = json!({"reasons": reasons});
            let kind = "suspect_measurement";
            self.push(stream, kind, Severity::Warn, window, message, evidence, tests);
        }
    }

    /// What of the machine's troubles fell into a test, in words.
    fn what_happened(&self, test: &Ran) -> Vec<String> {
        let during = |spell: &Spell| spell.from < test.window.end && spell.to > test.window.start;
        let mut reasons: Vec<String> = Vec::new();
        for (stream, reason, spell) in &self.spoilers {
            let new = reasons.iter().all(|known| known != reason);
            if new && during(spell) && self.same_machine(*stream, test.stream) {
                reasons.push((*reason).to_owned());
            }
        }
        reasons
    }
}

/// Spells of one kind that are told in one line.
struct Told {
    spell: Spell,
    parts: Vec<(Micros, Micros)>,
}

/// The spells, each by itself; where there are many, all in one.
fn few(spells: &[Spell]) -> Vec<Told> {
    let all = |spells: &[Spell]| {
        let parts = spells.iter().map(|spell| (spell.from, spell.to)).collect();
        let spell = spells.iter().copied().reduce(Spell::with)?;
        Some(Told { spell, parts })
    };
    if spells.len() > FEW {
        return all(spells).into_iter().collect();
    }
    spells.chunks(1).filter_map(all).collect()
}

fn held(spell: &Spell) -> f64 {
    round(seconds(spell.held), 3)
}

fn lasting(told: &Told) -> String {
    let time = format!("{:.1} s", seconds(told.spell.held));
    match told.parts.len() {
        1 => time,
        times => format!("{time} in all, {times} times"),
    }
}

fn counted(count: f64, one: &str, many: &str) -> String {
    format!("{count:.0} {}", if count == 1.0 { one } else { many })
}

/// How a process ended, in words.
fn how(error: &ErrorInfo) -> String {
    match (error.signal, error.exit) {
        (Some(9), _) => "was killed".to_owned(),
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, Some(exit)) => format!("died with exit code {exit}"),
        (None, None) => "died".to_owned(),
    }
}

/// The fields that there are.
fn present(evidence: Value) -> Map<String, Value> {
    match evidence {
        Value::Object(map) => map.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}
