//! Streams in, one interactive HTML timeline out.
//!
//! ```text
//! recording   lines            → what the timeline is about, samples in columns
//! rows        the table of rows and curves, and which of them were measured
//! decimate    a column         → as many points as a screen can show, extremes exact
//! lane bands  tests, pressure  → bars and shaded times
//! figure      all of these     → traces and layout of plotly.js
//! facts table                  → what stands above and below the figure
//! page        figure and words → one file that needs nothing else
//! ```
//!
//! The page's template, script and style are real files in `src/page`.

mod bands;
mod case;
mod cli;
mod columns;
mod decimate;
mod facts;
mod figure;
mod lane;
mod page;
mod recording;
mod rows;
mod table;
mod words;

pub use cli::Args;

use std::io::{self, IsTerminal};

use pipe::{Document, Error, Faults, Reader, cli::complain, exit};

use crate::{page::Page, recording::Recording};

/// The tool's name.
pub const TOOL: &str = "memplot";

/// Reads the streams and writes the page.
///
/// # Errors
///
/// When an input is missing or cannot be read, when the page cannot be written
/// (found out before the work), and for malformed lines under `--strict`.
pub fn run(args: &Args) -> Result<u8, Error> {
    let mut reader = Reader::open(&args.files)?;
    pipe::refuse_input_as_output(Some(&args.output), &args.files)?;
    let mut output = Document::create(&args.output)?;
    let mut faults = Faults::new(TOOL);
    let recording = Recording::read(&mut reader, &mut faults)?;
    faults.finish(args.strict)?;

    let (samples, tests) = (recording.columns.len(), recording.cases.len());
    if samples == 0 {
        complain(
            TOOL,
            if tests == 0 {
                "no samples and no tests in the input"
            } else {
                "no samples in the input"
            },
        );
    }
    let page = Page::of(&recording, args.title.as_deref());
    page.write(&mut output)?;
    output.finish()?;
    if io::stderr().is_terminal() && args.output != "-" {
        complain(TOOL, &format!("{}: {samples} samples, {tests} tests", args.output));
    }
    Ok(exit::DONE)
}
