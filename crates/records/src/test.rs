//! The result of a case.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    BatchTotals, Cost, MemoryAround, Metrics, Params, Protocol, Resources, SampleAnswer,
    head::record,
};

/// How a case came out.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every check held.
    Passed,
    /// A check did not hold, or a target with `on_miss = "fail"` was missed.
    Failed,
    /// There was no answer to judge: the backend died, a time-out, a bad status, garbage.
    #[default]
    Error,
    /// Not run, with a reason.
    Skipped,
    /// Expected to fail, and did.
    Xfailed,
    /// Expected to fail, and passed.
    Xpassed,
}

impl Outcome {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Error => "error",
            Outcome::Skipped => "skipped",
            Outcome::Xfailed => "xfailed",
            Outcome::Xpassed => "xpassed",
        }
    }
}

/// What kind of input a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Words in, words out.
    Text,
    /// Pictures in.
    Vision,
    /// Sound in.
    Audio,
    /// Calls of tools out.
    Tools,
}

impl Modality {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Modality::Text => "text",
            Modality::Vision => "vision",
            Modality::Audio => "audio",
            Modality::Tools => "tools",
        }
    }
}

/// A model, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Size on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<f64>,
    /// Parameters, in 10⁹.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params_b: Option<f64>,
    /// Parameters that one token uses, in 10⁹ (mixture of experts).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_params_b: Option<f64>,
    /// Its family, such as `llama`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// How its weights are stored, such as `Q4_K_M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
    /// What it is made for, such as `MLX` or `GGUF`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// Context length in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// Whatever its owner wants to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// The backend that served a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Backend {
    /// Its name in the suite.
    pub name: String,
    /// Its kind, such as `llama-server`.
    pub kind: String,
    /// Its version, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The command that started it, word by word; absent when it was not started by us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Whatever its owner wants to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// One expectation and whether it held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// The expectation, as the suite states it.
    pub expect: Value,
    /// Whether it held.
    pub ok: bool,
    /// What was found instead or as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
}

/// What a missed target does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnMiss {
    /// The case fails.
    Fail,
    /// It is said, and no more.
    #[default]
    Warn,
}

/// A limit that a metric should keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Target {
    /// The metric.
    pub metric: String,
    /// Which statistic of it, such as `median`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat: Option<String>,
    /// The limit, as the suite states it: `{"min": 25.0}` or `{"max": 10.0}`.
    pub limit: Value,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<f64>,
    /// Whether the limit was kept.
    pub ok: bool,
    /// What a miss does.
    pub on_miss: OnMiss,
}

/// Whether a measurement can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Nothing speaks against it.
    #[default]
    Clean,
    /// Something does.
    Suspect,
}

/// Whether a measurement can be trusted, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Clean or suspect.
    pub state: Validity,
    /// What speaks against it.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// Why there is no result to judge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorInfo {
    /// What went wrong: `backend_not_started`, `port_in_use`, `not_ready`, `backend_died`,
    /// `timeout`, `connection`, `http_status`, `unsupported`, `bad_answer`, `bad_request`,
    /// `missing_metric`, `command_not_started`, `fixture`, `teardown`, `interrupted`.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
    /// Exit code of the process that died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Number of the signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The last lines of its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<Vec<String>>,
    /// The machine's memory when the death was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryAtDeath>,
}

/// The machine's memory when a process died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryAtDeath {
    /// Free memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free_gb: Option<f64>,
    /// Swap in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_mb: Option<f64>,
    /// 1 normal, 2 warn, 4 critical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_pressure: Option<u8>,
}

/// Whether the machine was in a state to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QualityFlag {
    /// Nothing below applies.
    Clean,
    /// Less free memory than the threshold (5 GB unless the suite says otherwise).
    DegradedRam,
    /// Swap grew by over 100 MB during the test.
    DegradedSwap,
    /// There are zombie processes.
    DegradedZombies,
}

