//! Joins each test, span and attempt to the samples taken while it ran.
//!
//! [`run`] moves lines; [`Join`] decides what becomes of each. What a join is
//! stands in pure parts below it: a [`Window`] in time, the [`Samples`] of one
//! sampler, and [`resources`], what those samples say about that window. The
//! rules are those of `docs/records.md`, "The join".

mod analysis;
mod cli;
mod cold;
mod item;
mod join;
mod stats;
mod store;
mod stream;
mod window;

pub use analysis::{Analysis, Finding, Slope, Thresholds, model_delta_gb, slope};
pub use cli::Args;
pub use join::{Fate, Join};
pub use stats::resources;
pub use store::Samples;
pub use window::Window;

use pipe::{Error, Faults, Reader, Writer};
use records::{Kind, LineKind};

/// Reads the inputs, joins, and writes; the exit code.
///
/// # Errors
///
/// When an input or the output fails, or under `--strict` when a line cannot be read.
pub fn run(args: Args) -> Result<u8, Error> {
    let thresholds = Thresholds::with(&args.threshold).map_err(Error::Usage)?;
    pipe::refuse_input_as_output(args.output.as_deref(), &args.files)?;
    let mut reader = Reader::open(&args.files)?;
    let mut writer = Writer::create(args.output.as_deref())?;
    let mut faults = Faults::new("correlate");
    let mut join = Join::new(args.files.len().max(1)).with_thresholds(thresholds);

    while let Some(line) = reader.next(&mut faults)? {
        let mut wanted = !args.tests_only || is_newer_test(&line.kind);
        match join.push(line.raw, &line.kind, line.input) {
            Ok(Fate::PassOn) => {}
            Ok(Fate::Held) => wanted = false,
            Err(why) => faults.malformed(&line.place, &why.0),
        }
        // What was waiting for this line came before it, and goes out before it.
        write_joined(&mut join, &mut writer, args.tests_only)?;
        if wanted {
            writer.line(line.raw)?;
        }
        if reader.would_wait() {
            writer.flush()?;
        }
    }
    join.finish();
    write_joined(&mut join, &mut writer, args.tests_only)?;
    if !args.tests_only {
        for line in join.findings() {
            writer.line(&line)?;
        }
    }
    writer.flush()?;
    for warning in join.warnings() {
        faults.warn_once(&warning);
    }
    faults.finish(args.strict)?;
    Ok(pipe::exit::DONE)
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
