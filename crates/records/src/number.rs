//! Numbers as they are written.

/// The powers of ten that decimals make. More than nine are never asked for.
const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Above this every `f64` is whole: there is nothing to round. 2^53.
const ALL_WHOLE: f64 = 9_007_199_254_740_992.0;

/// `value` with at most `decimals` decimals, as the nearest `f64`.
///
/// Values so large that they have no such decimals come back unchanged.
#[must_use]
pub fn round(value: f64, decimals: u8) -> f64 {
    let scale = POWERS[usize::from(decimals).min(POWERS.len() - 1)];
    let scaled = value * scale;
    // NaN is not below either.
    if scaled.abs() < ALL_WHOLE { whole(scaled).copysign(scaled) / scale } else { value }
}

/// The nearest whole number, away from zero where two are as near, of a value below
/// [`ALL_WHOLE`]; without the call that `f64::round` is. The sign of a zero is lost.
fn whole(value: f64) -> f64 {
    // It fits, and what is left is exact.
    let towards_zero = value as i64;
    let left = value - towards_zero as f64;
    (towards_zero + i64::from(left >= 0.5) - i64::from(left <= -0.5)) as f64
}

/// Up to here a whole number of last decimals has at most 15 digits, and of texts with so
/// few digits no two are the same `f64`: the one at hand is the shortest there is.
const FEW_DIGITS: f64 = 1e15;

/// Decimals up to which no number is so small that it is written with an exponent.
const MOST_DECIMALS: u8 = 5;

/// Writes `value` as `serde_json` does; quickly where it has at most `decimals` decimals.
pub fn write_number(out: &mut Vec<u8>, value: f64, decimals: u8) {
    let decimals = usize::from(decimals.min(MOST_DECIMALS));
    let scale = POWERS[decimals];
    let scaled = value * scale;
    if scaled.abs() < FEW_DIGITS
        && let last_decimals = whole(scaled)
        && last_decimals / scale == value
        && !(value == 0.0 && value.is_sign_negative())
    {
        write_decimals(out, last_decimals as i64, decimals);
    } else {
        // A number has no way to fail; what is none is `null`.
        let _ = serde_json::to_writer(out, &value);
    }
}

/// Writes a number given in units of the last of so many decimals: without the zeros at its
/// end, but for one behind the point.
fn write_decimals(out: &mut Vec<u8>, mut number: i64, decimals: usize) {
    let mut digits = decimals;
    while digits > 1 && number % 10 == 0 {
        number /= 10;
        digits -= 1;
    }
    if number < 0 {
        out.push(b'-');
    }
    let mut text = Text::EMPTY;
    let mut rest = number.unsigned_abs();
    for _ in 0..digits {
        rest = text.digit(rest);
    }
    if digits == 0 {
        text.before(b'0');
    }
    text.before(b'.');
    text.digits(rest);
    out.extend_from_slice(text.get());
}

/// Writes a whole number.
pub fn write_whole(out: &mut Vec<u8>, number: u64) {
    let mut text = Text::EMPTY;
    text.digits(number);
    out.extend_from_slice(text.get());
}

/// A number that is written from its end.
struct Text {
    bytes: [u8; Text::LENGTH],
    from: usize,
}

impl Text {
    /// A point and the digits of the largest `u64`, and a zero.
    const LENGTH: usize = 22;
    const EMPTY: Text = Text { bytes: [0; Text::LENGTH], from: Text::LENGTH };

    fn before(&mut self, byte: u8) {
        self.from -= 1;
        self.bytes[self.from] = byte;
    }

    /// The last digit of `number`; what is before it.
    fn digit(&mut self, number: u64) -> u64 {
        // A digit, so it fits.
        self.before(b'0' + (number % 10) as u8);
        number / 10
    }

    fn digits(&mut self, mut number: u64) {
        number = self.digit(number);
        while number > 0 {
            number = self.digit(number);
        }
    }

    fn get(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
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
