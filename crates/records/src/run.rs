//! The beginning and the end of a run of the runner.

use serde::{Deserialize, Serialize};

use crate::{Machine, Producer, head::record};

record! {
    /// The runner begins.
    RunStart {
        /// The program that runs the cases.
        pub producer: Producer,
        /// The name of the suite.
        pub suite: String,
        /// The file of the suite, as it was given.
        pub file: String,
        /// The seed that requests carry.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub seed: Option<u64>,
        /// The machine.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub machine: Option<Machine>,
        /// When a test counts as degraded.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub health: Option<HealthLimits>,
        /// The run that this one continues, with how many of its results.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resumed: Option<Resumed>,
        /// The cases that were selected, in the order in which they will run.
        pub selected: Vec<Selected>,
    }
}

/// When a test counts as degraded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthLimits {
    /// Less free memory than this is `degraded_ram`.
    pub min_ram_free_gb: f64,
    /// Swap that grows by more than this during a test is `degraded_swap`.
    pub max_swap_growth_mb: f64,
}

/// The run that another one continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resumed {
    /// The file that it was read from, as it was given.
    pub file: String,
    /// The id of that run, where it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How many of its results stand; their cases do not run again.
    pub kept: u64,
}

/// A case that will run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Selected {
    /// The id under which its result will be written.
    pub id: String,
    /// How many requests it sends, where that is known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

record! {
    /// The runner ended. A stream without it was cut off. `ts` is the start of the run.
    RunEnd {
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds since the run began, by the monotonic clock.
        pub duration_s: f64,
        /// Results by outcome.
        pub counts: Counts,
        /// Selected cases without a result, because the run was stopped.
        pub not_run: u64,
        /// Whether a signal stopped the run.
        pub interrupted: bool,
        /// The exit code of the runner.
        pub exit: u8,
    }
}

/// Results by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counts {
    /// Every check held.
    pub passed: u64,
    /// A check did not hold.
    pub failed: u64,
    /// No answer could be judged.
    pub error: u64,
    /// Not run, with a reason.
    pub skipped: u64,
    /// Expected to fail, and did.
    pub xfailed: u64,
    /// Expected to fail, and passed.
    pub xpassed: u64,
}

impl Counts {
    /// All results together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.passed + self.failed + self.error + self.skipped + self.xfailed + self.xpassed
    }
}
