//! What a suite says of a request.

use serde::Deserialize;
use toml::Spanned;

use super::{AnyOf, NotYet};

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDef {
    /// The interface; only `chat` in this version.
    pub api: Spanned<String>,
    /// What the user says.
    pub prompt: Option<String>,
    /// A file with what the user says.
    pub prompt_file: Option<String>,
    /// A whole conversation, as it is sent.
    pub messages: Option<Vec<toml::Value>>,
    /// Whether the answer comes in pieces.
    #[serde(default)]
    pub stream: bool,
    /// How many tokens the answer may have.
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling among the likeliest.
    pub top_k: Option<u64>,
    /// Sampling above a share of the likeliest.
    pub min_p: Option<f64>,
    /// Seed of the sampling.
    pub seed: Option<u64>,
    /// Words that end the answer.
    pub stop: Option<AnyOf<String>>,
    /// A body that is sent as it is: a text, or a table that becomes JSON.
    pub raw: Option<toml::Value>,
    /// Pictures (later).
    pub images: Option<NotYet>,
    /// Sound (later).
    pub file: Option<NotYet>,
    /// Tools (later).
    pub tools: Option<NotYet>,
    /// Which tool to call (later).
    pub tool_choice: Option<NotYet>,
    /// Shape of the answer (later).
    pub response_schema: Option<NotYet>,
    /// Oversize bodies (later).
    pub body_bytes: Option<NotYet>,
}
