//! The command line.

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  memmon -- runner suite.toml | correlate | reportgen > report.md
      Join while it runs; each test is passed on at the first sample after its end.
  correlate run.jsonl -o joined.jsonl
      Join what was recorded.
  correlate memory.jsonl tests.jsonl --tests-only
      Samples and tests in files of their own, in either order.

Exit codes: 0 done, 2 usage, 65 a line cannot be read (--strict),
66 an input is missing, 74 reading or writing failed.";

/// Join each test and span to the samples taken while it ran
///
/// Reads a stream of JSON lines, or several files in any order, and passes every
/// line on as it is, except that tests, spans and attempts get `resources`: how
/// memory, CPU and GPU stood between their start and their end. Tests that name a
/// model get `cold_start`, where it can be known. Samples may come before or after
/// the tests that they belong to.
#[derive(Debug, Parser)]
#[command(name = "correlate", version, after_help = EXAMPLES)]
pub struct Args {
    /// Files of JSON lines; - or none is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,

    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,

    /// Write the joined tests and nothing else
    #[arg(long)]
    pub tests_only: bool,

    /// Set from where on something is an anomaly, such as leak_mb=100; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub threshold: Vec<String>,

    /// Exit with 65 when a line cannot be read
    #[arg(long)]
    pub strict: bool,

    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = pipe::cli::not_yet)]
    csv: Option<String>,

    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", allow_hyphen_values = true, value_parser = pipe::cli::not_yet)]
    offset: Option<String>,
}
