//! The command line.

use clap::{Parser, ValueHint};

/// Check every line of a stream against its schema.
///
/// Each line that claims to be a record is checked against the JSON Schema of its
/// kind and version (the lines of mlx-knife's tests and sampler too), and against
/// what a schema cannot say: a run has one result per test id, nothing ends before
/// it starts, dates are dates, and NaN and Infinity are no numbers of JSON. Every
/// problem is a line on standard output, `FILE:LINE: KIND: WHERE: WHAT`; a summary
/// goes to standard error. Text between the lines, records of unknown kinds and
/// those of newer versions are counted and are no problems.
#[derive(Debug, Parser)]
#[command(name = "validate", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    /// Files to read one after the other; `-` or none at all is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Write every line that is JSON to standard output, those of mlx-knife as records of ours.
    ///
    /// Lines that are ours, and JSON of any other kind, stay as they are, byte for
    /// byte; problems go to standard error. Upgraded lines belong to the run and
    /// host of the `stream` record before them, else to run `legacy` on host
    /// `unknown`.
    #[arg(long)]
    pub upgrade: bool,

    /// Check every JSON line against the schema NAME, whatever the line says it is.
    #[arg(long, value_name = "NAME", conflicts_with = "upgrade")]
    pub schema: Option<String>,

    /// End with exit code 65 when a line cannot be read at all.
    #[arg(long)]
    pub strict: bool,
}

const AFTER_HELP: &str = "\
Examples:
  validate run.jsonl
  memmon -- runner suite.toml | tee run.jsonl | validate
  validate --upgrade old.jsonl > new.jsonl
  validate --schema sample.v1 samples.jsonl

Exit codes: 0 every line is valid; 1 some line is not; 2 usage; 65 a line that
cannot be read, under --strict; 66 a missing input; 74 input or output failed.";
