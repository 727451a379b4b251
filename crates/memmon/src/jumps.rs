//! Sleep of the machine, and a wall clock that was set: what the samples themselves do
//! not show, since the monotonic clock stands still or goes on as if nothing had been.

use std::time::Duration;

use probe::clock::Stamp;
use records::{Anomaly, Origin, Severity, round};
use serde_json::{Map, Value};

/// From this on a difference between two clocks is a jump. What NTP does to the clock
/// while it runs is far below: at most 0.5 ms in a second, 30 ms in the longest interval.
const LEAST: Duration = Duration::from_millis(500);

/// Something that happened to time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jump {
    /// The machine slept for so many seconds.
    Sleep(f64),
    /// The wall clock was set, by so many seconds forward.
    Clock(f64),
}

/// What happened between two moments. Without a clock that counts sleep, a sleep looks
/// like a clock that was set.
#[must_use]
pub fn between(before: &Stamp, after: &Stamp) -> [Option<Jump>; 2] {
    let awake_s = after.since(before).as_secs_f64();
    let passed_s = passed_s(before, after);
    let asleep_s = passed_s - awake_s;
    let set_s = after.wall_s - before.wall_s - passed_s;
    let is_jump = |seconds: f64| seconds.abs() >= LEAST.as_secs_f64();
    [
        Some(Jump::Sleep(asleep_s)).filter(|_| is_jump(asleep_s)),
        Some(Jump::Clock(set_s)).filter(|_| is_jump(set_s)),
    ]
}

impl Jump {
    /// The record of a jump between two moments, which became known with sample `seq`.
    /// Its times are by the wall clock as it was afterwards.
    #[must_use]
    pub fn record(self, before: &Stamp, after: &Stamp, seq: u64, origin: &Origin) -> Anomaly {
        let (kind, field, seconds, what) = match self {
            Jump::Sleep(seconds) => ("sleep", "slept_s", seconds, "the machine slept for".into()),
            Jump::Clock(seconds) => {
                let way = if seconds < 0.0 { "back" } else { "forward" };
                ("clock_jump", "jump_s", seconds, format!("the wall clock was set {way} by"))
            }
        };
        let evidence = [
            (field, Value::from(round(seconds, 6))),
            ("awake_s", Value::from(round(after.since(before).as_secs_f64(), 6))),
            ("seq", Value::from(seq)),
        ];
        Anomaly {
            kind: kind.to_owned(),
            severity: Severity::Warn,
            end_ts: round(after.wall_s, 6),
            message: format!("{what} {:.1} s before sample {seq}", seconds.abs()),
            evidence: evidence
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect::<Map<_, _>>(),
            ..Anomaly::at(after.wall_s - passed_s(before, after), origin)
        }
    }
}

/// Seconds from one moment to another, sleep included where that is known.
fn passed_s(before: &Stamp, after: &Stamp) -> f64 {
    after.since_with_sleep(before).unwrap_or_else(|| after.since(before)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use probe::clock::Stamp;
    use proptest::prelude::*;
    use records::Origin;

    use super::{Jump, between};

    /// A moment after `before`: awake and asleep for so long, and the clock set by so much.
    fn later(before: &Stamp, awake_s: f64, asleep_s: f64, set_s: f64) -> Stamp {
        let passed = Duration::from_secs_f64(awake_s + asleep_s);
        Stamp {
            wall_s: before.wall_s + awake_s + asleep_s + set_s,
            mono: before.mono + Duration::from_secs_f64(awake_s),
            with_sleep: before.with_sleep.map(|since| since + passed),
        }
    }

    #[test]
    fn an_hour_asleep_is_a_sleep_and_no_clock_that_was_set() {
        let before = Stamp::now();
        let after = later(&before, 0.2, 3_600.0, 0.0);
        let [sleep, clock] = between(&before, &after);
        assert!(matches!(sleep, Some(Jump::Sleep(s)) if (s - 3_600.0).abs() < 1e-6));
        assert_eq!(clock, None);

        let origin = Origin { run: "r".into(), host: "h".into() };
        let record = sleep.unwrap().record(&before, &after, 7, &origin);
        assert_eq!(
            (record.kind.as_str(), record.evidence["slept_s"].as_f64()),
            ("sleep", Some(3_600.0))
        );
        assert_eq!(record.message, "the machine slept for 3600.0 s before sample 7");
        assert!((record.ts - before.wall_s).abs() < 1e-5 && record.ts <= record.end_ts);
    }

    #[test]
    fn a_clock_that_is_set_back_ends_no_record_before_it_begins() {
        let before = Stamp::now();
        let after = later(&before, 0.2, 0.0, -7_200.0);
        let [sleep, clock] = between(&before, &after);
        assert_eq!(sleep, None);
        let record = clock.unwrap().record(&before, &after, 7, &Origin::default());
        assert_eq!(record.kind, "clock_jump");
        assert_eq!(record.evidence["jump_s"].as_f64(), Some(-7_200.0));
        assert_eq!(record.message, "the wall clock was set back by 7200.0 s before sample 7");
        assert!((record.end_ts - record.ts - 0.2).abs() < 1e-5);
    }

    #[test]
    fn where_no_clock_counts_sleep_it_looks_like_a_clock_that_was_set() {
        let before = Stamp { with_sleep: None, ..Stamp::now() };
        let after = later(&before, 0.2, 60.0, 0.0);
        assert!(
            matches!(between(&before, &after), [None, Some(Jump::Clock(s))] if (s - 60.0).abs() < 1e-6)
        );
    }

    proptest! {
        #[test]
        fn what_is_far_from_the_limit_is_told_rightly(
            awake_s in 0.0..60.0,
            asleep_s in prop_oneof![Just(0.0), 0.001..0.4, 0.6..1e6],
            set_s in prop_oneof![Just(0.0), -0.4..0.4, 0.6..1e6, -1e6..-0.6],
        ) {
            let before = Stamp::now();
            let after = later(&before, awake_s, asleep_s, set_s);
            let [sleep, clock] = between(&before, &after);
            prop_assert_eq!(sleep.is_some(), asleep_s > 0.5);
            prop_assert_eq!(clock.is_some(), set_s.abs() > 0.5);
        }
    }
}
