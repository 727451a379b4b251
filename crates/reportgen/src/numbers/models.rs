//! One row per model, backend and modality, and one for tests without a model, so
//! that the rows add up to the totals.

use std::collections::BTreeMap;

use records::{Counts, Metric, Modality, Phase, Span, Test};

use super::{Range, Spread, backend_of, model_of, tally, usage, usage::free_memory};

/// What a row is about. Names are told apart by all of their characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Rows without a model come last; names are sorted as people sort them.
    order: (bool, String),
    /// The model's id.
    pub model: Option<String>,
    /// The backend's name.
    pub backend: Option<String>,
    /// The kind of input.
    pub modality: Option<Modality>,
}

impl Key {
    /// The row that `test` belongs to.
    #[must_use]
    pub fn of(test: &Test) -> Key {
        let model = model_of(test).map(str::to_owned);
        // Without a model neither backend nor modality tells rows apart: what ran
        // there is the infrastructure.
        Key {
            order: (model.is_none(), model.as_deref().unwrap_or_default().to_lowercase()),
            backend: model.as_ref().and(backend_of(test)).map(str::to_owned),
            modality: model.as_ref().and(test.modality),
            model,
        }
    }

    /// Whether `test` belongs to this row.
    #[must_use]
    pub fn holds(&self, test: &Test) -> bool {
        model_of(test) == self.model.as_deref()
            && (self.model.is_none()
                || backend_of(test) == self.backend.as_deref() && test.modality == self.modality)
    }
}

/// The figures of a row.
#[derive(Clone, Debug)]
pub struct ModelRow {
    /// What it is about.
    pub key: Key,
    /// Results by outcome.
    pub counts: Counts,
    /// The sum of `duration_s`, when any result has it.
    pub time_s: Option<f64>,
    /// Size on disk.
    pub size_gb: Option<f64>,
    /// How its weights are stored.
    pub quantization: Option<String>,
    /// Seconds from spawn to ready: of `load` spans without error, else `metrics.load_s`.
    pub load_s: Option<Spread>,
    /// `metrics.ttft_s`, over the tests that measured it, benches, baselines and batches aside.
    pub ttft_s: Option<Spread>,
    /// `metrics.generation_tps`, over the same tests.
    pub generation_tps: Option<Spread>,
    /// Free memory during its tests.
    pub ram_free_gb: Option<Range>,
    /// Greatest memory of the process tree during its tests.
    pub tree_gb: Option<f64>,
}

/// The rows of `tests`, models by name.
#[must_use]
pub fn models(tests: &[Test], spans: &[Span]) -> Vec<ModelRow> {
    let mut groups: BTreeMap<Key, Vec<&Test>> = BTreeMap::new();
    for test in tests {
        groups.entry(Key::of(test)).or_default().push(test);
    }
    groups.into_iter().map(|(key, tests)| row(key, &tests, spans)).collect()
}

fn row(key: Key, tests: &[&Test], spans: &[Span]) -> ModelRow {
    let metric = |get: fn(&Test) -> Option<&Metric>| {
        Spread::of(tests.iter().filter_map(|test| get(test)).map(Metric::value))
    };
    // Speeds of what was measured by a protocol stand apart: of other prompts and other loads,
    // they do not make a mean with these.
    let speed = |get: fn(&Test) -> Option<&Metric>| {
        let tests = tests.iter().filter(|test| test.protocol.is_none());
        Spread::of(tests.filter_map(|test| get(test)).map(Metric::value))
    };
    let known = || tests.iter().filter_map(|test| test.model.as_ref());
    let durations: Vec<f64> = tests.iter().filter_map(|test| test.duration_s).collect();
    let used = || tests.iter().filter_map(|test| test.resources.as_ref()).map(usage);
    ModelRow {
        counts: tally(tests.iter().copied()),
        time_s: (!durations.is_empty()).then(|| durations.iter().sum()),
        size_gb: known().find_map(|model| model.size_gb),
        quantization: known().find_map(|model| model.quantization.clone()),
        load_s: loads(key.model.as_ref(), key.backend.as_ref(), spans)
            .or_else(|| metric(|test| test.metrics.load_s.as_ref())),
        ttft_s: speed(|test| test.metrics.ttft_s.as_ref()),
        generation_tps: speed(|test| test.metrics.generation_tps.as_ref()),
        ram_free_gb: tests.iter().filter_map(|test| free_memory(test)).fold(None, Range::with),
        tree_gb: used().filter_map(|usage| usage.tree_gb).reduce(f64::max),
        key,
    }
}

/// Seconds from starting the backend of `test` to its being ready: its own
/// `metrics.load_s`, else the mean of its `load` spans.
#[must_use]
pub fn load_s(test: &Test, spans: &[Span]) -> Option<f64> {
    let own = test.metrics.load_s.as_ref().map(Metric::value);
    own.or_else(|| {
        let loads = loads(test.params.model.as_ref(), test.params.backend.as_ref(), spans);
        loads.map(|loads| loads.mean)
    })
}

/// Seconds that loading the model on the backend took, each time that it was loaded.
fn loads(model: Option<&String>, backend: Option<&String>, spans: &[Span]) -> Option<Spread> {
    model?;
    Spread::of(
        spans
            .iter()
            .filter(|span| span.phase == Phase::Load && span.error.is_none())
            .filter(|span| span.params.model.as_ref() == model)
            .filter(|span| span.params.backend.as_ref() == backend)
            .map(|span| span.duration_s),
    )
}
