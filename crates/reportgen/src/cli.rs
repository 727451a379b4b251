//! The command line.

use clap::{Parser, ValueEnum, ValueHint};

use crate::page::{Page, github, html, json, markdown};

/// Turn a stream of results into a report in Markdown.
///
/// Reads the JSON lines that runner, memmon and correlate write (and those of
/// mlx-knife's test suite and sampler) and writes one report: what ran and where,
/// a verdict, the failures with their reasons, the machine's health, and tables
/// per model and per test. It is made to be read as plain text in a terminal, on
/// GitHub and in print. Tests carry what the machine did meanwhile when the stream
/// went through correlate; without it the report says so.
#[derive(Debug, Parser)]
#[command(name = "reportgen", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    /// Files to read one after the other; `-` or none at all is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Write the report to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<String>,

    /// What to write the report as.
    #[arg(short, long, value_name = "FORMAT", default_value = "md")]
    pub format: Format,

    /// Also write every table as a CSV file of its own into DIR, with all of its rows.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub csv: Option<String>,

    /// Read every *.jsonl below DIR as earlier runs, and show how figures went from run to run.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub history: Option<String>,

    /// Compute what it takes to screen all requests with one model and to evaluate PCT percent
    /// of them with another: two models, or ids of batches, of the input.
    #[arg(long, value_name = "SCREEN,EVALUATE,PCT")]
    pub hybrid: Option<String>,

    /// End with exit code 65, and without a report, when a line cannot be read.
    ///
    /// Without it such lines are named, counted and left out.
    #[arg(long)]
    pub strict: bool,

    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = pipe::cli::not_yet)]
    compare: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = pipe::cli::not_yet)]
    fail_on_regression: Option<String>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown that reads well as it stands.
    Md,
    /// One self-contained page.
    Html,
    /// The tables as one JSON object, for programs.
    Json,
    /// Markdown for the summary of a GitHub job: the details folded, at most 1 MiB.
    Github,
}

impl Format {
    /// `page` in this format.
    #[must_use]
    pub fn write(self, page: &Page) -> String {
        match self {
            Format::Md => markdown::write(page, markdown::Source::Aligned),
            Format::Html => html::write(page),
            Format::Json => json::write(page),
            Format::Github => github::write(page),
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  memmon -- runner suite.toml | correlate | reportgen > report.md
  reportgen run.jsonl -o report.md
  correlate tests.jsonl memory.jsonl | reportgen | less

Exit codes: 0 done, also when tests failed; 2 usage; 65 a line that cannot be
read, under --strict; 66 a missing input; 74 input or output failed.";
