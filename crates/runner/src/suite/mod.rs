//! The language of suites: what a TOML file can say.
//!
//! These types mirror the file. [`load`] reads one and says what is wrong with
//! it; [`crate::plan`] turns it into cells to run.

mod expand;
mod load;
mod values;

use std::{collections::BTreeMap, path::PathBuf};

use records::Modality;
use serde::Deserialize;
use toml::Spanned;

pub use expand::{Filled, Template};
pub(crate) use load::suggestion;
pub use load::{SuiteError, load, parse};
pub use values::{AnyOf, NotYet, Span, within_reason};

/// A suite and where it was read from.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name: the key `name`, else the file's stem.
    pub name: String,
    /// The file as it was given.
    pub file: String,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// What the file says.
    pub body: Body,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The version of the language: 1.
    pub suite: Spanned<u32>,
    /// The name that ids begin with.
    pub name: Option<String>,
    /// What cases have when they do not say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Marks and what they mean. A mark that is not here is an error.
    #[serde(default)]
    pub marks: BTreeMap<String, String>,
    /// When the machine counts as degraded.
    #[serde(default)]
    pub health: Health,
    /// Backends by name.
    #[serde(default)]
    pub backend: BTreeMap<String, Spanned<BackendDef>>,
    /// Models.
    #[serde(default)]
    pub model: Vec<Spanned<ModelDef>>,
    /// Cases.
    #[serde(default)]
    pub case: Vec<Spanned<CaseDef>>,
    /// Memory budget (later).
    pub budget: Option<NotYet>,
    /// Profiles (later).
    pub profile: Option<NotYet>,
    /// Fixtures (later).
    pub fixture: Option<NotYet>,
    /// Other files (later).
    pub include: Option<NotYet>,
    /// Prices (later).
    pub price: Option<NotYet>,
}

/// What cases have when they do not say otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// How long a case may take.
    pub timeout: Option<Span>,
    /// How often a case is tried again (only 0 in this version).
    pub retries: Option<Spanned<u32>>,
    /// The seed that requests carry.
    pub seed: Option<u64>,
    /// The sampling temperature that requests carry.
    pub temperature: Option<f64>,
}

/// When the machine counts as degraded.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Less free memory than this is `degraded_ram`.
    pub min_ram_free_gb: f64,
    /// Swap growing by more than this during a test is `degraded_swap`.
    pub max_swap_growth_mb: f64,
}

impl Default for Health {
    fn default() -> Self {
        Health { min_ram_free_gb: 5.0, max_swap_growth_mb: 100.0 }
    }
}

/// A backend.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendDef {
    /// What it is, which fills in the rest.
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
    /// On which machines it can run (later).
    pub only: Option<NotYet>,
}

/// How to know that a backend is ready. What is absent, its kind fills in.
#[derive(Clone, Debug, Default, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct StopDef {
    /// The first signal, such as `TERM` or `INT`.
    pub signal: Option<Spanned<String>>,
    /// How long it has before it is killed.
    pub grace: Option<Span>,
}

/// A model and where backends find it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDef {
    /// Its id.
    pub id: String,
    /// What it can do.
    pub modality: Vec<Modality>,
    /// Where each backend finds it. A backend that is not here does not run it.
    pub on: BTreeMap<String, Placement>,
    /// On which machines it can run (later).
    pub only: Option<NotYet>,
}

/// Where a backend finds a model, and what is known of it there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// A file or folder.
    pub path: Option<String>,
    /// A repository on a hub.
    pub repo: Option<String>,
    /// A tag of a registry.
    pub tag: Option<String>,
    /// The name by which requests ask for it.
    pub name: Option<String>,
    /// Size on disk, where it cannot be read from `path`.
    pub size_gb: Option<f64>,
    /// Parameters, in 10⁹.
    pub params_b: Option<f64>,
    /// Parameters that one token uses, in 10⁹.
    pub active_params_b: Option<f64>,
    /// Its family.
    pub family: Option<String>,
    /// How its weights are stored.
    pub quantization: Option<String>,
    /// What it is made for.
    pub framework: Option<String>,
    /// Context length in tokens.
    pub context: Option<u64>,
    /// Whatever its owner wants to say.
    pub notes: Option<String>,
}

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDef {
    /// Its name.
    pub name: String,
    /// What a model must be able to do for it.
    #[serde(default)]
    pub needs: Vec<Modality>,
    /// Its marks.
    #[serde(default)]
    pub marks: Vec<Spanned<String>>,
    /// The request that it sends.
    pub request: Option<RequestDef>,
    /// The command that it runs.
    pub command: Option<CommandDef>,
    /// What must hold of the answer.
    #[serde(default)]
    pub expect: Vec<Spanned<toml::Value>>,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// Why it is not run.
    pub skip: Option<String>,
    /// Why it is expected to fail.
    pub xfail: Option<String>,
    /// Measured repetitions (later).
    pub bench: Option<NotYet>,
    /// Disk, memory, load, warm-up, steady state (later).
    pub baseline: Option<NotYet>,
    /// Many requests (later).
    pub batch: Option<NotYet>,
    /// Limits that metrics should keep (later).
    pub target: Option<NotYet>,
    /// Tries after a failure (later).
    pub retries: Option<NotYet>,
    /// Further axes (later).
    pub parametrize: Option<NotYet>,
    /// Questions with answers (later).
    pub dataset: Option<NotYet>,
    /// A backend of its own (later).
    pub isolate: Option<NotYet>,
    /// On which machines it can run (later).
    pub only: Option<NotYet>,
    /// What must be there before it (later).
    pub fixtures: Option<NotYet>,
}

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

/// A command.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandDef {
    /// The program and its arguments; no shell is between.
    pub argv: Vec<String>,
    /// What it reads from standard input; nothing when absent.
    pub stdin: Option<String>,
    /// Environment variables for it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}
