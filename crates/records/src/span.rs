//! Phases of a run, and the word that something begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ErrorInfo, Resources, head::record};

/// What a result or a span was measured on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Params {
    /// The backend's name in the suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The model's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Further axes of the case, by name.
    #[serde(flatten)]
    pub axes: BTreeMap<String, Value>,
}

/// A phase of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Setting up a fixture, which `params.fixture` names.
    Setup,
    /// From starting the process to its taking a connection.
    Spawn,
    /// From starting the process to its being ready for requests.
    #[default]
    Load,
    /// Requests before those that are measured.
    Warmup,
    /// Requests that are measured.
    Measure,
    /// From ready to the end of the last case on it.
    Test,
    /// From the first signal to the end of the whole process group.
    Stop,
    /// Taking away a fixture, which `params.fixture` names.
    Teardown,
}

record! {
    /// A test or a span begins now, so that a reader knows what is open.
    Begin {
        /// The id of the test; absent for a span.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
        /// The phase of the span; absent for a test.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub phase: Option<Phase>,
        /// What it runs on.
        #[serde(default)]
        pub params: Params,
    }
}

record! {
    /// A phase of a backend's life.
    Span {
        /// Which phase.
        pub phase: Phase,
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds by the monotonic clock.
        pub duration_s: f64,
        /// The backend and the model.
        #[serde(default)]
        pub params: Params,
        /// The process, where we started it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pid: Option<i32>,
        /// Seconds from the start of the phase to the first token of a first answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub first_token_s: Option<f64>,
        /// Whether the model's files were in the page cache before: `cold` (under 5 %),
        /// `partial` or `warm` (over 95 %).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub page_cache: Option<String>,
        /// Where the backend's output went.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub log: Option<String>,
        /// What ended the phase before its aim was reached.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorInfo>,
        /// What the machine did meanwhile (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resources: Option<Resources>,
        /// Memory that a load took (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model_delta_gb: Option<f64>,
    }
}
