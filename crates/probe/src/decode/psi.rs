//! `/proc/pressure/memory`: how long tasks stood still for want of memory,
//! and the level made of it.

use std::time::Duration;

use super::text::{digits, lines, words};
use crate::reading::Pressure;

/// Share of an interval, in percent, in which some task stalled, from which
/// the level is [`Pressure::Warn`].
pub const WARN_SOME_PCT: f64 = 10.0;
/// Share of an interval, in percent, in which every task that could run
/// stalled, from which the level is [`Pressure::Critical`].
pub const CRITICAL_FULL_PCT: f64 = 10.0;
/// Shorter spans than this say nothing: at 1 ms between reads a single stall
/// of 0.1 ms would be a warning. Reads that come faster look back this far, as
/// soon as there is as much to look back on.
pub const MIN_WINDOW: Duration = Duration::from_millis(100);

/// Stall times since boot, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalls {
    /// Time in which at least one task stalled.
    pub some_us: u64,
    /// Time in which all tasks that were not idle stalled.
    pub full_us: u64,
}

impl Stalls {
    /// Reads the text of `/proc/pressure/memory`: `total=` of both lines.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Stalls> {
        // The last line ends in the number, so a cut file must not be trusted.
        let text = text.strip_suffix(b"\n")?;
        let total = |kind: &[u8]| {
            let line = lines(text).find(|line| words(line).next() == Some(kind))?;
            words(line).find_map(|word| word.strip_prefix(b"total=")).and_then(digits)
        };
        Some(Stalls { some_us: total(b"some")?, full_us: total(b"full")? })
    }

    /// The level over the time since `before`, which is `elapsed` long.
    #[must_use]
    pub fn level_since(&self, before: &Stalls, elapsed: Duration) -> Option<Pressure> {
        let span_us = elapsed.as_secs_f64() * 1e6;
        if span_us <= 0.0 {
            return None;
        }
        let pct = |now: u64, before: u64| now.saturating_sub(before) as f64 * 100.0 / span_us;
        Some(if pct(self.full_us, before.full_us) >= CRITICAL_FULL_PCT {
            Pressure::Critical
        } else if pct(self.some_us, before.some_us) >= WARN_SOME_PCT {
            Pressure::Warn
        } else {
            Pressure::Normal
        })
    }
}

/// Two earlier reads to compare with, so that the time looked back over is
/// the sampling interval, or at least [`MIN_WINDOW`] when that is shorter.
#[derive(Debug, Clone, Default)]
pub struct Window {
    from: Option<(Duration, Stalls)>,
    next: Option<(Duration, Stalls)>,
}

impl Window {
    /// Takes the read made `at` (any monotonic origin) and gives the level
    /// since an earlier one; `None` on the first.
    pub fn push(&mut self, at: Duration, stalls: Stalls) -> Option<Pressure> {
        match self.next {
            None => {
                self.from = Some((at, stalls));
                self.next = self.from;
                return None;
            }
            Some((next_at, _)) if at.saturating_sub(next_at) >= MIN_WINDOW => {
                self.from = self.next;
                self.next = Some((at, stalls));
            }
            Some(_) => {}
        }
        let (from_at, from) = self.from?;
        stalls.level_since(&from, at.saturating_sub(from_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    fn stalls(some_us: u64, full_us: u64) -> Stalls {
        Stalls { some_us, full_us }
    }

    #[test]
    fn both_totals_are_read() {
        let text = b"some avg10=1.20 avg60=0.00 avg300=0.00 total=4711\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=12\n";
        assert_eq!(Stalls::parse(text), Some(stalls(4711, 12)));
        assert_eq!(Stalls::parse(&text[..text.len() - 1]), None);
        assert_eq!(Stalls::parse(b""), None);
    }

    #[test]
    fn the_level_follows_the_share_of_the_true_interval() {
        let level = |some, full, ms| stalls(some, full).level_since(&stalls(0, 0), MS * ms);
        assert_eq!(level(19_999, 0, 200), Some(Pressure::Normal));
        assert_eq!(level(20_000, 0, 200), Some(Pressure::Warn));
        assert_eq!(level(20_000, 0, 2_000), Some(Pressure::Normal));
        assert_eq!(level(150_000, 20_000, 200), Some(Pressure::Critical));
        assert_eq!(level(1, 1, 0), None);
    }

    #[test]
    fn at_200_ms_each_level_is_about_its_own_interval() {
        let mut window = Window::default();
        assert_eq!(window.push(Duration::ZERO, stalls(0, 0)), None);
        assert_eq!(window.push(MS * 200, stalls(50_000, 0)), Some(Pressure::Warn));
        assert_eq!(window.push(MS * 400, stalls(50_000, 0)), Some(Pressure::Normal));
    }

    #[test]
    fn at_1_ms_a_short_stall_is_no_warning() {
        let mut window = Window::default();
        window.push(Duration::ZERO, stalls(0, 0));
        for ms in 1..300 {
            let stalled = if ms >= 150 { 500 } else { 0 };
            let level = window.push(MS * ms, stalls(stalled, 0));
            assert_eq!(level, Some(Pressure::Normal), "after {ms} ms");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>, a: [u64; 3], b: [u64; 3]) {
            let _ = Stalls::parse(&bytes);
            let mut window = Window::default();
            window.push(Duration::from_nanos(a[0]), stalls(a[1], a[2]));
            window.push(Duration::from_nanos(b[0]), stalls(b[1], b[2]));
        }
    }
}
