//! Numbers as they stand in a line. Plain ones only, such as `-12.5`; whoever meets
//! another one lets `serde_json` read the whole line.

/// Up to here whole numbers and powers of ten are exact in an `f64`, so that one
/// division rounds once: the very value that `serde_json` gives.
const EXACT: u64 = 1 << 53;

/// More digits than this could overflow while they are added up.
const DIGITS: usize = 18;

const POWERS_OF_TEN: [f64; DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// The whole number that `bytes` begin with, and its length. None when they begin with
/// none, or with one that is too long.
#[inline]
pub(super) fn whole(bytes: &[u8]) -> Option<(u64, usize)> {
    if let Some(Short { number, decimals: 0, length }) = short(bytes) {
        return Some((number, length));
    }
    let (number, length) = digits(bytes, 0);
    is_plain(bytes, length).then_some((number, length))
}

/// The decimal number that `bytes` begin with, and its length. None as above.
#[inline]
pub(super) fn decimal(bytes: &[u8]) -> Option<(f64, usize)> {
    if let Some(Short { number, decimals, length }) = short(bytes) {
        return Some((number as f64 / POWERS_OF_TEN[decimals], length));
    }
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (mut number, whole_digits) = digits(unsigned, 0);
    if !is_plain(unsigned, whole_digits) {
        return None;
    }
    let mut length = bytes.len() - unsigned.len() + whole_digits;
    let mut decimals = 0;
    if let Some(behind) = unsigned[whole_digits..].strip_prefix(b".") {
        (number, decimals) = digits(behind, number);
        if decimals == 0 || whole_digits + decimals > DIGITS {
            return None;
        }
        length += 1 + decimals;
    }
    if number > EXACT {
        return None;
    }
    let value = number as f64 / POWERS_OF_TEN[decimals];
    Some((if unsigned.len() < bytes.len() { -value } else { value }, length))
}

/// A number without a sign whose end is among the first eight bytes.
struct Short {
    /// Its digits.
    number: u64,
    /// How many of them stand behind the point.
    decimals: usize,
    length: usize,
}

/// Such a number, as nearly all are: eight bytes are looked at as one.
#[inline]
fn short(bytes: &[u8]) -> Option<Short> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    // The digits become 0 to 9; in every other byte the highest bit is set.
    let digits = word ^ (EACH * u64::from(b'0'));
    let others = (((digits & (EACH * 0x7f)) + EACH * 0x76) | digits) & (EACH * 0x80);
    let whole_digits = (others.trailing_zeros() / 8) as usize;
    if whole_digits == 0 || whole_digits == 8 || (whole_digits > 1 && bytes[0] == b'0') {
        return None;
    }
    if bytes[whole_digits] != b'.' {
        let number = eight_digits(digits << (64 - 8 * whole_digits));
        return Some(Short { number, decimals: 0, length: whole_digits });
    }
    // Without the point, where the next byte that is no digit is.
    let behind = others & (others - 1);
    let length = (behind.trailing_zeros() / 8) as usize;
    let decimals = length - whole_digits - 1;
    if length == 8 || decimals == 0 {
        return None;
    }
    let point = 8 * whole_digits;
    let before = digits & ((1 << point) - 1);
    let all = before | ((digits >> (point + 8)) << point);
    let number = eight_digits(all << (64 - 8 * (length - 1)));
    Some(Short { number, decimals, length })
}

/// A one in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The number of eight digits, the first in the lowest byte: of neighbours one is made,
/// then of neighbouring pairs, then of fours.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// JSON has no leading zeros.
#[inline]
fn is_plain(bytes: &[u8], digits: usize) -> bool {
    (1..=DIGITS).contains(&digits) && (digits == 1 || bytes[0] != b'0')
}

/// Goes on with `number` as far as `bytes` are digits; how many there are. Wraps around
/// when there are too many, which is for the caller to see.
#[inline]
fn digits(bytes: &[u8], mut number: u64) -> (u64, usize) {
    let mut count = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (number, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decimal, whole};

    #[test]
    fn plain_numbers_are_read_and_others_are_left() {
        assert_eq!(decimal(b"12.50,"), Some((12.5, 5)));
        assert_eq!(decimal(b"-0}"), Some((-0.0, 2)));
        assert_eq!(decimal(b"7"), Some((7.0, 1)));
        for left in ["", "-", "01", "1.", ".5", "-.5", "+1", "9007199254740993", "x"] {
            assert_eq!(decimal(left.as_bytes()), None, "{left}");
        }
        assert_eq!(decimal(&[b'1'; 400]), None);
        assert_eq!(decimal(format!("0.{}", "1".repeat(400)).as_bytes()), None);
        assert_eq!(whole(b"120.5"), Some((120, 3)));
        assert_eq!((whole(b"007"), whole(b"-1"), whole(&[b'9'; 19])), (None, None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_read_is_bit_for_bit_what_serde_json_reads(
            number in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,9})?",
            behind in "(,[\"a-z0-9.]{0,9}|\\}|[eE][0-9]|)",
        ) {
            // What stands behind it is none of its business.
            let text = format!("{number}{behind}");
            if let Some((value, length)) = decimal(text.as_bytes()) {
                let theirs: f64 = serde_json::from_str(&number).unwrap();
                prop_assert_eq!((value.to_bits(), length), (theirs.to_bits(), number.len()));
            } else {
                prop_assert!(number.len() > 15, "{number} is plain");
            }
            if let Some((value, length)) = whole(text.as_bytes()) {
                prop_assert_eq!(&text[..length], value.to_string());
            }
        }

        #[test]
        fn whatever_is_read_is_json_and_ends_where_the_number_ends(text in "[-+0-9.eE]{0,24}") {
            if let Some((value, length)) = decimal(text.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<f64>(&text[..length]).unwrap(), value);
            }
        }
    }
}
