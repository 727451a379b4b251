//! Numbers as they are written.

/// `value` with at most `decimals` decimals, as the nearest `f64`.
///
/// Values so large that they have no such decimals come back unchanged.
#[must_use]
pub fn round(value: f64, decimals: u8) -> f64 {
    let scale = 10f64.powi(i32::from(decimals));
    let scaled = value * scale;
    // Above 2^53 every f64 is whole: there is nothing to round.
    if !scaled.is_finite() || scaled.abs() >= 9_007_199_254_740_992.0 {
        return value;
    }
    scaled.round() / scale
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn rounding_keeps_the_decimals_asked_for() {
        assert_eq!(round(36.249_6, 3), 36.25);
        assert_eq!(round(-0.05, 1), -0.1);
        assert_eq!(round(1e300, 3), 1e300);
        assert!(round(f64::NAN, 3).is_nan());
    }

    #[test]
    fn a_rounded_timestamp_prints_microseconds() {
        let text = serde_json::to_string(&round(1_770_811_205.001_235_2, 6)).unwrap();
        assert_eq!(text, "1770811205.001235");
    }
}
