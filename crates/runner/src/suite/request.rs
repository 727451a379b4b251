//! What a suite says of a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Value;

use super::{AnyOf, ByteSize, suggestion};

/// A request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestDef {
    /// The interface.
    pub api: Api,
    /// Where it is sent, instead of to its interface's own path.
    pub path: Option<String>,
    /// The method of a plain `http` request.
    pub method: Option<String>,
    /// What the user says, or the text that an embedding is asked of, or what comes
    /// before a transcription.
    pub prompt: Option<String>,
    /// A file with it.
    pub prompt_file: Option<String>,
    /// A whole conversation, as it is sent.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<serde_json::Value>>"))]
    pub messages: Option<Vec<Value>>,
    /// What the model is told first.
    pub system: Option<String>,
    /// What is said one after another, with the model's own answers between.
    pub turns: Option<Vec<Turn>>,
    /// Several texts that embeddings are asked of.
    pub input: Option<Vec<String>>,
    /// Pictures that go with the prompt, as files.
    #[serde(default)]
    pub images: Vec<String>,
    /// Sound to be transcribed, as a file.
    pub file: Option<String>,
    /// The language of the sound.
    pub language: Option<String>,
    /// How a transcription is written down.
    pub response_format: Option<Format>,
    /// Tools that the model may call, as they are sent; or a file with them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub tools: Option<Value>,
    /// Which of them it should.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub tool_choice: Option<Value>,
    /// The JSON Schema that the answer shall meet; or a file with it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub response_schema: Option<Value>,
    /// Whether the answer comes in pieces: not when absent, unless it is measured.
    pub stream: Option<bool>,
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
    /// Fields of the body that this language has no key for.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub extra: Option<toml::Table>,
    /// A body that is sent as it is: a text, or a table that becomes JSON.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub raw: Option<Value>,
    /// The type that the body says to be of.
    pub content_type: Option<String>,
    /// How large the body is made, by filler in the prompt or silence in the sound.
    pub body_bytes: Option<ByteSize>,
    /// What it means that the backend does not support the request.
    #[serde(default)]
    pub unsupported: Unsupported,
    /// Whether the answer may have tokens in it that end answers.
    #[serde(default)]
    pub allow_stop_tokens: bool,
}

impl RequestDef {
    /// The names of files, in which placeholders stand.
    pub fn files(&self) -> impl Iterator<Item = &String> {
        let named =
            [&self.tools, &self.response_schema].into_iter().filter_map(|value| match value {
                Some(Value::String(file)) => Some(file),
                _ => None,
            });
        self.prompt_file.iter().chain(&self.file).chain(&self.images).chain(named)
    }
}

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completion,
    /// `/v1/audio/transcriptions`.
    Transcription,
    /// `/v1/embeddings`.
    Embedding,
    /// Any path and method, and an answer of any shape.
    Http,
}

impl Api {
    /// Every interface.
    pub const ALL: [Api; 5] =
        [Api::Chat, Api::Completion, Api::Transcription, Api::Embedding, Api::Http];

    /// Its name in a suite.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Api::Chat => "chat",
            Api::Completion => "completion",
            Api::Transcription => "transcription",
            Api::Embedding => "embedding",
            Api::Http => "http",
        }
    }

    /// Where its requests go.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Api::Chat => "/v1/chat/completions",
            Api::Completion => "/v1/completions",
            Api::Transcription => "/v1/audio/transcriptions",
            Api::Embedding => "/v1/embeddings",
            Api::Http => "/",
        }
    }
}

impl<'de> Deserialize<'de> for Api {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Api::ALL.into_iter().find(|api| api.name() == name).ok_or_else(|| {
            let known = Api::ALL.map(Api::name);
            serde::de::Error::custom(format!("unknown api {name:?}{}", suggestion(&name, &known)))
        })
    }
}

/// How a transcription is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `{"text": …}`.
    #[default]
    Json,
    /// The text and nothing else.
    Text,
    /// JSON with segments and times.
    VerboseJson,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
}

impl Format {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Text => "text",
            Format::VerboseJson => "verbose_json",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
        }
    }
}

/// One turn of a conversation: `"what the user says"`, or a table.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "TurnForm")]
pub struct Turn {
    /// What the user says.
    pub prompt: Option<String>,
    /// What the tools answer that the model has just called, by their names.
    pub tool_results: BTreeMap<String, String>,
    /// What must hold of the model's answer to it.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<serde_json::Value>"))]
    pub expect: Vec<Value>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a turn is a text, { prompt = \"…\", expect = [] } or { tool_results = { NAME = \"…\" }, expect = [] }"
)]
enum TurnForm {
    Says(String),
    Table {
        prompt: Option<String>,
        #[serde(default)]
        tool_results: BTreeMap<String, String>,
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(with = "Vec<serde_json::Value>"))]
        expect: Vec<Value>,
    },
}

impl From<TurnForm> for Turn {
    fn from(form: TurnForm) -> Turn {
        match form {
            TurnForm::Says(prompt) => {
                Turn { prompt: Some(prompt), tool_results: BTreeMap::new(), expect: Vec::new() }
            }
            TurnForm::Table { prompt, tool_results, expect } => {
                Turn { prompt, tool_results, expect }
            }
        }
    }
}

/// What it means that a backend does not support a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// The case is an error.
    #[default]
    Error,
    /// The case is skipped, with what the backend said as the reason.
    Skip,
}
