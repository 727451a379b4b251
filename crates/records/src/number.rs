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

/// Up to here a whole number of last decimals has at most 15 digits, and of texts with so
/// few digits no two are the same `f64`: the one at hand is the shortest there is.
const FEW_DIGITS: f64 = 1e15;

/// Decimals up to which no number is so small that it is written with an exponent.
const MOST_DECIMALS: u8 = 5;

/// Writes `value` as `serde_json` does; quickly where it has at most `decimals` decimals.
pub fn write_number(out: &mut Vec<u8>, value: f64, decimals: u8) {
    let scale = 10u64.pow(u32::from(decimals.min(MOST_DECIMALS)));
    let last_decimals = (value * scale as f64).round();
    let is_plain = last_decimals.abs() < FEW_DIGITS
        && last_decimals / scale as f64 == value
        && !(value == 0.0 && value.is_sign_negative());
    if !is_plain {
        // A number has no way to fail; what is none is `null`.
        let _ = serde_json::to_writer(out, &value);
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let last_decimals = last_decimals.abs() as u64;
    write_whole(out, last_decimals / scale);
    out.push(b'.');
    let (mut rest, mut scale) = (last_decimals % scale, scale / 10);
    loop {
        // A digit, so it fits.
        out.push(b'0' + rest.checked_div(scale).unwrap_or(0) as u8);
        rest = rest.checked_rem(scale).unwrap_or(0);
        if rest == 0 {
            return;
        }
        scale /= 10;
    }
}

/// Writes a whole number.
pub fn write_whole(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[from..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{round, write_number, write_whole};

    fn written(value: f64, decimals: u8) -> String {
        let mut out = Vec::new();
        write_number(&mut out, value, decimals);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn numbers_are_written_as_serde_json_writes_them(
            any in any::<f64>(), near in -1e6..1e6f64, huge in -1e18..1e18f64, decimals in 0u8..8
        ) {
            for value in [any, near, huge] {
                for value in [value, round(value, decimals), value.trunc()] {
                    prop_assert_eq!(written(value, decimals), serde_json::to_string(&value).unwrap());
                }
            }
        }

        #[test]
        fn whole_numbers_are_written_as_serde_json_writes_them(number in any::<u64>(), shift in 0u32..64) {
            let mut out = Vec::new();
            write_whole(&mut out, number >> shift);
            prop_assert_eq!(String::from_utf8(out).unwrap(), (number >> shift).to_string());
        }
    }

    #[test]
    fn odd_numbers_are_written_as_serde_json_writes_them() {
        for value in [
            0.0,
            -0.0,
            0.00001,
            0.0001,
            -0.1,
            1e15,
            1e16,
            999_999_999_999_999.9,
            9e15,
            f64::NAN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
        ] {
            for decimals in 0..7 {
                assert_eq!(written(value, decimals), serde_json::to_string(&value).unwrap());
            }
        }
    }

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
