//! Streams in, one interactive HTML timeline out.
//!
//! ```text
//! recording   lines           → what the timeline is about
//! section     one machine's samples in columns, its tests, its models
//! columns     samples         → whole numbers, series by series
//! pack        a column        → compressed text, every value in it
//! rows        the table of rows and curves, and which of them were measured
//! view facts  all of these    → what there is to draw and to say
//! page        view and words  → one file that needs nothing else
//! trace       the same run    → JSON for Perfetto
//! picture     the page        → PNG and SVG, by an installed Chromium
//! ```
//!
//! How it is drawn is the page's matter: its template, style and scripts are real files
//! in `src/page`. A worker there unpacks the columns and bins them by the pixels of the
//! screen, again at every zoom.

mod bar;
mod case;
mod cli;
mod columns;
mod facts;
mod lane;
mod pack;
mod page;
mod picture;
mod recording;
mod rows;
mod section;
mod trace;
mod view;
mod words;

pub use cli::Args;

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use pipe::{BlockReader, Document, Error, Faults, cli::complain, exit};

use crate::{page::Page, picture::Format, recording::Recording};

/// The tool's name.
pub const TOOL: &str = "memplot";

/// Reads the streams and writes the page.
///
/// # Errors
///
/// When an input is missing or cannot be read, when the page cannot be written
/// (found out before the work), and for malformed lines under `--strict`.
pub fn run(args: &Args) -> Result<u8, Error> {
    let reader = BlockReader::open(&args.files)?;
    let other = args.compare.as_ref().map(|file| BlockReader::open(std::slice::from_ref(file)));
    let other = other.transpose()?;
    let inputs: Vec<String> = args.files.iter().chain(&args.compare).cloned().collect();
    let create = |path: &String| {
        pipe::refuse_input_as_output(Some(path), &inputs)?;
        Document::create(path)
    };
    let mut output = create(&args.output)?;
    let trace = args.trace.as_ref().map(create).transpose()?;
    let pictures = [(&args.png, Format::Png), (&args.svg, Format::Svg)];
    let pictures =
        pictures.into_iter().filter_map(|(path, format)| Some((create(path.as_ref()?), format)));
    let pictures: Vec<_> =
        pictures.map(|(made, format)| Ok((made?, format))).collect::<Result<_, Error>>()?;
    let chromium = if pictures.is_empty() { None } else { Some(picture::chromium()?) };

    let mut faults = Faults::new(TOOL);
    let recording = Recording::read(reader, &mut faults)?;
    let other = other.map(|reader| Recording::read(reader, &mut faults)).transpose()?;
    faults.finish(args.strict)?;
    complain_of_nothing(&recording);

    if let Some(mut trace) = trace {
        trace::write(&recording, &mut trace)?;
        trace.finish()?;
    }
    let (samples, tests) = (recording.samples(), recording.tests());
    let page = page_of(args, recording, other)?;
    page.write(&mut output)?;
    output.finish()?;
    for (mut picture, format) in pictures {
        if let Some(chromium) = &chromium {
            picture::draw(&page, chromium, format, &mut picture)?;
            picture.finish()?;
        }
    }
    if io::stderr().is_terminal() && args.output != "-" {
        complain(TOOL, &format!("{}: {samples} samples, {tests} tests", args.output));
    }
    Ok(exit::DONE)
}

/// The page of one run, or of two under their names.
fn page_of(args: &Args, run: Recording, other: Option<Recording>) -> Result<Page, Error> {
    let title = args.title.as_deref();
    let (Some(other), Some(compared)) = (other, &args.compare) else {
        return Page::of(&[(String::new(), &run)], title);
    };
    let stem = |path: &str| {
        let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.filter(|stem| stem != "-").unwrap_or_else(|| "standard input".to_owned())
    };
    let mut names = [stem(args.files.first().map_or("-", String::as_str)), stem(compared)];
    if names[0] == names[1] {
        names = ["first".to_owned(), "second".to_owned()];
    }
    let [first, second] = names;
    Page::of(&[(first, &run), (second, &other)], title)
}

fn complain_of_nothing(recording: &Recording) {
    match (recording.samples(), recording.tests()) {
        (0, 0) => complain(TOOL, "no samples and no tests in the input"),
        (0, _) => complain(TOOL, "no samples in the input"),
        _ => {}
    }
}
