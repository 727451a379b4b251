//! The first line of a stream: what is sampled, where, and by whom.

use serde::{Deserialize, Serialize};

use crate::head::record;

record! {
    /// Opens a stream of samples.
    Stream {
        /// The program that samples.
        pub producer: Producer,
        /// The interval that was asked for, in milliseconds.
        pub interval_ms: f64,
        /// The command that is wrapped, word by word; absent when there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub command: Option<Vec<String>>,
        /// The process that is watched, when one is watched by its id.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub pid: Option<i32>,
        /// Both clocks, read together.
        pub clock: Clock,
        /// The machine.
        pub machine: Machine,
        /// Where each quantity comes from, and why others are missing.
        pub sources: Sources,
    }
}

/// A program that writes records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Producer {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The wall clock and the monotonic clock at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Clock {
    /// Unix seconds.
    pub wall_s: f64,
    /// Seconds of the monotonic clock, whose zero is the system's own.
    pub monotonic_s: f64,
}

/// The machine that a stream was taken on. What could not be found out is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine {
    /// The maker's name of the model, such as `Mac14,13`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// Cores of the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_physical: Option<u32>,
    /// Threads that it can run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_logical: Option<u32>,
    /// Physical memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_total_gb: Option<f64>,
    /// The operating system with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The kernel with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The instruction set, such as `aarch64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The graphics processors that were found.
    #[serde(default)]
    pub gpus: Vec<GpuInfo>,
}

/// A graphics processor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GpuInfo {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its driver, with the version where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total_gb: Option<f64>,
}

/// Where the quantities of the samples come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sources {
    /// The quantities that this machine gives.
    #[serde(default)]
    pub found: Vec<Found>,
    /// The quantities that it does not give.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// A quantity and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// The field of the sample.
    pub quantity: String,
    /// The file, call or library that it is read from.
    pub from: String,
}

/// A quantity that is not measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Missing {
    /// The field of the sample.
    pub quantity: String,
    /// Why it is not measured.
    pub why: String,
}
