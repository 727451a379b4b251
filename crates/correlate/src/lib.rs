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
mod item;
mod join;
mod offset;
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

use std::fs::File;

use pipe::{Error, Faults, Reader, Writer};
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
    if args.csv.is_some() && args.csv == args.output {
        return Err(Error::Usage("--csv and -o name the same file".into()));
    }
    let mut faults = Faults::new("correlate");
    let mut reader = Reader::open(&args.files)?;
    let shifts = align::align(&args.offset, &args.files, &mut faults)?;
    let mut table = args.csv.as_deref().map(Table::create).transpose()?;
    let mut writer = Writer::create(args.output.as_deref())?;
    let mut join =
        Join::new(args.files.len().max(1)).with_thresholds(thresholds).with_shifts(shifts);
    let mut out = Out { writer: &mut writer, table: &mut table, tests_only: args.tests_only };

    while let Some(line) = reader.next(&mut faults)? {
        let mut wanted = !args.tests_only || is_newer_test(&line.kind);
        match join.push(line.raw, &line.kind, line.input) {
            Ok(Fate::PassOn) => {}
            Ok(Fate::Held) => wanted = false,
            Err(why) => faults.malformed(&line.place, &why.0),
        }
        // What was waiting for this line came before it, and goes out before it.
        out.joined(&mut join)?;
        if wanted {
            out.writer.line(line.raw)?;
        }
        if reader.would_wait() {
            out.writer.flush()?;
        }
    }
    join.finish();
    out.joined(&mut join)?;
    if !args.tests_only {
        for line in join.findings() {
            out.writer.line(&line)?;
        }
    }
    writer.flush()?;
    if let Some(table) = &mut table {
        table.flush()?;
    }
    for warning in join.warnings() {
        faults.warn_once(&warning);
    }
    faults.finish(args.strict)?;
    Ok(pipe::exit::DONE)
}

/// Where joined lines go.
struct Out<'a> {
    writer: &'a mut Writer,
    table: &'a mut Option<Table<File>>,
    tests_only: bool,
}

impl Out<'_> {
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
        }
        Ok(())
    }
}

/// A test that only a newer program can read is still a test.
fn is_newer_test(kind: &LineKind) -> bool {
    matches!(kind, LineKind::Newer { record, .. } if record == Kind::Test.name())
}
