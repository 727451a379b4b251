//! Numbers, times and names as people read them.

use std::borrow::Cow;

use jiff::Timestamp;

/// `n` with thousands set apart.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 test`, `2 tests`.
pub(crate) fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A duration in its two greatest units.
pub(crate) fn duration(seconds: f64) -> String {
    // Whole seconds of any run fit; a negative duration has no sign to show.
    let whole = seconds.max(0.0).round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s.max(0.0) * 1e3),
        s if s < 59.95 => format!("{s:.1} s"),
        _ if whole < 3600 => format!("{minutes} min {:02} s", whole % 60),
        _ if whole < 86_400 => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Time since the start of the axis, as the axis writes it.
pub(crate) fn elapsed(seconds: f64) -> String {
    // Never negative: the axis starts with the earliest record.
    let tenths = (seconds.max(0.0) * 10.0).round() as u64;
    let (whole, rest) = (tenths / 10, tenths % 10);
    format!("{}:{:02}:{:02}.{rest}", whole / 3600, whole / 60 % 60, whole % 60)
}

/// Date and time of `ts` (Unix seconds) in UTC; `None` beyond the calendar.
pub(crate) fn date(ts: f64) -> Option<String> {
    // Milliseconds of every year of the calendar fit.
    let stamp = Timestamp::from_millisecond((ts * 1e3).round() as i64).ok()?;
    Some(stamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The first `width` characters of `text`, with a mark when that is not all.
pub(crate) fn shortened(text: &str, width: usize) -> Cow<'_, str> {
    match text.char_indices().nth(width) {
        Some((at, _)) => Cow::Owned(format!("{}…", text[..at].trim_end())),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, date, duration, elapsed, shortened};

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(counted(1_234_567, "sample"), "1,234,567 samples");
        assert_eq!(counted(1, "test"), "1 test");
        let spoken = [0.0, 0.25, 59.94, 59.96, 3599.4, 3600.0, 86_399.0, 200_000.0].map(duration);
        let want = [
            "0 ms",
            "250 ms",
            "59.9 s",
            "1 min 00 s",
            "59 min 59 s",
            "1 h 00 min",
            "23 h 59 min",
            "2 d 7 h",
        ];
        assert_eq!(spoken, want);
        assert_eq!(elapsed(3_723.449), "1:02:03.4");
        assert_eq!(date(1_770_811_205.001).unwrap(), "2026-02-11 12:00:05 UTC");
        assert_eq!(date(1e300), None);
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        assert_eq!(shortened("größer", 3), "grö…");
        assert_eq!(shortened("größer", 6), "größer");
    }
}
