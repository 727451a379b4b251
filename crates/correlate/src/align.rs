//! Reads what inputs have in common, for `--offset auto`.

use pipe::{Error, Faults, Input, Lines, RawLine};
use records::{Kind, LineKind};
use serde::Deserialize;

use crate::offset::{Offset, Seen, Shift, estimates, place, shifts};

/// What tells an event from every other.
#[derive(Deserialize)]
struct Event {
    ts: f64,
    run: String,
    host: String,
    end_ts: Option<f64>,
    id: Option<String>,
    phase: Option<String>,
    attempt: Option<u64>,
    index: Option<u64>,
    clock: Option<records::Clock>,
}

/// The shifts of the inputs that `--offset` asks for; those that are estimated are
/// told to people.
///
/// # Errors
///
/// When an input cannot be read, or does not let its offset be told.
pub(crate) fn align(
    offsets: &[Offset],
    files: &[String],
    faults: &mut Faults,
) -> Result<Vec<Shift>, Error> {
    let mut shifts = shifts(offsets, files).map_err(Error::Usage)?;
    if !offsets.contains(&Offset::Auto) {
        return Ok(shifts);
    }
    if files.len() < 2 || files.iter().any(|file| file == "-") {
        return Err(Error::Usage(
            "--offset auto needs two files or more: it reads them twice".into(),
        ));
    }
    let seen = files.iter().map(|file| look_at(file)).collect::<Result<Vec<_>, _>>()?;
    let mut given = vec![None; files.len()];
    for offset in offsets {
        if let Offset::Input(file, by) = offset {
            given[place(file, files).map_err(Error::Usage)?] = Some(*by);
        }
    }
    let found = estimates(&seen, &given).map_err(|(at, why)| {
        let file = &files[at];
        Error::BadData(format!("--offset auto: {file}: {why}: give --offset {file}=SECONDS"))
    })?;
    for ((file, shift), estimate) in files.iter().zip(&mut shifts).zip(found) {
        let Some(estimate) = estimate else { continue };
        let by = crate::window::seconds(estimate.shift);
        let from = match estimate.events {
            0 => "its monotonic clock".to_owned(),
            1 => "one shared event".to_owned(),
            n => format!(
                "{n} shared events, ± {:.3} s",
                crate::window::seconds(estimate.spread) / 2.0
            ),
        };
        faults.warn_once(&format!("{file}: times are taken {by:+.6} s later, by {from}"));
        shift.all += estimate.shift;
    }
    Ok(shifts)
}

/// Reads what an input has that another can have, too. What cannot be read is told of
/// when the lines are joined.
fn look_at(file: &str) -> Result<Seen, Error> {
    let mut lines = Lines::new(Input::open(file)?);
    let mut seen = Seen::default();
    loop {
        let number = lines.number() + 1;
        let read = |source| Error::Read { place: format!("{file}:{number}"), source };
        let bytes = match lines.next_line().map_err(read)? {
            None => return Ok(seen),
            Some(RawLine::TooLong { .. }) => continue,
            Some(RawLine::Whole { bytes, .. }) => bytes,
        };
        match records::classify(bytes) {
            LineKind::Ours(Kind::Sample) | LineKind::LegacySample => seen.sample(),
            LineKind::Ours(
                kind @ (Kind::Stream
                | Kind::RunStart
                | Kind::RunEnd
                | Kind::Begin
                | Kind::Span
                | Kind::Attempt
                | Kind::Request
                | Kind::Test),
            ) => {
                if let Ok(event) = records::parse::<Event>(bytes) {
                    note(&mut seen, kind, &event);
                }
            }
            _ => {}
        }
    }
}

fn note(seen: &mut Seen, kind: Kind, event: &Event) {
    if let Some(clock) = &event.clock {
        seen.clock(&event.host, clock.wall_s, clock.monotonic_s);
    }
    if kind == Kind::Stream {
        return;
    }
    let Event { run, id, phase, attempt, index, .. } = event;
    let what = format!("{} {run} {id:?} {phase:?} {attempt:?} {index:?}", kind.name());
    if let Some(end) = event.end_ts {
        seen.event(format!("{what} end"), end);
    }
    seen.event(what, event.ts);
}
