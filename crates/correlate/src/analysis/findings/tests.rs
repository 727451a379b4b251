//! What happened to tests: deaths, idle GPUs, measurements that cannot be trusted.

use std::collections::BTreeMap;

use records::{ErrorInfo, Severity, round};
use serde_json::json;

use super::{Found, NEAR};
use crate::{
    analysis::{
        facts::{Death, Ran},
        second::SECOND,
        spell::Spell,
    },
    window::Micros,
};

/// A test must run so long, and samples cover so much of it, before its GPU is called idle.
const IDLE_FROM: Micros = 2 * SECOND;
const IDLE_COVERAGE: f64 = 0.8;

impl Found<'_> {
    /// Deaths while memory was short; the span, the tries and the test that tell of the
    /// same one are one.
    pub(super) fn deaths(&mut self) {
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
            "ram_free_gb": free.map(|gb| round(gb, 3)), "swap_used_mb": swap.map(|mb| round(mb, 1)),
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
    pub(super) fn idle_gpus(&mut self) {
        let thresholds = self.analysis.thresholds;
        let before = self.analysis.busiest.iter();
        let mut busiest: BTreeMap<_, f64> =
            before.map(|((stream, model), mean)| ((*stream, model), *mean)).collect();
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
    pub(super) fn suspects(&mut self) {
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

/// How a process ended, in words.
fn how(error: &ErrorInfo) -> String {
    match (error.signal, error.exit) {
        (Some(9), _) => "was killed".to_owned(),
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, Some(exit)) => format!("died with exit code {exit}"),
        (None, None) => "died".to_owned(),
    }
}
