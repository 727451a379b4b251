//! The language of suites: what a TOML file can say.
//!
//! These types mirror the file. [`load`] reads one and says what is wrong with
//! it (`read`, `check`); [`crate::plan`] turns it into cells to run.

mod backend;
mod batch;
mod bench;
mod budget;
mod byte_size;
mod case;
mod check;
mod condition;
pub mod dataset;
mod expand;
mod fixture;
mod model;
mod parametrize;
mod places;
mod price;
mod read;
mod request;
#[cfg(feature = "schema")]
mod schema;
mod source;
mod substitute;
#[cfg(test)]
mod tests;
mod tree;
mod values;

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use backend::{BackendDef, ReadyDef, StopDef};
pub use batch::{Arrival, BatchDef, RampDef, SamplesDef};
pub use bench::{BaselineDef, BenchDef};
pub use budget::{Budget, Limit};
pub use byte_size::ByteSize;
pub use case::{CaseDef, CommandDef, Dataset, TargetDef};
pub(crate) use check::{limits::MOST_RETRIES, requests::check as check_request};
pub use condition::{Backoff, Only, Retries, Skip, Xfail};
pub(crate) use expand::PLACES;
pub use expand::{Filled, Template};
pub use fixture::{FixtureDef, Scope};
pub use model::{ModelDef, Placement};
pub(crate) use parametrize::written_id;
pub use places::Places;
pub use price::PriceDef;
pub use read::{load, parse};
pub use request::{Api, Format, RequestDef, Turn, Unsupported};
#[cfg(feature = "schema")]
pub use schema::schema;
pub(crate) use source::suggestion;
pub use source::{SuiteError, SuiteErrors};
pub use substitute::substitute;
pub use values::{AnyOf, Span, within_reason};

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
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The version of the language: 1.
    pub suite: u32,
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
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, BackendDef>"))]
    pub backend: BTreeMap<String, Spanned<BackendDef>>,
    /// Models.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ModelDef>"))]
    pub model: Vec<Spanned<ModelDef>>,
    /// Cases.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<CaseDef>"))]
    pub case: Vec<Spanned<CaseDef>>,
    /// The memory that models may take.
    pub budget: Option<Budget>,
    /// Ways to run the suite, by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Profile>"))]
    pub profile: BTreeMap<String, Spanned<Profile>>,
    /// What must be there before a case, by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, FixtureDef>"))]
    pub fixture: BTreeMap<String, Spanned<FixtureDef>>,
    /// Other files of the same language, read before this one.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub include: Vec<Spanned<String>>,
    /// What requests cost.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<PriceDef>"))]
    pub price: Vec<Spanned<PriceDef>>,
}

/// What cases have when they do not say otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// How long a case may take.
    pub timeout: Option<Span>,
    /// How often a case is tried again.
    pub retries: Option<Retries>,
    /// The seed that requests carry.
    pub seed: Option<u64>,
    /// The sampling temperature that requests carry.
    pub temperature: Option<f64>,
}

/// When the machine counts as degraded.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// A way to run the suite: what it gives stands in for what the command line does not.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is for.
    pub description: Option<String>,
    /// As `-k`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub keywords: Option<Spanned<String>>,
    /// As `-m`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub marks: Option<Spanned<String>>,
    /// As `--model`.
    pub model: Option<AnyOf<String>>,
    /// As `--backend`.
    pub backend: Option<AnyOf<String>>,
    /// As `--maxfail`.
    pub maxfail: Option<u64>,
    /// As `--repeat`.
    pub repeat: Option<u32>,
    /// What cases have when they do not say otherwise; stands over the suite's own.
    #[serde(default)]
    pub defaults: Defaults,
}
