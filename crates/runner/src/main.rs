//! `runner`: parse, run, exit.

use std::{panic::catch_unwind, process::ExitCode};

use pipe::cli::Frame;
use runner::{cli, exit};

fn main() -> ExitCode {
    let frame = Frame { tool: "runner", usage: exit::USAGE, filter: false };
    // A panic unwinds, so that servers are stopped; it has told itself on stderr.
    catch_unwind(|| frame.main(cli::execute)).unwrap_or(ExitCode::from(exit::INTERNAL))
}
