//! Every line of a stream against its schema.
//!
//! [`schemas`] holds the compiled schemas, [`rules`] what a schema cannot say,
//! [`check`] brings both to a line ([`fast`] spares samples the long way), [`upgrade`]
//! writes older lines as ours.

pub mod check;
mod cli;
pub mod fast;
pub mod rules;
pub mod schemas;
pub mod upgrade;

use std::fmt::Write as _;

use check::{Checker, Outcome, Problem};
pub use cli::Args;
use pipe::{Error, Faults, Place, Reader, Writer, exit, printable};
use schemas::Schemas;
use upgrade::Upgrader;

const TOOL: &str = "validate";

/// Lines by what became of them.
#[derive(Debug, Default)]
struct Counts {
    valid: u64,
    invalid: u64,
    passed_over: u64,
}

/// Reads everything and says what is wrong.
///
/// # Errors
///
/// When an input is missing or cannot be read, when writing fails, and under
/// `--strict` when a line cannot be read.
pub fn run(args: &Args) -> Result<u8, Error> {
    let schemas = match &args.schema {
        Some(name) => Schemas::only(name)?,
        None => Schemas::by_kind(),
    };
    let mut checker = Checker::new(schemas);
    let mut reader = Reader::open(&args.files)?;
    let mut out =
        Out { writer: Writer::create(None)?, upgrade: args.upgrade.then(Upgrader::default) };
    let mut faults = Faults::new(TOOL).keeping();
    let mut counts = Counts::default();

    while let Some(line) = reader.next(&mut faults)? {
        // What could not be read stands before the line that could.
        for (place, why) in faults.take() {
            counts.invalid += 1;
            out.problem(&place, "line", &Problem::at("", &why))?;
        }
        match checker.check(&line)? {
            Outcome::PassedOver => counts.passed_over += 1,
            Outcome::Checked(_, problems) if problems.is_empty() => counts.valid += 1,
            Outcome::Checked(name, problems) => {
                counts.invalid += 1;
                for problem in problems {
                    out.problem(&line.place, name, &problem)?;
                }
            }
        }
        out.line(&line)?;
        if reader.would_wait() {
            out.writer.flush()?;
        }
    }
    for (place, why) in faults.take() {
        counts.invalid += 1;
        out.problem(&place, "line", &Problem::at("", &why))?;
    }
    out.writer.flush()?;

    pipe::cli::complain(TOOL, &counts.summary(faults.text_lines()));
    faults.finish(args.strict)?;
    Ok(if counts.invalid > 0 { exit::FINDING } else { exit::DONE })
}

impl Counts {
    fn summary(&self, text: u64) -> String {
        let all = self.valid + self.invalid + self.passed_over + text;
        let mut summary = format!(
            "{all} line{}: {} valid, {} invalid",
            if all == 1 { "" } else { "s" },
            self.valid,
            self.invalid
        );
        // Writing to a String cannot fail.
        if self.passed_over > 0 {
            let _ = write!(summary, ", {} unknown passed over", self.passed_over);
        }
        if text > 0 {
            let _ = write!(summary, ", {text} text");
        }
        summary
    }
}

/// Where lines and problems go.
struct Out {
    writer: Writer,
    upgrade: Option<Upgrader>,
}

impl Out {
    /// Problems are the tool's data, unless the lines are.
    fn problem(&mut self, place: &Place, kind: &str, problem: &Problem) -> Result<(), Error> {
        let place = place.to_string();
        let text = format!("{}: {kind}: {problem}", printable(&place));
        if self.upgrade.is_some() {
            pipe::cli::complain(TOOL, &text);
            return Ok(());
        }
        self.writer.line(text.as_bytes())
    }

    fn line(&mut self, line: &pipe::Incoming<'_>) -> Result<(), Error> {
        let Some(upgrade) = &mut self.upgrade else { return Ok(()) };
        if let Err(why) = upgrade.write(line, &mut self.writer)? {
            pipe::cli::complain(TOOL, &format!("{}: left as it is: {why}", line.place));
        }
        Ok(())
    }
}
