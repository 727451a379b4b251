//! Numbers for people: every figure of the report is written here, so that the
//! same quantity looks the same everywhere.

use jiff::Timestamp;

/// What stands where nothing was measured.
pub(super) const NONE: &str = "–";

/// Seconds: `0.263 s`, `12.3 s`, `19.3 min`, `2h 05m`.
#[must_use]
pub(super) fn seconds(s: f64) -> String {
    let size = s.abs();
    if !s.is_finite() {
        NONE.to_owned()
    } else if size < 0.9995 {
        if size == 0.0 { "0 s".to_owned() } else { format!("{s:.3} s") }
    } else if size < 59.95 {
        format!("{s:.1} s")
    } else if size < 59.95 * 60.0 {
        format!("{:.1} min", s / 60.0)
    } else {
        let minutes = (s / 60.0).round();
        format!("{:.0}h {:02.0}m", (minutes / 60.0).trunc(), (minutes % 60.0).abs())
    }
}

/// Gigabytes of 10⁹ bytes: `13.2 GB`, `98 MB`.
#[must_use]
pub(super) fn gb(gb: f64) -> String {
    if gb.abs() < 0.9995 { format!("{:.0} MB", whole(gb * 1e3)) } else { format!("{gb:.1} GB") }
}

/// Megabytes of 10⁶ bytes, in the same words as gigabytes.
#[must_use]
pub(super) fn mb(mb: f64) -> String {
    gb(mb / 1e3)
}

/// A change of memory, with its sign.
#[must_use]
pub(super) fn gb_change(change: f64) -> String {
    let text = gb(change.abs());
    match change {
        _ if text == "0 MB" => text,
        c if c < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}

/// Percent: `59.2 %`.
#[must_use]
pub(super) fn pct(pct: f64) -> String {
    format!("{:.1} %", if pct.abs() < 0.05 { 0.0 } else { pct })
}

/// Tokens per second: `70.5 tok/s`.
#[must_use]
pub(super) fn tps(tps: f64) -> String {
    format!("{tps:.1} tok/s")
}

/// Milliseconds: `200 ms`, `0.3 ms`.
#[must_use]
pub(super) fn ms(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Watts: `12.3 W`.
#[must_use]
pub(super) fn watts(w: f64) -> String {
    format!("{w:.1} W")
}

/// A count: `1,234,567`.
#[must_use]
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of things: `1 test`, `2 tests`.
#[must_use]
pub(super) fn things(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Memory pressure in words.
#[must_use]
pub(super) fn pressure(level: f64) -> String {
    match level {
        l if l >= 4.0 => "critical",
        l if l >= 2.0 => "warn",
        _ => "normal",
    }
    .to_owned()
}

/// A day of UTC: `2026-02-11`.
#[must_use]
pub(super) fn day(ts: f64) -> String {
    at(ts, "%Y-%m-%d")
}

/// A moment of UTC: `2026-02-11 12:00:06 UTC`.
#[must_use]
pub(super) fn moment(ts: f64) -> String {
    at(ts, "%Y-%m-%d %H:%M:%S UTC")
}

/// A time of day in UTC: `12:00:06`.
#[must_use]
pub(super) fn clock(ts: f64) -> String {
    at(ts, "%H:%M:%S")
}

fn at(ts: f64, pattern: &str) -> String {
    // The cast saturates; a time out of the calendar's range is refused below.
    match Timestamp::from_second(ts.floor() as i64) {
        Ok(stamp) if ts.is_finite() => stamp.strftime(pattern).to_string(),
        _ => format!("no date ({ts} s)"),
    }
}

/// The least and the greatest: `8.5 GB`, `8.5–38.8 GB`.
#[must_use]
pub(super) fn range(min: f64, max: f64, write: fn(f64) -> String) -> String {
    let (low, high) = (write(min), write(max));
    if low == high {
        return low;
    }
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}–{high}"),
        _ => format!("{low}–{high}"),
    }
}

/// A value or the mark that there is none.
#[must_use]
pub(super) fn or_none<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), write)
}

/// `-0` is 0.
fn whole(value: f64) -> f64 {
    let rounded = value.round();
    if rounded == 0.0 { 0.0 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::{count, gb, gb_change, moment, range, seconds, things};

    #[test]
    fn seconds_change_their_unit_where_the_digits_would_overflow() {
        let all = [0.0, 0.2634, 0.9996, 5.83, 59.94, 59.96, 1157.1, 3596.0, 3598.0, 7500.0];
        let written = all.map(seconds);
        assert_eq!(
            written,
            [
                "0 s", "0.263 s", "1.0 s", "5.8 s", "59.9 s", "1.0 min", "19.3 min", "59.9 min",
                "1h 00m", "2h 05m"
            ]
        );
    }

    #[test]
    fn memory_is_in_gigabytes_and_small_memory_in_megabytes() {
        assert_eq!(
            [13.24, 0.098, 1.524, 0.0, 0.9996].map(gb),
            ["13.2 GB", "98 MB", "1.5 GB", "0 MB", "1.0 GB"]
        );
        assert_eq!([5.3, -5.3, -0.0001].map(gb_change), ["+5.3 GB", "−5.3 GB", "0 MB"]);
    }

    #[test]
    fn a_range_names_its_unit_once_and_a_point_is_no_range() {
        assert_eq!(range(8.5, 38.8, gb), "8.5–38.8 GB");
        assert_eq!(range(0.5, 1.2, gb), "500 MB–1.2 GB");
        assert_eq!(range(15.11, 15.12, gb), "15.1 GB");
    }

    #[test]
    fn counts_are_grouped_and_things_have_a_plural() {
        assert_eq!([1, 999, 1000, 1_234_567].map(count), ["1", "999", "1,000", "1,234,567"]);
        assert_eq!((things(1, "test"), things(0, "test")), ("1 test".into(), "0 tests".into()));
    }

    #[test]
    fn moments_are_utc_and_what_is_no_date_says_so() {
        assert_eq!(moment(1_770_811_206.8), "2026-02-11 12:00:06 UTC");
        assert_eq!(moment(1e300), format!("no date ({} s)", 1e300));
        assert!(moment(f64::NAN).starts_with("no date"));
    }
}
