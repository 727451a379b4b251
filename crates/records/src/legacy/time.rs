//! ISO 8601 timestamps as Python writes them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Unix seconds of an ISO 8601 text. Without an offset it is taken as UTC, which
/// is what the reference's writer meant.
#[must_use]
pub fn unix_seconds(text: &str) -> Option<f64> {
    let stamp = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    // Microseconds of this century fit an f64 exactly.
    Some(stamp.as_microsecond() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn timestamps_with_and_without_an_offset_are_read() {
        assert_eq!(unix_seconds("2025-11-16T10:30:00Z"), Some(1_763_289_000.0));
        assert_eq!(unix_seconds("2025-11-16T11:30:00+01:00"), Some(1_763_289_000.0));
        assert_eq!(unix_seconds("2025-11-16T10:30:00.25"), Some(1_763_289_000.25));
        assert_eq!(unix_seconds("2025-13-45"), None);
        assert_eq!(unix_seconds(""), None);
    }
}
