//! Where a case runs, where it does not, and how often it is tried.

use serde::Deserialize;

use super::{AnyOf, Span};

/// On which machines something can run. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// Operating systems: `macos`, `linux`.
    pub os: Option<AnyOf<String>>,
    /// Architectures: `aarch64`, `x86_64`.
    pub arch: Option<AnyOf<String>>,
    /// The memory that the machine has at least, in 10⁹ bytes.
    pub min_ram_gb: Option<f64>,
    /// Kinds of GPU, as words in its name: `apple`, `nvidia`, `amd`.
    pub gpu: Option<AnyOf<String>>,
    /// Programs that must be found on the path.
    pub program: Option<AnyOf<String>>,
    /// Environment variables that must be set.
    pub env: Option<AnyOf<String>>,
    /// Backends, by name or pattern.
    pub backend: Option<AnyOf<String>>,
    /// Models, by id or pattern.
    pub model: Option<AnyOf<String>>,
}

/// Why a case is not run: `"reason"`, or a table that also says where.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "SkipForm")]
pub struct Skip {
    /// The reason.
    pub reason: String,
    /// Where; everywhere when absent.
    pub on: Option<Only>,
}

/// Why a case is expected to fail: `"reason"`, or a table that also says where and
/// whether passing is a failure then.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "XfailForm")]
pub struct Xfail {
    /// The reason.
    pub reason: String,
    /// Where; everywhere when absent.
    pub on: Option<Only>,
    /// Whether passing makes it `failed`.
    pub strict: bool,
}

/// How often a case is tried again, and after how long.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "RetriesForm")]
pub struct Retries {
    /// Tries after the first.
    pub count: u32,
    /// The pause before the first of them.
    pub delay: Option<Span>,
    /// How pauses grow.
    pub backoff: Backoff,
    /// The longest pause.
    pub max_delay: Option<Span>,
}

impl Retries {
    /// So many further tries, with the usual pauses.
    #[must_use]
    pub fn times(count: u32) -> Retries {
        Retries { count, delay: None, backoff: Backoff::default(), max_delay: None }
    }
}

/// How pauses between tries grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// They do not.
    Fixed,
    /// Each is twice the one before.
    #[default]
    Exponential,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "write skip = \"reason\" or skip = { reason = \"…\", on = { os = \"linux\" } }"
)]
enum SkipForm {
    Reason(String),
    Table { reason: String, on: Option<Only> },
}

impl From<SkipForm> for Skip {
    fn from(form: SkipForm) -> Skip {
        match form {
            SkipForm::Reason(reason) => Skip { reason, on: None },
            SkipForm::Table { reason, on } => Skip { reason, on },
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "write xfail = \"reason\" or xfail = { reason = \"…\", strict = true, on = { backend = \"…\" } }"
)]
enum XfailForm {
    Reason(String),
    Table {
        reason: String,
        on: Option<Only>,
        #[serde(default)]
        strict: bool,
    },
}

impl From<XfailForm> for Xfail {
    fn from(form: XfailForm) -> Xfail {
        match form {
            XfailForm::Reason(reason) => Xfail { reason, on: None, strict: false },
            XfailForm::Table { reason, on, strict } => Xfail { reason, on, strict },
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "write retries = 2 or retries = { count = 2, delay = \"1s\", backoff = \"exponential\", max_delay = \"30s\" }"
)]
enum RetriesForm {
    Count(u32),
    Table {
        count: u32,
        delay: Option<Span>,
        #[serde(default)]
        backoff: Backoff,
        max_delay: Option<Span>,
    },
}

impl From<RetriesForm> for Retries {
    fn from(form: RetriesForm) -> Retries {
        match form {
            RetriesForm::Count(count) => Retries::times(count),
            RetriesForm::Table { count, delay, backoff, max_delay } => {
                Retries { count, delay, backoff, max_delay }
            }
        }
    }
}
