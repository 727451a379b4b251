//! How lines move between the tools.
//!
//! [`Reader`] takes files or standard input apart into lines that know where
//! they stand and what they are; [`Writer`] writes whole lines, at once when
//! somebody is waiting for them; [`Faults`] counts and names what could not be
//! read; [`Error`] knows its exit code; [`cli`] is the frame of every `main`.
//!
//! A filter is a loop over these:
//!
//! ```no_run
//! # fn main() -> Result<(), pipe::Error> {
//! let mut reader = pipe::Reader::open(&["-".into()])?;
//! let mut writer = pipe::Writer::create(None)?;
//! let mut faults = pipe::Faults::new("mytool");
//! while let Some(line) = reader.next(&mut faults)? {
//!     writer.line(line.raw)?;
//!     if reader.would_wait() {
//!         writer.flush()?;
//!     }
//! }
//! writer.flush()?;
//! faults.finish(false)
//! # }
//! ```

mod ahead;
mod assemble;
mod blocks;
pub mod cli;
mod document;
mod error;
pub mod exit;
mod faults;
mod input;
mod lines;
mod man;
mod reader;
mod scan;
mod text;
mod writer;

pub use blocks::{Block, BlockReader, Line, Part, Samples};
pub use document::Document;
pub use error::Error;
pub use faults::Faults;
pub use input::{Input, ignore_interrupt_when_piped};
pub use lines::{Lines, MAX_LINE, RawLine};
pub use reader::{Incoming, Place, Reader};
pub use text::{no_formula, printable};
pub use writer::{Writer, refuse_input_as_output, whole_lines};

/// The environment variable in which memmon hands its run's id to its command.
pub const RUN_VARIABLE: &str = "MEMMON_RUN";
