//! What memmon says at its end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::head::record;

record! {
    /// Closes a stream of samples. `ts` is the start of the stream.
    Summary {
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds from the first line to this one, by the monotonic clock.
        pub duration_s: f64,
        /// Samples written.
        pub samples: u64,
        /// Deadlines that passed unused.
        pub missed: u64,
        /// The interval as it really was; absent with fewer than two samples.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub achieved: Option<Achieved>,
        /// Least, mean and greatest value of each series that was measured; the mean
        /// is over the samples that have the value.
        pub series: BTreeMap<String, MinMeanMax>,
        /// How the wrapped command ended; absent when there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub child: Option<Child>,
        /// What the sampler itself used.
        #[serde(rename = "self")]
        pub own: OwnUse,
    }
}

/// Time between the starts of successive samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Achieved {
    /// Arithmetic mean, in milliseconds.
    pub mean_ms: f64,
    /// Median, in milliseconds, within 0.1 %; the lower of the middle two.
    pub median_ms: f64,
    /// 99th percentile, in milliseconds, within 0.1 %.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub max_ms: f64,
}

/// The extremes and the mean of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MinMeanMax {
    /// The least value.
    pub min: f64,
    /// The arithmetic mean of the values.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
}

/// How the wrapped command ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Child {
    /// Its exit code, when it exited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The number of the signal that ended it, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why it could not be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it and the children that it waited for used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rusage: Option<Rusage>,
}

/// Resources that a process used, as the kernel counts them when it ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rusage {
    /// Seconds in user code.
    pub user_s: f64,
    /// Seconds in the kernel.
    pub sys_s: f64,
    /// Greatest resident memory of any one process among them.
    pub max_rss_gb: f64,
}

/// What the sampler itself used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnUse {
    /// Seconds in user code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_s: Option<f64>,
    /// Seconds in the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sys_s: Option<f64>,
    /// Greatest resident memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rss_mb: Option<f64>,
}
