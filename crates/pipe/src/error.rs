//! Errors that end a tool: one line for people, one code for scripts.

use std::io;

use crate::exit;

/// Why a tool ends early. Printed as `tool: what: where: why`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input cannot be opened.
    #[error("cannot read: {path}: {source}")]
    NoInput {
        /// The path as it was given.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Reading failed on the way.
    #[error("reading failed: {place}: {source}")]
    Read {
        /// File and line.
        place: String,
        /// The system's reason.
        source: io::Error,
    },
    /// An output cannot be opened or written.
    #[error("cannot write: {path}: {source}")]
    Write {
        /// The path, or `standard output`.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The input has lines that cannot be read, and the user asked for none.
    #[error("bad input: {0}")]
    BadData(String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// A failed write to `path`.
    #[must_use]
    pub fn write(path: &str, source: io::Error) -> Error {
        Error::Write { path: path.to_owned(), source }
    }

    /// Whether our reader went away: the quiet end of a filter.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The code to exit with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NoInput { .. } => exit::NO_INPUT,
            Error::Read { .. } | Error::Write { .. } => exit::IO,
            Error::BadData(_) => exit::BAD_DATA,
            Error::Usage(_) => exit::USAGE,
        }
    }
}
