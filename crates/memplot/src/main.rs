//! The `memplot` command.

use std::process::ExitCode;

use pipe::cli::Frame;

fn main() -> ExitCode {
    Frame::new(memplot::TOOL).main(|args| memplot::run(&args))
}
