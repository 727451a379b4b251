//! A stream of results, as a report in Markdown.
//!
//! Four steps that know nothing of one another's business: [`input`] sorts the records by
//! [`run`](mod@run), [`numbers`] computes, [`render`] says it, and [`page`] writes that as
//! Markdown, HTML, JSON or CSV.

mod cli;
pub mod compared;
pub mod history;
pub mod hybrid;
pub mod input;
pub mod numbers;
pub mod page;
pub mod progress;
mod regression;
pub mod render;
pub mod run;

pub use cli::{Args, Format};
use compared::Compared;
use history::History;
use hybrid::Hybrid;
use input::Input;
use pipe::{Document, Error, Faults, Reader, exit};

/// Reads everything and writes the report. Says whether something regressed that must not.
///
/// # Errors
///
/// When an input is missing or cannot be read, when the report cannot be written,
/// and under `--strict` when a line cannot be read.
pub fn run(args: &Args) -> Result<u8, Error> {
    let names = if args.files.is_empty() { vec!["-".to_owned()] } else { args.files.clone() };
    let reader = Reader::open(&names)?;
    let earlier = (!args.compare.is_empty()).then(|| Reader::open(&args.compare)).transpose()?;
    pipe::refuse_input_as_output(args.output.as_deref(), &names)?;
    pipe::refuse_input_as_output(args.output.as_deref(), &args.compare)?;
    let mut history = args.history.as_deref().map(History::read).transpose()?;
    args.csv.as_deref().map(page::csv::make).transpose()?;
    let mut document = Document::create(args.output.as_deref().unwrap_or("-"))?;

    let earlier = earlier.map(|earlier| read(earlier, &args.compare, args.strict)).transpose()?;
    let input = read(reader, &names, args.strict)?;
    let hybrid = args.hybrid.as_deref().map(|text| Hybrid::find(text, &input)).transpose();
    let hybrid = hybrid.map_err(|why| Error::Usage(format!("--hybrid: {why}")))?;
    if let Some(history) = &mut history {
        history.add_current(&input);
    }
    let compared = earlier.as_ref().map(|earlier| Compared::of(&input, earlier, args.rules()));
    let options = render::Options {
        all_rows: args.csv.is_some() || args.format == Format::Json,
        compare: compared.as_ref(),
        history: history.as_ref(),
        hybrid: hybrid.as_ref(),
    };
    let page = render::report(&input, &options);
    document.text(&args.format.write(&page))?;
    document.finish()?;
    if let Some(folder) = &args.csv {
        page::csv::write(&page, folder)?;
    }
    let limited = compared.as_ref().zip(args.fail_on_regression);
    let regressed = limited.is_some_and(|(compared, limit)| regression::named(compared, limit));
    Ok(if regressed { exit::FINDING } else { exit::DONE })
}

/// Everything that `reader` reads, which has `names`.
fn read(reader: Reader, names: &[String], strict: bool) -> Result<Input, Error> {
    let mut reader = reader.at_a_glance();
    let mut faults = Faults::new("reportgen");
    let mut input = Input::new(names);
    while let Some(line) = reader.next(&mut faults)? {
        if let Err(why) = input.take(&line) {
            faults.malformed(&line.place, &why.0);
        }
    }
    input.malformed = faults.malformed_lines();
    input.text = faults.text_lines();
    faults.finish(strict)?;
    Ok(input.finish())
}
