//! `reportgen`: a stream of results, as a report in Markdown.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipe::cli::Frame::new("reportgen").main(|args: reportgen::Args| reportgen::run(&args))
}
