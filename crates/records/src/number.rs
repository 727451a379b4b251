//! Numbers as they are written.

/// The powers of ten that decimals make. More than nine are never asked for.
const POWERS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Above this every `f64` is whole: there is nothing to round. 2^53.
const ALL_WHOLE: f64 = 9_007_199_254_740_992.0;

/// From 2^52 on the numbers next to each other are 1 apart: what is added to this, and is below
/// 2^51, is rounded to a whole number. 1.5 times 2^52.
const STEPS_OF_ONE: f64 = 6_755_399_441_055_744.0;
/// 2^51.
const BELOW_STEPS: f64 = 2_251_799_813_685_248.0;

/// `value` with at most `decimals` decimals, as the nearest `f64`.
///
/// Values so large that they have no such decimals come back unchanged.
#[must_use]
pub fn round(value: f64, decimals: u8) -> f64 {
    let scale = POWERS[usize::from(decimals).min(POWERS.len() - 1)];
    let scaled = value * scale;
    // NaN is not below either.
    if scaled.abs() < BELOW_STEPS {
        whole(scaled).copysign(scaled) / scale
    } else if scaled.abs() < ALL_WHOLE {
        scaled.round() / scale
    } else {
        value
    }
}

/// The nearest whole number, away from zero where two are as near, of a value below
/// [`BELOW_STEPS`]; without the call that `f64::round` is. The sign of a zero is lost.
fn whole(value: f64) -> f64 {
    let nearest = (value + STEPS_OF_ONE) - STEPS_OF_ONE;
    // Where two are as near, that is the even one. What is left is exact.
    let half = 0.5f64.copysign(value);
    nearest + if value - nearest == half { 2.0 * half } else { 0.0 }
}

/// Up to here a whole number of last decimals has at most eight digits. Of texts with no more
/// than 15 no two are the same `f64`: the one at hand is the shortest there is.
const EIGHT_DIGITS: f64 = 99_999_999.0;

/// Decimals up to which no number is so small that it is written with an exponent.
const MOST_DECIMALS: u8 = 5;

/// Writes `value` as `serde_json` does; quickly where it has at most `decimals` decimals, and
/// not more than eight digits.
pub fn write_number(out: &mut Vec<u8>, value: f64, decimals: u8) {
    Written::new(value, decimals).append_to(out);
}

/// Writes a whole number.
pub fn write_whole(out: &mut Vec<u8>, number: u64) {
    // A number has no way to fail.
    let _ = serde_json::to_writer(out, &number);
}

/// A number as [`write_number`] writes it, for who writes it more than once.
pub struct Written(Form);

enum Form {
    Short(Text),
    Any(f64),
}

impl Written {
    /// The text of `value`.
    #[must_use]
    pub fn new(value: f64, decimals: u8) -> Written {
        let decimals = decimals.min(MOST_DECIMALS);
        let scale = POWERS[usize::from(decimals)];
        let scaled = value * scale;
        if scaled.abs() <= EIGHT_DIGITS
            && let last_decimals = whole(scaled)
            && last_decimals / scale == value
            && !(value == 0.0 && value.is_sign_negative())
        {
            // Eight digits fit.
            Written(Form::Short(Text::new(last_decimals as i32, decimals.into())))
        } else {
            Written(Form::Any(value))
        }
    }

    /// Writes it.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Short(text) => text.append_to(out),
            // A number has no way to fail; what is none is `null`.
            Form::Any(value) => serde_json::to_writer(out, value).unwrap_or_default(),
        }
    }
}

/// A number of up to eight digits, as it is written. It is made in registers, without loops
/// whose ends a processor would have to guess; and it is copied in fixed lengths, without the
/// call that a copy of unknown length is.
struct Text {
    is_negative: bool,
    /// Before the point and behind it: the texts, the first byte the lowest, and their lengths.
    parts: [(u64, usize); 2],
}

impl Text {
    /// A number given in units of the last of so many decimals: without the zeros at its end,
    /// but for one behind the point.
    fn new(number: i32, decimals: usize) -> Text {
        let digits = eight_digits(number.unsigned_abs().into());
        // Zeros before the number, but for one before the point, and behind it.
        let before = ((digits.trailing_zeros() / 8) as usize).min(7 - decimals);
        let behind = (digits.leading_zeros() / 8) as usize;
        let text = digits | (EACH * u64::from(b'0'));
        let fraction = match decimals {
            0 => (u64::from(b'0'), 1),
            _ => (text >> (8 * (8 - decimals)), decimals.saturating_sub(behind).max(1)),
        };
        let whole = (text >> (8 * before), 8 - decimals - before);
        Text { is_negative: number < 0, parts: [whole, fraction] }
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        let [(whole, length), (fraction, decimals)] = self.parts;
        if self.is_negative {
            out.push(b'-');
        }
        let point = out.len() + length;
        out.extend_from_slice(&whole.to_le_bytes());
        out.truncate(point);
        out.push(b'.');
        out.extend_from_slice(&fraction.to_le_bytes());
        out.truncate(point + 1 + decimals);
    }
}

/// A one in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The eight digits of a number below 10^8, the first in the lowest byte: two of four digits
/// are made of it, of each two of two, and of each of these its digits, all at once. The
/// factors are 1/100 and 1/10 in units of 2^-20 and 2^-10, precise enough for so few digits.
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - 10 * tens) << 8)
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
        fn rounding_is_that_of_the_standard_library(
            any in any::<f64>(), near in -1e6..1e6f64, halves in -100_000i32..100_000, decimals in 0u8..5
        ) {
            for value in [any, near, f64::from(halves) / 2.0, near * 1e9] {
                let scaled = value * 10f64.powi(decimals.into());
                let want = scaled.round() / 10f64.powi(decimals.into());
                let want = if scaled.abs() < super::ALL_WHOLE { want } else { value };
                prop_assert_eq!(round(value, decimals).to_bits(), want.to_bits());
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
    fn every_number_of_few_digits_is_written_as_serde_json_writes_it() {
        for number in (0..100_000).chain((0..100_000_000).step_by(997)) {
            for decimals in [0, 1, 3, 5] {
                let value = round(f64::from(number) / 10f64.powi(decimals), decimals as u8);
                let want = serde_json::to_string(&value).unwrap();
                assert_eq!(written(value, decimals as u8), want);
            }
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
            99_999_999.0,
            -99_999_999.0,
            100_000_000.0,
            -999.99999,
            10.0,
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
