//! A stream of results, as a report in Markdown.
//!
//! Four steps that know nothing of one another's business: [`input`] sorts the records by
//! [`run`](mod@run), [`numbers`] computes, [`render`] says it, and [`page`] writes that as
//! Markdown, HTML, JSON or CSV.

mod cli;
pub mod history;
pub mod hybrid;
pub mod input;
pub mod numbers;
pub mod page;
pub mod progress;
pub mod render;
pub mod run;

pub use cli::{Args, Format};
use history::History;
use hybrid::Hybrid;
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
    let mut reader = Reader::open(&names)?;
    pipe::refuse_input_as_output(args.output.as_deref(), &names)?;
    let history = args.history.as_deref().map(History::read).transpose()?;
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

    let mut input = input.finish();
    if let Some(text) = &args.hybrid {
        let found = Hybrid::find(text, &input);
        input.hybrid = Some(found.map_err(|why| Error::Usage(format!("--hybrid: {why}")))?);
    }
    if let Some(mut history) = history {
        history.add_current(&input);
        input.history = Some(history);
    }
    let page = render::report(&input);
    document.text(&args.format.write(&page))?;
    document.finish()?;
    if let Some(folder) = &args.csv {
        page::csv::write(&page, folder)?;
    }
    Ok(exit::DONE)
}
