//! What correlate finds out beyond the join.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Params, head::record};

record! {
    /// When a model was in memory, what it took and what it gave back. Figures of memory
    /// are of `memory_series`, and all but `before_gb` count from the level before the load.
    ModelLife {
        /// When it was unloaded, or the end of what is known of it, in Unix seconds.
        pub end_ts: f64,
        /// The backend and the model; without a model where none is named.
        #[serde(default)]
        pub params: Params,
        /// No span tells of it: it was found in the samples, by memory that rose, stayed up
        /// and fell again.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub inferred: Option<bool>,
        /// The model's size on disk.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disk_gb: Option<f64>,
        /// The series that the figures are of: `tree_footprint_gb`, else `tree_rss_gb`
        /// (with `gpu_mem_used_gb` added where it is measured), else `ram_used_gb`, else
        /// `ram_free_gb`, turned round.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory_series: Option<String>,
        /// Memory in use before the load; absent where only free memory is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub before_gb: Option<f64>,
        /// Memory that loading took.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model_delta_gb: Option<f64>,
        /// The same of the GPU's own memory (`gpu_mem_used_gb`).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_delta_gb: Option<f64>,
        /// The most that was taken while it lived.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub peak_gb: Option<f64>,
        /// Memory that was not given back when it was unloaded; negative where more was.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub not_returned_gb: Option<f64>,
        /// Seconds from spawn to ready; of one that was inferred, for which memory rose.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_s: Option<f64>,
        /// Whether the model's file was in the page cache (`warm`) or not (`cold`).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub page_cache: Option<String>,
        /// The tests that ran on it.
        #[serde(default)]
        pub tests: Vec<String>,
        /// More tests that ran on it, of a long run: too many to be named.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tests_left_out: Option<u64>,
        /// The tests that name no model and ran while it was in memory.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub unnamed_tests: Vec<String>,
    }
}

record! {
    /// What loading cost a run, and the order of its cases that would have loaded each
    /// model once. Only where that differs is there an order.
    Advice {
        /// Times that a model was loaded: by the load spans, else by the model changing
        /// from one test to the next.
        pub loads: u64,
        /// Different models among them: the loads that are needed.
        #[serde(default)]
        pub models: u64,
        /// Seconds that loading took, where spans tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_s: Option<f64>,
        /// Seconds that the order below would save: of each model, all loads but the first.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub saves_s: Option<f64>,
        /// A sentence for people.
        #[serde(default)]
        pub message: String,
        /// Ids of the tests in that order; empty when nothing would be saved.
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
        /// What it is, such as `leak`, `zombies`, `swap` or `sampler_gap`; `docs/anomalies.md`
        /// lists those that correlate finds. From memmon `sleep` or `clock_jump`.
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
