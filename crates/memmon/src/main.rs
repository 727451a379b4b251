//! `memmon`: samples the machine while it runs a command.

use std::process::ExitCode;

use pipe::cli::Frame;

fn main() -> ExitCode {
    Frame::new("memmon").main(|args: memmon::Args| Ok(memmon::run(args)))
}
