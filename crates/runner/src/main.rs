//! `runner`: parse, run, exit.

use std::process::ExitCode;

use pipe::cli::Frame;
use runner::{cli, exit};

fn main() -> ExitCode {
    Frame { tool: "runner", usage: exit::USAGE, filter: false }.main(cli::execute)
}
