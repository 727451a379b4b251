//! What a suite says of what must be there before a case.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{CommandDef, Span};

/// What must be there before a case, and is taken away after it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FixtureDef {
    /// How long it stays.
    #[serde(default)]
    pub scope: Scope,
    /// Whether every case has it without asking.
    #[serde(default)]
    pub autouse: bool,
    /// Fixtures that it needs itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub fixtures: Vec<Spanned<String>>,
    /// Files that are written into its folder: name and text.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files or folders that are copied into its folder.
    #[serde(default)]
    pub copy: Vec<String>,
    /// Environment variables for the commands of the cases that have it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What is run when it is set up; an exit code other than 0 is an error.
    pub setup: Option<CommandDef>,
    /// What is run when it is torn down, whatever came before.
    pub teardown: Option<CommandDef>,
    /// How long each of the two may take.
    pub timeout: Option<Span>,
    /// The folder that its relative paths start from: that of its file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// How long a fixture stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// From the beginning of the run to its end.
    Run,
    /// For the cases of one model on one backend.
    Model,
    /// For one case.
    #[default]
    Case,
}

impl FixtureDef {
    /// Its texts with placeholders.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let commands = self.setup.iter().chain(&self.teardown);
        self.env.values().chain(commands.flat_map(CommandDef::texts))
    }
}
