//! What a suite says of measurements on one request at a time.

use serde::Deserialize;

/// A request that is measured: some times unmeasured, then some times measured.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BenchDef {
    /// Requests before those that are measured; 1 when absent.
    #[serde(default = "one")]
    pub warmup: u32,
    /// Requests that are measured; 3 when absent.
    #[serde(default = "three")]
    pub repetitions: u32,
    /// How many tokens the prompt is made to have: words are added to it, the same ones
    /// for the same seed. A list measures each.
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Swept<u64>>"))]
    pub prompt_tokens: Option<u64>,
    /// How many tokens the server has in its cache before the prompt. A list measures each.
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Swept<u64>>"))]
    pub depth: Option<u64>,
    /// Whether answers go on to `max_tokens` whatever the model says, where the backend
    /// allows; they do when absent.
    #[serde(default = "yes")]
    pub ignore_eos: bool,
    /// Whether the server may answer from its cache of prompts.
    #[serde(default)]
    pub prompt_cache: bool,
}

/// A model from its load to its steady state, on a backend that is started for it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineDef {
    /// Queries after the first, which warms up; 3 when absent, or with a dataset as many
    /// as ask each of its rows once.
    pub queries: Option<u32>,
    /// Whether the server may answer from its cache of prompts.
    #[serde(default)]
    pub prompt_cache: bool,
}

fn one() -> u32 {
    1
}

fn three() -> u32 {
    3
}

fn yes() -> bool {
    true
}
