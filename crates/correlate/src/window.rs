//! What a window is: the time in which a test, span or attempt ran.

/// Times and lengths in the join are whole microseconds, the grid on which
/// timestamps are written. An `f64` of this century is no finer than a quarter of
/// one, and differences of such would err by that much; differences of whole ones
/// are exact.
pub(crate) type Micros = i64;

/// Beyond this, some 36,000 years, a time is nonsense; so far and no further, sums
/// and differences of times stay within an `i64`.
const FAR: f64 = (1u64 << 60) as f64;

/// Seconds to whole microseconds.
#[must_use]
pub(crate) fn micros(seconds: f64) -> Micros {
    let micros = (seconds * 1e6).clamp(-FAR, FAR);
    // Within the range of an i64 by the clamp. What it leaves is exact, and half a
    // microsecond of it is rounded away from zero, as `round` does.
    let whole = micros as Micros;
    let left = micros - whole as f64;
    whole + Micros::from(left >= 0.5) - Micros::from(left <= -0.5)
}

/// Microseconds to seconds.
#[must_use]
pub(crate) fn seconds(micros: Micros) -> f64 {
    micros as f64 / 1e6
}

/// A half-open stretch of wall-clock time. It can be empty: a skipped test begins
/// and ends at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first moment inside.
    pub(crate) start: Micros,
    /// The first moment no longer inside.
    pub(crate) end: Micros,
}

impl Window {
    /// From `ts` to `end_ts` (Unix seconds), else for `duration_s`. None when neither
    /// is known, or when the end lies before the start.
    #[must_use]
    pub fn new(ts: f64, end_ts: Option<f64>, duration_s: Option<f64>) -> Option<Window> {
        let start = micros(ts);
        let end = end_ts.map(micros).or_else(|| duration_s.map(|d| start + micros(d)))?;
        (start <= end).then_some(Window { start, end })
    }

    /// The same window later by so much.
    #[must_use]
    pub(crate) fn later(self, by: Micros) -> Window {
        Window { start: self.start.saturating_add(by), end: self.end.saturating_add(by) }
    }

    /// How much of [`from`, `to`) lies inside.
    #[must_use]
    pub(crate) fn overlap(self, from: Micros, to: Micros) -> Micros {
        (to.min(self.end) - from.max(self.start)).max(0)
    }

    /// How long it is.
    #[must_use]
    pub(crate) fn length(self) -> Micros {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, micros};

    #[test]
    fn a_window_ends_at_end_ts_or_else_after_the_duration() {
        let window = |end, duration| Window::new(10.0, end, duration);
        let until = |end| Some(Window { start: 10_000_000, end });
        assert_eq!(window(Some(12.0), Some(5.0)), until(12_000_000));
        assert_eq!(window(None, Some(0.3)), until(10_300_000));
        assert_eq!(window(Some(10.0), None), until(10_000_000));
        assert_eq!(window(None, None), None);
        assert_eq!(window(Some(9.0), None), None);
    }

    #[test]
    fn times_are_exact_to_the_microsecond_and_nonsense_does_not_overflow() {
        for seconds in
            [0.000_000_5, -0.000_000_5, 1.499_999_4, 0.0, -2.000_001_5, 4e9 + 0.000_000_5]
        {
            assert_eq!(micros(seconds), (seconds * 1e6).round() as i64, "{seconds}");
        }
        assert_eq!(micros(f64::NAN), 0);
        assert_eq!(micros(1_770_811_205.001_235), 1_770_811_205_001_235);
        let all = Window::new(-1e300, Some(1e300), None).unwrap();
        assert_eq!(all.overlap(micros(-f64::MAX), micros(f64::MAX)), all.end - all.start);
    }

    #[test]
    fn overlap_is_the_time_inside() {
        let window = Window { start: 2, end: 6 };
        assert_eq!(window.overlap(0, 3), 1);
        assert_eq!(window.overlap(5, 9), 1);
        assert_eq!(window.overlap(0, 9), 4);
        assert_eq!(window.overlap(6, 9), 0);
    }
}
