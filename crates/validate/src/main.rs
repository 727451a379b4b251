//! `validate`: every line of a stream against its schema.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipe::cli::Frame::new("validate").main(|args: validate::Args| validate::run(&args))
}
