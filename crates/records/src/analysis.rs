//! What correlate finds out beyond the join.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Params, head::record};

record! {
    /// When a model was in memory, what it took and what it gave back.
    ModelLife {
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// The backend and the model.
        #[serde(default)]
        pub params: Params,
        /// The model's size on disk.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disk_gb: Option<f64>,
        /// Memory that loading took.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model_delta_gb: Option<f64>,
        /// The most that was taken while it lived.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub peak_gb: Option<f64>,
        /// Memory that was not given back when it was unloaded.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub not_returned_gb: Option<f64>,
        /// Seconds from spawn to ready.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_s: Option<f64>,
        /// The tests that ran on it.
        #[serde(default)]
        pub tests: Vec<String>,
    }
}

record! {
    /// The order of cases that would have loaded each model once.
    Advice {
        /// Times that a model was loaded.
        pub loads: u64,
        /// Seconds that loading took.
        pub load_s: f64,
        /// Seconds that the order below would save.
        pub saves_s: f64,
        /// Ids of the tests in that order.
        #[serde(default)]
        pub order: Vec<String>,
    }
}

/// How bad an anomaly is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// Figures may be off.
    Warn,
    /// Something broke.
    Critical,
}

record! {
    /// Something that went wrong with the machine.
    Anomaly {
        /// What it is, such as `leak`, `zombies`, `swap` or `sampler_gap`; from memmon
        /// `sleep` or `clock_jump`.
        pub kind: String,
        /// How bad it is.
        pub severity: Severity,
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// A sentence for people.
        pub message: String,
        /// The figures behind it.
        #[serde(default)]
        pub evidence: Map<String, Value>,
        /// The tests that it touches.
        #[serde(default)]
        pub tests: Vec<String>,
    }
}
