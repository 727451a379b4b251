//! Numbers for people: every figure of the report is written here, so that the
//! same quantity looks the same everywhere.

use crate::page::{Cell, Data, NONE};
use jiff::Timestamp;

/// Seconds: `0.263 s`, `12.3 s`, `19.3 min`, `2h 05m`.
#[must_use]
pub(super) fn seconds(s: f64) -> Cell {
    let size = s.abs();
    let text = if !s.is_finite() {
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
    };
    Cell::number(s, "s", text)
}

/// A change of time, with its sign: `+1.2 s`, `−0.263 s`.
#[must_use]
pub(super) fn seconds_change(s: f64) -> Cell {
    Cell::number(s, "s", signed(s, &seconds(s.abs())))
}

/// Gigabytes of 10⁹ bytes: `13.2 GB`, `98 MB`.
#[must_use]
pub(super) fn gb(gb: f64) -> Cell {
    let small = gb.abs() < 0.9995;
    let text = if small { format!("{:.0} MB", whole(gb * 1e3)) } else { format!("{gb:.1} GB") };
    Cell::number(gb, "gb", text)
}

/// Megabytes of 10⁶ bytes, in the same words as gigabytes.
#[must_use]
pub(super) fn mb(mb: f64) -> Cell {
    Cell::number(mb, "mb", gb(mb / 1e3).into())
}

/// A change of memory, with its sign.
#[must_use]
pub(super) fn gb_change(change: f64) -> Cell {
    Cell::number(change, "gb", signed(change, &gb(change.abs())))
}

/// Percent: `59.2 %`.
#[must_use]
pub(super) fn pct(pct: f64) -> Cell {
    Cell::number(pct, "pct", format!("{:.1} %", if pct.abs() < 0.05 { 0.0 } else { pct }))
}

/// A change in percent, with its sign: `+5.1 %`, `−0.3 %`.
#[must_use]
pub(super) fn pct_change(change: f64) -> Cell {
    Cell::number(change, "pct", signed(change, &pct(change.abs())))
}

/// `size` with the sign of `value`, unless it is nothing.
fn signed(value: f64, size: &str) -> String {
    let nothing = size.chars().all(|c| !('1'..='9').contains(&c));
    match value {
        _ if nothing => size.to_owned(),
        v if v < 0.0 => format!("−{size}"),
        _ => format!("+{size}"),
    }
}

/// Tokens per second: `70.5 tok/s`.
#[must_use]
pub(super) fn tps(tps: f64) -> Cell {
    Cell::number(tps, "tps", format!("{tps:.1} tok/s"))
}

/// Milliseconds: `200 ms`, `0.3 ms`.
#[must_use]
pub(super) fn ms(ms: f64) -> Cell {
    let text = if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") };
    Cell::number(ms, "ms", text)
}

/// Watts: `12.3 W`.
#[must_use]
pub(super) fn watts(w: f64) -> Cell {
    Cell::number(w, "w", format!("{w:.1} W"))
}

/// A count: `1,234,567`.
#[must_use]
pub(super) fn count(n: u64) -> Cell {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    // Counts are far below 2^53.
    Cell::number(n as f64, "", out)
}

