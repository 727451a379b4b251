//! What a suite says of a backend.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Only, Span};

/// A backend.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BackendDef {
    /// What it is, which fills in the rest.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: Spanned<String>,
    /// The command that starts it, word by word.
    pub command: Option<Vec<String>>,
    /// Where it already runs: it is neither started nor stopped then.
    pub url: Option<String>,
    /// The name of the environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Environment variables for the command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The address that it shall listen on.
    pub host: Option<String>,
    /// A fixed port, where a free one will not do.
    pub port: Option<u16>,
    /// How to know that it is ready.
    #[serde(default)]
    pub ready: ReadyDef,
    /// How to stop it.
    #[serde(default)]
    pub stop: StopDef,
    /// Whatever its owner wants to say.
    pub notes: Option<String>,
    /// On which machines it can run.
    pub only: Option<Only>,
    /// Fixtures that it is started with.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub fixtures: Vec<Spanned<String>>,
    /// The folder that its relative paths start from: that of its file.
    #[serde(skip)]
    pub folder: PathBuf,
    /// How many backends the suite defines before it: the order in which they run.
    #[serde(skip)]
    pub order: usize,
}

/// How to know that a backend is ready. What is absent, its kind fills in.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadyDef {
    /// The path to ask.
    pub get: Option<String>,
    /// The status that means ready.
    pub status: Option<u16>,
    /// How long it may take.
    pub timeout: Option<Span>,
}

/// How to stop a backend. What is absent, its kind fills in.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StopDef {
    /// The first signal, such as `TERM` or `INT`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub signal: Option<Spanned<String>>,
    /// How long it has before it is killed.
    pub grace: Option<Span>,
}

impl BackendDef {
    /// Its texts with placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        self.command.iter().flatten().chain(&self.url).chain(self.env.values())
    }
}
