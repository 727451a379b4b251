//! What a suite says of a batch.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{AnyOf, Span};

/// Many requests out of a file: `custom_id`, `method`, `url` and `body` a line, as
/// OpenAI's Batch interface takes them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchDef {
    /// The file.
    pub file: String,
    /// How many requests are on their way at once at most: 1 when absent, or 1024 where
    /// there is a `rate` or a `ramp`. A list measures each.
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Swept<u32>>"))]
    pub concurrency: Option<u32>,
    /// Requests a second, sent when they are due whether or not others are answered. A
    /// list measures each.
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Swept<f64>>"))]
    pub rate: Option<f64>,
    /// A rate that grows.
    pub ramp: Option<RampDef>,
    /// When requests are due at that rate.
    #[serde(default)]
    pub arrival: Arrival,
    /// What a request must keep to count for `goodput_rps`: the most that is right, by
    /// metric.
    #[serde(default)]
    pub goodput: BTreeMap<String, f64>,
    /// Which answers are kept to be read.
    #[serde(default)]
    pub samples: SamplesDef,
}

/// A rate that grows evenly, and then stays.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RampDef {
    /// Requests a second at the beginning.
    pub from: f64,
    /// Requests a second at the end.
    pub to: f64,
    /// How long it takes.
    pub over: Span,
}

/// When requests are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// By chance, each independent of the others, as users are.
    #[default]
    Poisson,
    /// At equal distances.
    Constant,
}

impl Arrival {
    /// Its name in suites and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Arrival::Poisson => "poisson",
            Arrival::Constant => "constant",
        }
    }
}

/// Which answers are kept to be read. An answer that any of these names is kept with its
/// `request`; the first ten of them are in the result, too.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SamplesDef {
    /// Those of the first so many requests of the file; 1 when absent.
    pub first: u64,
    /// That of every so-manyth request of the file.
    pub every: Option<u64>,
    /// Those of these requests.
    pub ids: AnyOf<String>,
}

impl Default for SamplesDef {
    fn default() -> Self {
        SamplesDef { first: 1, every: None, ids: AnyOf(Vec::new()) }
    }
}

impl BatchDef {
    /// Whether requests are sent when they are due, whatever the server does.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.rate.is_some() || self.ramp.is_some()
    }

    /// How many requests are on their way at once at most.
    #[must_use]
    pub fn at_once(&self) -> u32 {
        self.concurrency.unwrap_or(if self.is_open() { 1024 } else { 1 })
    }
}
