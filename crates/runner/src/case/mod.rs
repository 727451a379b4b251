//! Doing what a case says, and making a result of what came of it.

mod command;
mod request;
mod result;

use probe::clock::Stamp;
use records::ErrorInfo;

use crate::expect::Observed;

pub use command::run as run_command;
pub use request::{Sending, run as run_request};
pub use result::{Subject, conclude, model, not_run};

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// What there is to judge.
    pub observed: Observed,
    /// Why there is nothing to judge, or not all of it.
    pub error: Option<ErrorInfo>,
    /// When it was over, where cleaning up came after it.
    pub end: Option<Stamp>,
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
