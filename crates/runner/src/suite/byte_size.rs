//! Amounts of bytes.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

/// An amount of bytes, written as a number or as `"11MB"` (10⁶) or `"11MiB"` (2²⁰).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

impl ByteSize {
    fn parse(text: &str) -> Option<ByteSize> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = (text[..end].parse::<u64>().ok()?, text[end..].trim());
        let (_, factor) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        number.checked_mul(factor).map(ByteSize)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl Visitor<'_> for Visit {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or \"11MB\"")
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<ByteSize, E> {
                u64::try_from(n).map(ByteSize).map_err(|_| E::custom(format!("{n} is less than 0")))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
                ByteSize::parse(text).ok_or_else(|| {
                    E::custom(format!("{text:?} is no amount of bytes; write \"11MB\" or \"4KiB\""))
                })
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    #[test]
    fn amounts_have_units_of_ten_or_of_two() {
        for (text, bytes) in
            [("7", 7), ("11MB", 11_000_000), ("1 KiB", 1024), ("2gb", 2_000_000_000), ("0B", 0)]
        {
            assert_eq!(ByteSize::parse(text), Some(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MB", "-1", "1.5MB", "1 MBit", "99999999999999GB"] {
            assert_eq!(ByteSize::parse(text), None, "{text}");
        }
    }
}
