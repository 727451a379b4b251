//! The command line.

use clap::{Parser, ValueEnum, ValueHint};

use crate::{
    numbers::Rules,
    page::{Page, github, html, json, markdown},
};

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

    /// Compare with the earlier runs in FILE; can be given several times.
    ///
    /// Tests are paired by suite, case, model, backend and further axes, on machines of the
    /// same class. With enough repetitions of both the Mann–Whitney test says what is noise.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub compare: Vec<String>,

    /// End with exit code 1 when something is worse than before by more than PCT percent and
    /// beyond the noise, or no longer passes, and name it on standard error.
    #[arg(long, value_name = "PCT", requires = "compare", value_parser = percent)]
    pub fail_on_regression: Option<f64>,

    /// Changes of up to PCT percent are noise, where there are too few values to test.
    #[arg(long, value_name = "PCT", default_value = "5", requires = "compare", value_parser = percent)]
    pub noise: f64,

    /// Compare with runs on other classes of machines, too.
    #[arg(long, requires = "compare")]
    pub any_host: bool,

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
}

impl Args {
    /// How to compare.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules { noise_pct: self.noise, any_host: self.any_host }
    }
}

/// A percentage: a number that is not negative.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|pct| pct.is_finite() && *pct >= 0.0)
        .ok_or_else(|| "a percentage is a number from 0 on, such as 5".to_owned())
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
  reportgen today.jsonl --compare last-week.jsonl --fail-on-regression 10
  reportgen today.jsonl --history results/ | less
  reportgen run.jsonl --format github >> $GITHUB_STEP_SUMMARY

Exit codes: 0 done, also when tests failed; 1 a regression, under
--fail-on-regression; 2 usage; 65 a line that cannot be
read, under --strict; 66 a missing input; 74 input or output failed.";
