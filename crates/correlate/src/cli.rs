//! The command line.

use clap::Parser;

use crate::offset::Offset;

const EXAMPLES: &str = "\
Examples:
  memmon -- runner suite.toml | correlate | reportgen > report.md
      Join while it runs; each test is passed on at the first sample after its end.
  correlate run.jsonl -o joined.jsonl
      Join what was recorded.
  correlate memory.jsonl tests.jsonl --tests-only
      Samples and tests in files of their own, in either order.
  correlate samples.jsonl tests.jsonl --offset tests.jsonl=-2.5
      The clock of the machine that ran the tests is 2.5 s ahead.
  correlate run.jsonl --csv tests.csv > joined.jsonl
      A row for each test, for spreadsheets and DuckDB.

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

    /// Write a row for each test to FILE as well, with a column for each figure
    #[arg(long, value_name = "FILE")]
    pub csv: Option<String>,

    /// Take times as later by so much: of FILE, or of all but the samples; auto estimates
    /// it from events that the files share; may be repeated
    #[arg(long, value_name = "[FILE=]SECONDS|auto", allow_hyphen_values = true, value_parser = Offset::read)]
    pub offset: Vec<Offset>,
}
