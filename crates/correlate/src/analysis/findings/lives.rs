//! Lives of models, and memory that none of them gave back.

use std::collections::BTreeSet;

use records::{ModelLife, Severity, round};
use serde_json::json;

use super::{Found, SamplesOf};
use crate::{
    analysis::{
        condense::{Before, Levels, Used},
        facts::Ran,
        life::{Life, inferred},
        slope::{Slope, slope},
    },
    window::Micros,
};

impl Found<'_> {
    pub(super) fn lives<'s>(&mut self, lives: &[Life<'_>], samples_of: SamplesOf<'_, 's>) {
        let streams = self.analysis.streams.iter();
        let told_before = streams.filter(|(_, of)| of.before.loads > 0).map(|(stream, _)| *stream);
        let told: BTreeSet<usize> =
            lives.iter().map(|life| life.load.stream).chain(told_before).collect();
        let records = self.records_of(lives.iter());
        self.lives.extend(records);
        // Where a run on the machine tells of its loads, what rises is known.
        for (&index, stream) in &self.analysis.streams {
            let tests = self.tests_on(index);
            let told =
                told.contains(&index) || tests.iter().any(|test| told.contains(&test.stream));
            let (Some(machine), Some(origin)) = (&stream.machine, self.origins.get(index)) else {
                continue;
            };
            let Some((_, last)) = machine.span().filter(|_| !told) else {
                continue;
            };
            let rises = machine.rises();
            let samples = samples_of(index);
            let before = self.analysis.streams.iter();
            let before = before.filter(|(of, _)| self.same_machine(**of, index));
            let before: Vec<&Before> = before.map(|(_, of)| &of.before).collect();
            let unknown_to = before.iter().filter_map(|before| before.unknown_to).max();
            let before: Vec<&Used> = before.iter().flat_map(|before| &before.used).collect();
            let records: Vec<ModelLife> = rises
                .iter()
                .map(|rise| inferred(rise, last, samples, origin, &tests, &before))
                .collect();
            let any_tests = !tests.is_empty();
            let mut after = Levels::default();
            rises.iter().filter_map(|rise| rise.after_gb).for_each(|level| after.push(level));
            for (record, rise) in records.into_iter().zip(&rises) {
                // One that is named was used by tests that are no longer kept.
                let is_unnamed = record.tests.is_empty() && record.params.model.is_none();
                if any_tests && is_unnamed && Some(rise.from) >= unknown_to {
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

    /// The records of `lives`, which are in the order of their runs.
    pub(super) fn records_of<'l>(
        &self,
        lives: impl Iterator<Item = &'l Life<'l>>,
    ) -> Vec<(usize, ModelLife)> {
        // The tests of each run are sorted once.
        let mut of: (Option<usize>, Vec<&Ran>) = (None, Vec::new());
        let mut records = Vec::new();
        for life in lives {
            let stream = life.load.stream;
            if of.0 != Some(stream) {
                of = (Some(stream), self.tests_on(stream));
                of.1.sort_by_key(|test| test.window.start);
            }
            if let Some(origin) = self.origins.get(stream) {
                records.push((stream, life.record(origin, &of.1)));
            }
        }
        records
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

    pub(super) fn leak_of_spans(&mut self, stream: usize, lives: &[Life<'_>]) {
        let over: Vec<&Life<'_>> =
            lives.iter().filter(|l| l.load.stream == stream && l.is_over()).collect();
        let (Some(first), Some(last)) = (over.first(), over.last()) else {
            return;
        };
        let before = self.analysis.streams.get(&stream).map(|stream| &stream.before);
        let from = before.and_then(|before| before.from).unwrap_or(first.load.window.start);
        let mut levels = before.map(|before| before.unloads.clone()).unwrap_or_default();
        over.iter().filter_map(|life| life.level_after()).for_each(|level| levels.push(level));
        self.leak(stream, "the machine's memory", &levels, (from, last.end));
    }

    fn leak(&mut self, stream: usize, what: &str, levels: &Levels, window: (Micros, Micros)) {
        let thresholds = &self.analysis.thresholds;
        let Levels { kept: levels_gb, step, count: cycles } = levels;
        let Some(slope) = slope(levels_gb).filter(|_| *cycles as f64 >= thresholds.leak_cycles)
        else {
            return;
        };
        // With each unload, not with each of those that are kept.
        let each = |gb: f64| gb / *step as f64;
        let slope = Slope {
            median: each(slope.median),
            low: each(slope.low),
            high: each(slope.high),
            ..slope
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
            "rise_mb": mb(levels_gb[levels_gb.len() - 1] - levels_gb[0]),
        });
        let tests = Vec::new();
        self.push(stream, "leak", Severity::Warn, window, message, evidence, tests);
    }
}
