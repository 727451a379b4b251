//! Lives of models, and memory that none of them gave back.

use std::collections::BTreeSet;

use records::{ModelLife, Severity, round};
use serde_json::json;

use super::{Found, SamplesOf};
use crate::{
    analysis::{
        facts::Ran,
        life::{Life, inferred},
        slope::slope,
    },
    window::Micros,
};

impl Found<'_> {
    pub(super) fn lives<'s>(&mut self, lives: &[Life<'_>], samples_of: SamplesOf<'_, 's>) {
        let told: BTreeSet<usize> = lives.iter().map(|life| life.load.stream).collect();
        // Lives are in the order of their runs: the tests of each are sorted once.
        let mut of: (Option<usize>, Vec<&Ran>) = (None, Vec::new());
        let mut records = Vec::with_capacity(lives.len());
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

    pub(super) fn leak_of_spans(&mut self, stream: usize, lives: &[Life<'_>]) {
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
}
