//! Joins each test, span and attempt to the samples taken while it ran.
//!
//! [`run`] moves lines; [`Join`] decides what becomes of each. What a join is
//! stands in pure parts below it: a [`Window`] in time, the [`Samples`] of one
//! sampler, and [`resources`], what those samples say about that window. The
//! rules are those of `docs/records.md`, "The join".

mod align;
mod analysis;
mod cli;
mod cold;
mod csv;
mod fields;
mod figures;
mod fold;
mod item;
mod join;
mod offset;
mod quantiles;
mod spans;
mod stats;
mod store;
mod stream;
mod window;

pub use analysis::{Analysis, Finding, Slope, Thresholds, model_delta_gb, slope};
pub use cli::Args;
pub use csv::Table;
pub use join::{Fate, Join};
pub use offset::{Estimate, Offset, Seen, Shift, estimates, shifts};
pub use stats::resources;
pub use store::Samples;
pub use window::Window;

use std::{
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
};

use pipe::{Block, BlockReader, Error, Faults, Line, Part, Writer};
use records::{Kind, LineKind};

/// Reads the inputs, joins, and writes; the exit code.
///
/// # Errors
///
/// When an input or the output fails, or under `--strict` when a line cannot be read.
pub fn run(args: Args) -> Result<u8, Error> {
    let thresholds = Thresholds::with(&args.threshold).map_err(Error::Usage)?;
    for output in [&args.output, &args.csv].into_iter().flatten() {
        pipe::refuse_input_as_output(Some(output), &args.files)?;
    }
    if args.csv.as_deref() == Some("-") {
        let why = "--csv takes a file: standard output is for the lines (-o FILE --csv /dev/stdout turns that round)";
        return Err(Error::Usage(why.into()));
    }
    if let (Some(csv), Some(output)) = (&args.csv, &args.output)
        && place(csv) == place(output)
    {
        return Err(Error::Usage("--csv and -o name the same file".into()));
    }
    let mut faults = Faults::new("correlate");
    let mut reader = BlockReader::open(&args.files)?;
    let shifts = align::align(&args.offset, &args.files, &mut faults)?;
    let mut table = args.csv.as_deref().map(Table::create).transpose()?;
    let writer = Writer::create(args.output.as_deref())?;
    let mut join =
        Join::new(args.files.len().max(1)).with_thresholds(thresholds).with_shifts(shifts);
    if args.tests_only {
        join = join.without_findings();
    }
    let mut out = Out { writer, table: &mut table, tests_only: args.tests_only };

    loop {
        if reader.would_wait() {
            out.writer.flush()?;
        }
        let Some(block) = reader.next_block()? else {
            break;
        };
        out.block(&block, &mut join, &mut faults)?;
        reader.give_back(block);
    }
    join.finish();
    out.joined(&mut join)?;
    for line in join.findings() {
        out.writer.line(&line)?;
    }
    out.writer.flush()?;
    if let Some(table) = &mut table {
        table.flush()?;
    }
    for warning in join.warnings() {
        faults.warn_once(&warning);
    }
    faults.finish(args.strict)?;
    Ok(pipe::exit::DONE)
}

/// Where a file is that may not be there yet, whatever the way to it.
fn place(path: &str) -> PathBuf {
    let path = Path::new(path);
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().unwrap_or_default();
    folder.join(path.file_name().unwrap_or_default())
}

/// Gives a line to the join; whether it is to be passed on as it is.
fn take(join: &mut Join, line: &Line<'_>, faults: &mut Faults) -> bool {
    let fate = match line.bad_sample {
        Some(why) => Err(why.clone()),
        None => join.push(line.raw, line.kind, line.input),
    };
    match fate {
        Ok(fate) => fate == Fate::PassOn,
        Err(why) => {
            faults.malformed(&line.place(), &why.0);
            true
        }
    }
}

/// Lines of a block that are passed on as they are: those that lie behind one another
/// in one piece.
struct Passing<'a> {
    bytes: &'a [u8],
    piece: Range<usize>,
}

impl<'a> Passing<'a> {
    fn new(bytes: &'a [u8]) -> Passing<'a> {
        Passing { bytes, piece: 0..0 }
    }

    fn add(&mut self, line: Range<usize>, writer: &mut Writer) -> Result<(), Error> {
        if !self.piece.is_empty() && line.start == self.piece.end + 1 {
            self.piece.end = line.end;
            return Ok(());
        }
        self.write(writer)?;
        self.piece = line;
        Ok(())
    }

    fn write(&mut self, writer: &mut Writer) -> Result<(), Error> {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() { Ok(()) } else { writer.line(&self.bytes[piece]) }
    }
}

/// Where lines go.
struct Out<'a> {
    writer: Writer,
    table: &'a mut Option<Table<File>>,
    tests_only: bool,
}

impl Out<'_> {
    /// What leaves when the lines of `block` have come.
    fn block(&mut self, block: &Block, join: &mut Join, faults: &mut Faults) -> Result<(), Error> {
        let mut passing = Passing::new(block.bytes());
        block.each_part(faults, |part, faults| {
            let passes_on = match &part {
                Part::Samples(samples) => {
                    join.scanned(samples);
                    true
                }
                Part::Line(line) => take(join, line, faults),
            };
            // What was waiting for this line came before it, and goes out before it.
            if join.has_joined() {
                passing.write(&mut self.writer)?;
                self.joined(join)?;
            }
            match part {
                Part::Samples(samples) if !self.tests_only => {
                    samples.ranges().try_for_each(|range| passing.add(range, &mut self.writer))
                }
                Part::Line(line) if passes_on && (!self.tests_only || is_newer_test(line.kind)) => {
                    passing.add(line.range, &mut self.writer)
                }
                _ => Ok(()),
            }
        })?;
        passing.write(&mut self.writer)
    }

    fn joined(&mut self, join: &mut Join) -> Result<(), Error> {
        while let Some((kind, line)) = join.next_joined() {
            if kind == Kind::Test
                && let Some(table) = self.table
            {
                table.test(&line)?;
            }
            if kind == Kind::Test || !self.tests_only {
                self.writer.line(&line)?;
            }
            join.give_back(line);
        }
        Ok(())
    }
}

/// A test that only a newer program can read is still a test.
fn is_newer_test(kind: &LineKind) -> bool {
    matches!(kind, LineKind::Newer { record, .. } if record == Kind::Test.name())
}
