//! A stream of results, as a report in Markdown.
//!
//! Three steps that know nothing of one another's business: [`input`] sorts the
//! records by [`run`](mod@run), [`numbers`] computes, [`render`] writes.

mod cli;
pub mod input;
pub mod numbers;
pub mod render;
pub mod run;

use std::fs;

pub use cli::Args;
use input::Input;
use pipe::{Error, Faults, Reader, Writer, exit};

/// Reads everything and writes the report.
///
/// # Errors
///
/// When an input is missing or cannot be read, when the report cannot be written,
/// and under `--strict` when a line cannot be read.
pub fn run(args: &Args) -> Result<u8, Error> {
    let names = if args.files.is_empty() { vec!["-".to_owned()] } else { args.files.clone() };
    let mut reader = Reader::open(&names)?;
    if let Some(output) = &args.output {
        refuse_to_overwrite_an_input(output, &names)?;
    }
    let mut writer = Writer::create(args.output.as_deref())?;
    let mut faults = Faults::new("reportgen");

    let mut input = Input::new(&names);
    while let Some(line) = reader.next(&mut faults)? {
        if let Err(why) = input.line(line.input, &line.kind, line.raw) {
            faults.malformed(&line.place, &why.0);
        }
    }
    input.malformed = faults.malformed_lines();
    input.text = faults.text_lines();
    faults.finish(args.strict)?;

    writer.text(&render::report(&input.finish()))?;
    writer.flush()?;
    Ok(exit::DONE)
}

/// `reportgen run.jsonl -o run.jsonl` would empty its input before reading it.
fn refuse_to_overwrite_an_input(output: &str, inputs: &[String]) -> Result<(), Error> {
    let Ok(real) = fs::canonicalize(output) else {
        return Ok(());
    };
    // Devices can be read and written: only files lose what they held.
    if real.is_file()
        && inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|path| path == real))
    {
        return Err(Error::Usage(format!("the output is also an input: {output}")));
    }
    Ok(())
}
