//! How cases were measured, and what comes with their figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a bench, a baseline or a batch was measured: what must be equal for two figures to
/// be compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Protocol {
    /// `bench`, `baseline` or `batch`.
    pub kind: ProtocolKind,
    /// Requests before those that are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<u32>,
    /// Requests that are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetitions: Option<u32>,
    /// Tokens that the prompt was made to have, by the server's own tokenizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens that the server had in its cache before the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// Tokens that an answer may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Whether the backend was told to go on to `max_tokens` whatever the model says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_eos: Option<bool>,
    /// How the server's cache of prompts was passed by; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_avoided_by: Option<String>,
    /// How many requests were on their way at once at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Requests a second that were to be sent, whatever the server did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How `rate` grew, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp: Option<RampInfo>,
    /// When requests were due at that rate: `poisson` or `constant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<String>,
    /// The limits that a request must keep to count for `goodput_rps`, by metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub goodput: BTreeMap<String, f64>,
    /// The seed of prompts, arrivals and requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The sampling temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

/// Ways to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProtocolKind {
    /// One request, repeated, one at a time.
    #[default]
    Bench,
    /// A model from its load to its steady state.
    Baseline,
    /// Many requests out of a file.
    Batch,
}

/// A rate that grows evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RampInfo {
    /// Requests a second at the beginning.
    pub from: f64,
    /// Requests a second at the end, and from then on.
    pub to: f64,
    /// Seconds that it took.
    pub over_s: f64,
}

/// What became of the requests of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchTotals {
    /// Requests that came to an end, those of an earlier run among them.
    pub requests: u64,
    /// Those that have an answer.
    pub answered: u64,
    /// Those of an earlier run that this one continued: rates are not about them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept: u64,
    /// Those among them that have an answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept_answered: u64,
    /// Seconds that those of this run took together; what rates are over.
    pub duration_s: f64,
    /// Requests that were sent more than once.
    pub retried: u64,
    /// How often requests were sent again, all together.
    pub retries: u64,
    /// Requests that were sent more than 10 ms after they were due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_sends: Option<u64>,
    /// Requests without an answer, by kind of error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// Tokens of all prompts, by the server's count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of all answers, by the server's count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
}

/// An answer that is kept to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SampleAnswer {
    /// The request that it answers.
    pub custom_id: String,
    /// Its text, or the beginning of it.
    pub text: String,
}

/// What requests cost by one price.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// The name of the price in the suite.
    pub price: String,
    /// What is paid for.
    pub basis: CostBasis,
    /// The currency, such as `USD`.
    pub currency: String,
    /// A thousand requests like those that were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_1k_requests: Option<f64>,
    /// A hundred thousand of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_100k_requests: Option<f64>,
    /// A million of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_1m_requests: Option<f64>,
    /// What the energy is of that was measured, such as `cpu` and `gpu`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy_of: Vec<String>,
    /// Why it is not known what they cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// What is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostBasis {
    /// Tokens in and out.
    #[default]
    Tokens,
    /// Time.
    Time,
    /// Energy that was measured.
    Energy,
}

/// The memory at three moments of a baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryAround {
    /// Before the backend was started.
    pub before: MemoryNow,
    /// When the model was loaded.
    pub loaded: MemoryNow,
    /// After the last query, the model still loaded.
    pub after: MemoryNow,
}

/// The memory at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryNow {
    /// What the backend's processes take (macOS: footprint, Linux: PSS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree_gb: Option<f64>,
    /// Memory of all GPUs in use, by whomever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_used_gb: Option<f64>,
    /// Free memory of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free_gb: Option<f64>,
    /// Swap in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_mb: Option<f64>,
}

// Serde's own form of the question.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
