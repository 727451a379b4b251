//! What every section of a run's report needs to know.

use crate::page::{Cell, code};
use records::{Backend, Test};
use serde_json::Value;

use crate::{
    numbers::{
        self, Comparison, Health, Measured, Peaks, Rules, Sampling, Totals, backend_of, model_of,
    },
    run::Run,
};

/// A run and its figures.
pub(super) struct Chapter<'a> {
    /// The run.
    pub(super) run: &'a Run,
    /// Its counts and times.
    pub(super) totals: Totals,
    /// The machine around the tests.
    pub(super) health: Health,
    /// The extremes of the run.
    pub(super) peaks: Peaks,
    /// How well it was sampled.
    pub(super) sampling: Sampling,
    /// Which of its tests are benches, baselines and batches.
    pub(super) measured: Measured<'a>,
    /// The run beside earlier ones, and how they are compared.
    pub(super) comparison: Option<(&'a Comparison<'a>, Rules)>,
}

impl Chapter<'_> {
    /// The chapter on `run`.
    pub(super) fn of(run: &Run) -> Chapter<'_> {
        Chapter {
            run,
            totals: numbers::totals(&run.tests),
            health: numbers::health(&run.tests),
            peaks: numbers::peaks(run),
            sampling: numbers::sampling(run),
            measured: Measured::of(&run.tests),
            comparison: None,
        }
    }

    /// What the comparison says, where there is one.
    pub(super) fn compared<T>(&self, ask: impl FnOnce(&Comparison<'_>) -> Option<T>) -> Option<T> {
        ask(self.comparison.as_ref()?.0)
    }

    /// Whether the backend has to be named to tell results apart.
    pub(super) fn several_backends(&self) -> bool {
        self.totals.backends.len() > 1
    }

    /// The backends, each once, by name.
    pub(super) fn backends(&self) -> Vec<&Backend> {
        let mut all: Vec<&Backend> =
            self.run.tests.iter().filter_map(|test| test.backend.as_ref()).collect();
        all.sort_by_key(|backend| (&backend.name, &backend.kind, &backend.version));
        all.dedup_by_key(|backend| (&backend.name, &backend.kind, &backend.version));
        all
    }

    /// What the first test that knows it says under this key of its metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&Value> {
        numbers::metadata(self.run, key)
    }

    /// Seconds since the run began.
    pub(super) fn since_start(&self, ts: f64) -> Option<f64> {
        self.run.window().map(|window| ts - window.0)
    }
}

/// The case with its further axes, as a code span.
pub(super) fn case_of(test: &Test) -> Cell {
    match axes_of(test) {
        Some(axes) => Cell::name(&format!("{}[{axes}]", test.case)),
        None => Cell::name(&test.case),
    }
}

/// The further axes of a test, where it has any: `depth=512,lang=de`.
pub(super) fn axes_of(test: &Test) -> Option<String> {
    let axes = test.params.axes.iter();
    let axes: Vec<String> = axes.map(|(name, value)| format!("{name}={}", plain(value))).collect();
    (!axes.is_empty()).then(|| axes.join(","))
}

/// A value as it is said: a text without its quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The model as a code span.
pub(super) fn model_cell(test: &Test) -> Cell {
    name_cell(model_of(test))
}

/// The backend as a code span.
pub(super) fn backend_cell(test: &Test) -> Cell {
    name_cell(backend_of(test))
}

/// A name as a code span, or the mark that there is none.
pub(super) fn name_cell(name: Option<&str>) -> Cell {
    name.map_or_else(Cell::none, Cell::name)
}

/// What a test ran on, in one cell.
pub(super) fn cell_of(test: &Test, with_backend: bool) -> Cell {
    match (model_of(test), backend_of(test)) {
        (Some(model), Some(backend)) if with_backend => Cell::words(
            &format!("{model} on {backend}"),
            format!("{} on {}", code(model), code(backend)),
        ),
        (Some(name), _) | (None, Some(name)) => Cell::name(name),
        (None, None) => "no model".into(),
    }
}
