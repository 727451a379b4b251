//! The command line.

use clap::{Parser, ValueHint};

/// Draw streams as one interactive timeline: a single HTML file that works offline.
///
/// Memory, CPU and GPU share one time axis with the tests and model loads that ran
/// meanwhile. Reads what memmon, runner and correlate write, and the older lines of
/// mlx-knife; samples and tests may come in one stream or in several files. What was
/// not measured is said to be so, with the reason.
#[derive(Debug, Parser)]
#[command(name = "memplot", version, after_help = EXAMPLES)]
pub struct Args {
    /// Streams to draw together; - or none is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,

    /// Where the page goes; - is standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "timeline.html",
        value_hint = ValueHint::FilePath
    )]
    pub output: String,

    /// Title of the page [default: the suite, else the command that was sampled]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Fail (exit 65) when a line cannot be read, instead of going on without it
    #[arg(long)]
    pub strict: bool,

    /// Also draw this run, below the others and aligned with them at the start
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub compare: Option<String>,

    /// Also write the run as Chrome trace JSON, for Perfetto
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Option<String>,

    /// Also draw the figure as PNG, with an installed Chromium
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub png: Option<String>,

    /// Also draw the figure as SVG, with an installed Chromium
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub svg: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  memplot run.jsonl                                    writes timeline.html
  memmon -- runner suite.toml | correlate | memplot -o run.html
  memplot memory.jsonl benchmark.jsonl --title 'M2 Max, 4-bit models'
  memplot -o - < run.jsonl > run.html
  memplot tuesday.jsonl --compare monday.jsonl         one above the other
  memplot run.jsonl --trace run.json --png run.png     for Perfetto, for a chat

Exit codes: 0 done, 2 usage, 65 bad data under --strict, 66 input missing,
74 reading or writing failed.";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_page_goes_to_the_working_directory_unless_told_otherwise() {
        let args = Args::try_parse_from(["memplot", "a.jsonl", "b.jsonl"]).unwrap();
        assert_eq!(args.output, "timeline.html");
        assert_eq!(args.files, ["a.jsonl", "b.jsonl"]);
        let args = Args::try_parse_from(["memplot", "-o", "-", "-"]).unwrap();
        assert_eq!((args.output.as_str(), args.files.len()), ("-", 1));
    }
}
