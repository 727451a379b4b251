//! What people see while a suite runs, on standard error.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use pipe::printable;
use records::{Counts, Outcome, Test};

use crate::secrets::Secrets;

/// Prints a line for each thing that happens. Colours only on a terminal that wants
/// them (`NO_COLOR` and friends are honoured by `anstream`).
#[derive(Debug, Default)]
pub struct Progress {
    /// What must not be shown.
    pub secrets: Secrets,
}

impl Progress {
    /// What will run.
    pub fn start(&self, suite: &str, cells: usize, loads: usize) {
        line(&format!("{}: {cells} to run, {loads} to load", printable(suite)));
    }

    /// A server is being started.
    pub fn loading(&self, backend: &str, model: &str) {
        line(&format!(
            "{} {:>10} {}",
            word("LOAD", dim()),
            "",
            printable(&format!("{backend} {model}"))
        ));
    }

    /// A server is ready.
    pub fn loaded(&self, backend: &str, model: &str, seconds: f64) {
        let what = format!("{backend} {model}");
        line(&format!("{} {} {}", word("READY", dim()), time(Some(seconds)), printable(&what)));
    }

    /// A case has its result.
    pub fn test(&self, test: &Test) {
        let (name, style) = match test.outcome {
            Outcome::Passed => ("PASS", color(AnsiColor::Green)),
            Outcome::Failed => ("FAIL", color(AnsiColor::Red)),
            Outcome::Error => ("ERROR", color(AnsiColor::Red)),
            Outcome::Skipped => ("SKIP", color(AnsiColor::Yellow)),
            Outcome::Xfailed => ("XFAIL", color(AnsiColor::Yellow)),
            Outcome::Xpassed => ("XPASS", color(AnsiColor::Yellow)),
        };
        line(&format!("{} {} {}", word(name, style), time(test.duration_s), printable(&test.id)));
        if let Some(reason) = &test.reason {
            for part in reason.lines().take(3) {
                line(&format!("{:17} {}", "", printable(&self.secrets.hide(part))));
            }
        }
        for part in test.error.iter().filter_map(|error| error.log_tail.as_ref()).flatten() {
            line(&format!("{:17} | {}", "", printable(&self.secrets.hide(part))));
        }
    }

    /// How it all came out.
    pub fn end(&self, counts: &Counts, not_run: u64, seconds: f64) {
        let parts: Vec<String> = [
            (counts.passed, "passed"),
            (counts.failed, "failed"),
            (counts.error, "error"),
            (counts.skipped, "skipped"),
            (counts.xfailed, "xfailed"),
            (counts.xpassed, "xpassed"),
            (not_run, "not run"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
        line(&format!("{} in {seconds:.1} s", parts.join(", ")));
    }
}

fn line(text: &str) {
    // Nobody reading it is no reason to stop measuring.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn word(text: &str, style: Style) -> String {
    format!("{style}{text:>6}{style:#}")
}

fn time(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("[{seconds:>7.3}s]"),
        None => format!("{:10}", ""),
    }
}

fn color(color: AnsiColor) -> Style {
    color.on_default().bold()
}

fn dim() -> Style {
    Style::new().dimmed()
}
