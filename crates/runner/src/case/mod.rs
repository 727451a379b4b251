//! Doing what a case says, and making a result of what came of it.

mod build;
mod command;
mod conversation;
mod dataset;
mod measuring;
mod media;
mod prepared;
mod request;
mod result;
mod stop_token;
mod tally;
mod target;
mod unsupported;

use std::{collections::BTreeMap, path::Path, time::Duration};

use probe::clock::Stamp;
use records::{
    BatchTotals, Check, Cost, ErrorInfo, MemoryAround, Metrics, Protocol, SampleAnswer, Verdict,
};
use serde_json::{Map, Value};

use crate::{expect::Observed, suite::Places};

pub use command::run as run_command;
pub(crate) use measuring::Measuring;
pub use prepared::Prepared;
pub(crate) use request::Wire;
pub use request::{Ready, Sending};
pub use result::{Subject, conclude, model, not_run};
pub(crate) use result::{describe, judge_all};

/// What a command finds around it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// What its placeholders stand for.
    pub places: &'a Places,
    /// Environment variables beside its own.
    pub env: &'a BTreeMap<String, String>,
    /// The folder that relative paths start from.
    pub folder: &'a Path,
    /// How long it may take.
    pub timeout: Duration,
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// What there is to judge.
    pub observed: Observed,
    /// What was judged already: turns, and what no case has to ask for.
    pub checks: Vec<Check>,
    /// Whether there is no last answer to judge, because a check before it failed.
    pub cut_short: bool,
    /// What helps to understand a failure.
    pub note: Option<String>,
    /// The gaps between the chunks of the one answer, in seconds.
    pub gaps_s: Vec<f64>,
    /// What comes with a measurement.
    pub measured: Option<Box<Measured>>,
    /// What is to be kept besides.
    pub metadata: Map<String, Value>,
    /// Why there is nothing to judge, or not all of it.
    pub error: Option<ErrorInfo>,
    /// When it was over, where cleaning up came after it.
    pub end: Option<Stamp>,
    /// How long the server asked to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// What comes with a measurement: a bench, a baseline or a batch.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How it was measured.
    pub protocol: Protocol,
    /// What was measured of each repetition.
    pub runs: Option<Vec<Metrics>>,
    /// What became of the requests of a batch.
    pub batch: Option<BatchTotals>,
    /// The memory around a baseline.
    pub memory: Option<MemoryAround>,
    /// Answers that are kept to be read.
    pub samples: Vec<SampleAnswer>,
    /// What requests like these cost.
    pub cost: Vec<Cost>,
    /// Whether it can be trusted.
    pub verdict: Option<Verdict>,
}

impl Came {
    /// Nothing but an error.
    #[must_use]
    pub fn error(kind: &str, message: String) -> Came {
        let error = ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() };
        Came { error: Some(error), ..Came::default() }
    }

    /// The run was stopped meanwhile.
    #[must_use]
    pub fn interrupted() -> Came {
        Came::error("interrupted", "the run was interrupted".to_owned())
    }
}
