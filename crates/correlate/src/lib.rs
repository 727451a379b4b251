//! Joins each test, span and attempt to the samples taken while it ran.
//!
//! [`run`] moves lines; [`Join`] decides what becomes of each. What a join is
//! stands in pure parts below it: a [`Window`] in time, the [`Samples`] of one
//! sampler, and [`resources`], what those samples say about that window. The
//! rules are those of `docs/records.md`, "The join".

mod cli;
mod cold;
mod fold;
mod item;
mod join;
mod quantiles;
mod stats;
mod store;
mod stream;
mod window;

pub use cli::Args;
pub use join::{Fate, Join};
pub use stats::resources;
pub use store::Samples;
pub use window::Window;

use std::ops::Range;

use pipe::{BlockReader, Error, Faults, Line, Part, Writer};
use records::{Kind, LineKind};

/// Reads the inputs, joins, and writes; the exit code.
///
/// # Errors
///
/// When an input or the output fails, or under `--strict` when a line cannot be read.
pub fn run(args: Args) -> Result<u8, Error> {
    pipe::refuse_input_as_output(args.output.as_deref(), &args.files)?;
    let mut reader = BlockReader::open(&args.files)?;
    let mut writer = Writer::create(args.output.as_deref())?;
    let mut faults = Faults::new("correlate");
    let mut join = Join::new(args.files.len().max(1));

    loop {
        if reader.would_wait() {
            writer.flush()?;
        }
        let Some(block) = reader.next_block()? else {
            break;
        };
        let mut passing = Passing::new(block.bytes());
        block.each_part(&mut faults, |part, faults| {
            let passes_on = match &part {
                Part::Samples(samples) => {
                    join.scanned(samples);
                    true
                }
                Part::Line(line) => take(&mut join, line, faults),
            };
            // What was waiting for this line came before it, and goes out before it.
            while let Some((kind, joined)) = join.next_joined() {
                if kind == Kind::Test || !args.tests_only {
                    passing.write(&mut writer)?;
                    writer.line(&joined)?;
                }
            }
            match part {
                Part::Samples(samples) if !args.tests_only => {
                    samples.ranges().try_for_each(|range| passing.add(range, &mut writer))
                }
                Part::Line(line) if passes_on && (!args.tests_only || is_newer_test(line.kind)) => {
                    passing.add(line.range, &mut writer)
                }
                _ => Ok(()),
            }
        })?;
        passing.write(&mut writer)?;
        reader.give_back(block);
    }
    join.finish();
    write_joined(&mut join, &mut writer, args.tests_only)?;
    writer.flush()?;
    for warning in join.warnings() {
        faults.warn_once(&warning);
    }
    faults.finish(args.strict)?;
    Ok(pipe::exit::DONE)
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

fn write_joined(join: &mut Join, writer: &mut Writer, tests_only: bool) -> Result<(), Error> {
    while let Some((kind, line)) = join.next_joined() {
        if kind == Kind::Test || !tests_only {
            writer.line(&line)?;
        }
    }
    Ok(())
}

/// A test that only a newer program can read is still a test.
fn is_newer_test(kind: &LineKind) -> bool {
    matches!(kind, LineKind::Newer { record, .. } if record == Kind::Test.name())
}
