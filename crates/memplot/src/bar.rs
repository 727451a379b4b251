//! What lies on the time axis besides curves: lives of models, phases, anomalies.

use records::{Anomaly, ModelLife, Params, Phase, Severity, Span};
use serde::Serialize;

use crate::words::duration;

/// A time with a name.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) class: Class,
    /// The model, else the backend, of an anomaly its kind.
    pub(crate) name: String,
    /// What else is known of it, in plain text.
    pub(crate) about: Vec<String>,
    /// Start, in Unix seconds.
    pub(crate) start: f64,
    /// End, in Unix seconds.
    pub(crate) end: f64,
    /// The memory in use once the model was loaded, in GB, where that is known.
    pub(crate) level_gb: Option<f64>,
}

/// What a bar stands for; the page has a look for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// The loading of a model.
    Load,
    /// The time for which it was in memory.
    Life,
    /// Requests that are not measured.
    Warmup,
    /// Requests that are measured.
    Measure,
    /// Worth knowing.
    Info,
    /// Figures may be off.
    Warn,
    /// Something broke.
    Critical,
}

impl Bar {
    /// The load, the warm-up or the measurement that `span` is; `None` for another phase.
    pub(crate) fn of(span: Span) -> Option<Bar> {
        let class = match span.phase {
            Phase::Load => Class::Load,
            Phase::Warmup => Class::Warmup,
            Phase::Measure => Class::Measure,
            _ => return None,
        };
        let cache = span.page_cache.map(|state| format!("page cache {state}"));
        let about = [Some(duration(span.duration_s)), span.params.backend.clone(), cache];
        let about = about.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let failed = span.error.map(|error| format!("failed: {}", error.message));
        Some(Bar {
            class,
            name: name(span.params),
            about: [Some(about), failed].into_iter().flatten().collect(),
            start: span.ts,
            end: span.end_ts.max(span.ts),
            level_gb: None,
        })
    }
}

impl From<ModelLife> for Bar {
    fn from(life: ModelLife) -> Bar {
        let gb = |what: &str, gb: Option<f64>| gb.map(|gb| format!("{what} {gb:.2} GB"));
        let figures = [
            gb("took", life.model_delta_gb),
            gb("GPU memory", life.gpu_delta_gb),
            gb("peak", life.peak_gb),
            gb("not given back", life.not_returned_gb),
        ];
        let figures = figures.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let inferred = life.inferred.unwrap_or(false);
        let about = [
            format!("in memory for {}", duration(life.end_ts - life.ts)),
            figures,
            life.memory_series.map(|series| format!("by {series}")).unwrap_or_default(),
            if inferred { "seen in the samples only".to_owned() } else { String::new() },
        ];
        let name = match (inferred, &life.params.model, &life.params.backend) {
            (true, None, None) => "a model that nobody named".to_owned(),
            _ => name(life.params),
        };
        Bar {
            class: Class::Life,
            name,
            about: about.into_iter().filter(|line| !line.is_empty()).collect(),
            start: life.ts,
            end: life.end_ts.max(life.ts),
            level_gb: life.before_gb.zip(life.model_delta_gb).map(|(before, took)| before + took),
        }
    }
}

impl From<Anomaly> for Bar {
    fn from(anomaly: Anomaly) -> Bar {
        let class = match anomaly.severity {
            Severity::Info => Class::Info,
            Severity::Warn => Class::Warn,
            Severity::Critical => Class::Critical,
        };
        Bar {
            class,
            name: anomaly.kind,
            about: vec![anomaly.message],
            start: anomaly.ts,
            end: anomaly.end_ts.max(anomaly.ts),
            level_gb: None,
        }
    }
}

fn name(params: Params) -> String {
    params.model.or(params.backend).unwrap_or_else(|| "model".to_owned())
}
