//! The first line: what is sampled, where, and by whom.

use std::{ffi::OsString, time::Duration};

use nix::time::{ClockId, clock_gettime};
use probe::clock::Stamp;
use records::{Clock, Found, Missing, Origin, Producer, Sources, Stream};

/// What the stream is about.
pub struct Subject<'a> {
    /// The command that is wrapped; may be empty.
    pub command: &'a [OsString],
    /// The process that is watched.
    pub pid: Option<i32>,
    /// The interval that was asked for.
    pub interval: Duration,
}

/// The `stream` record of a stream that began at `start`.
#[must_use]
pub fn stream(
    start: &Stamp,
    origin: &Origin,
    machine: &probe::Machine,
    subject: &Subject<'_>,
) -> Stream {
    let words = subject.command.iter().map(|word| word.to_string_lossy().into_owned());
    let watches = !subject.command.is_empty() || subject.pid.is_some();
    Stream {
        producer: Producer {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        interval_ms: subject.interval.as_secs_f64() * 1e3,
        command: (!subject.command.is_empty()).then(|| words.collect()),
        pid: subject.pid,
        clock: Clock { wall_s: records::round(start.wall_s, 6), monotonic_s: monotonic_at(start) },
        machine: machine.profile().into(),
        sources: sources(machine.sources(), watches),
        ..Stream::at(start.wall_s, origin)
    }
}

/// The monotonic clock at `start`, as other programs can read it (an `Instant`
/// does not show its number).
fn monotonic_at(start: &Stamp) -> f64 {
    let before = start.mono.elapsed();
    match clock_gettime(ClockId::CLOCK_MONOTONIC) {
        Ok(now) => records::round((Duration::from(now).saturating_sub(before)).as_secs_f64(), 6),
        // Every system that we run on has this clock.
        Err(_) => 0.0,
    }
}

/// What the probes say of themselves, less what nobody asked them for.
pub(crate) fn sources(own: &probe::Sources, watches: bool) -> Sources {
    let is_idle = |quantity: &str| !watches && quantity.starts_with("tree_");
    let mut sources = Sources::default();
    for found in &own.found {
        let quantity = found.quantity.to_owned();
        if is_idle(found.quantity) {
            let why = "no command and no --pid: no process is watched".to_owned();
            sources.missing.push(Missing { quantity, why });
        } else {
            sources.found.push(Found { quantity, from: found.from.clone() });
        }
    }
    sources.missing.extend(
        own.missing
            .iter()
            .map(|lack| Missing { quantity: lack.quantity.to_owned(), why: lack.why.clone() }),
    );
    sources
}

#[cfg(test)]
mod tests {
    use super::sources;

    #[test]
    fn what_a_tree_would_give_is_missing_when_no_process_is_watched() {
        let own = probe::Sources {
            found: vec![
                probe::Found { quantity: "tree_rss_gb", from: "statm".into() },
                probe::Found { quantity: "zombies", from: "stat".into() },
            ],
            missing: vec![probe::Missing { quantity: "thermal_level", why: "macOS only".into() }],
        };
        let idle = sources(&own, false);
        assert_eq!(idle.found.len(), 1);
        assert_eq!(idle.missing[0].quantity, "tree_rss_gb");
        assert_eq!(idle.missing.len(), 2);
        assert_eq!(sources(&own, true).found.len(), 2);
    }
}
