//! `correlate`: joins tests to the samples taken while they ran.

use std::process::ExitCode;

use pipe::cli::Frame;

fn main() -> ExitCode {
    Frame::new("correlate").main(correlate::run)
}
