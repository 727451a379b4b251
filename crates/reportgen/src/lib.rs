//! A stream of results, as a report in Markdown.
//!
//! Four steps that know nothing of one another's business: [`input`] sorts the records by
//! [`run`](mod@run), [`numbers`] computes, [`render`] says it, and [`page`] writes that as
//! Markdown, HTML, JSON or CSV.

mod cli;
pub mod input;
pub mod numbers;
pub mod page;
pub mod render;
pub mod run;

pub use cli::{Args, Format};
use input::Input;
use pipe::{Document, Error, Faults, Reader, exit};

/// Reads everything and writes the report.
///
/// # Errors
///
/// When an input is missing or cannot be read, when the report cannot be written,
/// and under `--strict` when a line cannot be read.
pub fn run(args: &Args) -> Result<u8, Error> {
    let names = if args.files.is_empty() { vec!["-".to_owned()] } else { args.files.clone() };
    let mut reader = Reader::open(&names)?.at_a_glance();
    pipe::refuse_input_as_output(args.output.as_deref(), &names)?;
    let mut document = Document::create(args.output.as_deref().unwrap_or("-"))?;
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

    let page = render::report(&input.finish(), args.csv.is_some() || args.format == Format::Json);
    document.text(&args.format.write(&page))?;
    document.finish()?;
    if let Some(folder) = &args.csv {
        page::csv::write(&page, folder)?;
    }
    Ok(exit::DONE)
}