/// A count of things: `1 test`, `2 tests`.
#[must_use]
pub(super) fn things(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Memory pressure in words.
#[must_use]
pub(super) fn pressure(level: f64) -> Cell {
    match level {
        l if l >= 4.0 => "critical",
        l if l >= 2.0 => "warn",
        _ => "normal",
    }
    .into()
}

/// A day of UTC: `2026-02-11`.
#[must_use]
pub(super) fn day(ts: f64) -> String {
    at(ts, "%Y-%m-%d")
}

/// A moment of UTC: `2026-02-11 12:00:06 UTC`.
#[must_use]
pub(super) fn moment(ts: f64) -> Cell {
    Cell::number(ts, "ts", at(ts, "%Y-%m-%d %H:%M:%S UTC"))
}

/// A moment of UTC to the minute: `2026-02-11 12:00`.
#[must_use]
pub(super) fn minute(ts: f64) -> Cell {
    Cell::number(ts, "ts", at(ts, "%Y-%m-%d %H:%M"))
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
pub(super) fn range(min: f64, max: f64, write: fn(f64) -> Cell) -> Cell {
    let (low, high) = (write(min), write(max));
    let text = if *low == *high { low.to_string() } else { together(&low, "–", &high) };
    let pair = match low.data() {
        Data::Number(_, "gb") => [(Some(min), "gb_min"), (Some(max), "gb_max")],
        Data::Number(_, "mb") => [(Some(min), "mb_min"), (Some(max), "mb_max")],
        _ => [(Some(min), "min"), (Some(max), "max")],
    };
    Cell::pair(pair, text)
}

/// Two figures as one, whose unit is named once where it is the same: `1.2/3.4 GB`.
#[must_use]
pub(super) fn together(first: &str, between: &str, second: &str) -> String {
    match (first.rsplit_once(' '), second.rsplit_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => {
            format!("{number}{between}{second}")
        }
        _ => format!("{first}{between}{second}"),
    }
}

/// A value or the mark that there is none.
#[must_use]
pub(super) fn or_none<T, C: Into<Cell>>(value: Option<T>, write: impl FnOnce(T) -> C) -> Cell {
    value.map_or_else(Cell::none, |value| write(value).into())
}

/// `-0` is 0.
fn whole(value: f64) -> f64 {
    let rounded = value.round();
    if rounded == 0.0 { 0.0 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::{count, gb, gb_change, moment, pct_change, range, seconds, seconds_change, things};

    #[test]
    fn seconds_change_their_unit_where_the_digits_would_overflow() {
        let all = [0.0, 0.2634, 0.9996, 5.83, 59.94, 59.96, 1157.1, 3596.0, 3598.0, 7500.0];
        let written = all.map(|s| seconds(s).to_string());
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
            [13.24, 0.098, 1.524, 0.0, 0.9996].map(|x| gb(x).to_string()),
            ["13.2 GB", "98 MB", "1.5 GB", "0 MB", "1.0 GB"]
        );
        assert_eq!(
            [5.3, -5.3, -0.0001].map(|x| gb_change(x).to_string()),
            ["+5.3 GB", "−5.3 GB", "0 MB"]
        );
    }

    #[test]
    fn a_change_has_its_sign_unless_it_is_nothing() {
        assert_eq!(
            [1.2, -0.2634, 0.0].map(|s| seconds_change(s).to_string()),
            ["+1.2 s", "−0.263 s", "0 s"]
        );
        assert_eq!(
            [5.13, -0.3, 0.04, -0.01].map(|p| pct_change(p).to_string()),
            ["+5.1 %", "−0.3 %", "0.0 %", "0.0 %"]
        );
    }

    #[test]
    fn a_range_names_its_unit_once_and_a_point_is_no_range() {
        assert_eq!(&*range(8.5, 38.8, gb), "8.5–38.8 GB");
        assert_eq!(&*range(0.5, 1.2, gb), "500 MB–1.2 GB");
        assert_eq!(&*range(15.11, 15.12, gb), "15.1 GB");
    }

    #[test]
    fn counts_are_grouped_and_things_have_a_plural() {
        assert_eq!(
            [1, 999, 1000, 1_234_567].map(|n| count(n).to_string()),
            ["1", "999", "1,000", "1,234,567"]
        );
        assert_eq!((things(1, "test"), things(0, "test")), ("1 test".into(), "0 tests".into()));
    }

    #[test]
    fn moments_are_utc_and_what_is_no_date_says_so() {
        assert_eq!(&*moment(1_770_811_206.8), "2026-02-11 12:00:06 UTC");
        assert_eq!(moment(1e300).to_string(), format!("no date ({} s)", 1e300));
        assert!(moment(f64::NAN).starts_with("no date"));
    }
}