impl QualityFlag {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            QualityFlag::Clean => "clean",
            QualityFlag::DegradedRam => "degraded_ram",
            QualityFlag::DegradedSwap => "degraded_swap",
            QualityFlag::DegradedZombies => "degraded_zombies",
        }
    }
}

/// The machine's state around a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemHealth {
    /// Free memory: the lesser of before and after the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free_gb: Option<f64>,
    /// Swap in use after the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_mb: Option<f64>,
    /// Zombie processes on the machine after the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zombie_processes: Option<u32>,
    /// What this says about the test; absent when nothing could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_flags: Option<Vec<QualityFlag>>,
}

record! {
    /// The one final result of a case. Times are those of the last attempt.
    Test {
        /// `suite::case[backend,model,axis=value]`, absent axes left out.
        pub id: String,
        /// The suite's name.
        pub suite: String,
        /// The case's name.
        pub case: String,
        /// What it ran on.
        #[serde(default)]
        pub params: Params,
        /// How it came out.
        pub outcome: Outcome,
        /// End, in Unix seconds; absent when only the duration is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub end_ts: Option<f64>,
        /// Seconds of the last attempt, by the monotonic clock; absent when it did not run.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub duration_s: Option<f64>,
        /// Seconds of all attempts together.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub total_s: Option<f64>,
        /// Which attempt this is, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub attempt: Option<u32>,
        /// Whether an earlier attempt came out otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub flaky: Option<bool>,
        /// The marks of the case.
        #[serde(default)]
        pub marks: Vec<String>,
        /// What kind of input it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub modality: Option<Modality>,
        /// Why it was skipped, or failed, in one sentence.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// The model.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model: Option<Model>,
        /// The backend.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub backend: Option<Backend>,
        /// Each expectation and whether it held.
        #[serde(default)]
        pub checks: Vec<Check>,
        /// What was measured.
        #[serde(default, skip_serializing_if = "Metrics::is_empty")]
        pub metrics: Metrics,
        /// The raw values of each repetition.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub runs: Option<Vec<Metrics>>,
        /// How it was measured: a bench, a baseline or a batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub protocol: Option<Protocol>,
        /// What became of the requests of a batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub batch: Option<BatchTotals>,
        /// The memory before, during and after a baseline.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory: Option<MemoryAround>,
        /// What requests like those of a batch cost, by each price that the suite has for them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub cost: Vec<Cost>,
        /// The limits that metrics should keep.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub targets: Option<Vec<Target>>,
        /// Whether the measurement can be trusted.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub verdict: Option<Verdict>,
        /// Why there is no result to judge.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorInfo>,
        /// The machine's state around the test.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub system_health: Option<SystemHealth>,
        /// The beginning of the answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sample_output: Option<String>,
        /// Answers of a batch, by the rule that its suite states.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub samples: Vec<SampleAnswer>,
        /// Whatever else the suite or an older line says.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub metadata: Option<Map<String, Value>>,
        /// What the machine did meanwhile (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resources: Option<Resources>,
        /// Whether it was the first on its model since the model was loaded (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cold_start: Option<bool>,
        /// Memory that loading its model took (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub model_delta_gb: Option<f64>,
    }
}

record! {
    /// An earlier try of a case that was tried again.
    Attempt {
        /// The id of the test.
        pub id: String,
        /// What it ran on.
        #[serde(default)]
        pub params: Params,
        /// Which attempt this is, from 1.
        pub attempt: u32,
        /// How it came out.
        pub outcome: Outcome,
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds by the monotonic clock.
        pub duration_s: f64,
        /// Why it did not pass, in one sentence.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        /// Each expectation and whether it held.
        #[serde(default)]
        pub checks: Vec<Check>,
        /// Why there is no result to judge.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorInfo>,
        /// What the machine did meanwhile (added by correlate).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resources: Option<Resources>,
    }
}
