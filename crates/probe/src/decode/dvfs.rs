//! The frequency table of a chip's power manager: the property
//! `voltage-states9` of the registry's `pmgr`, which is the GPU's.

/// Names of the property: some chips have the second only.
pub const GPU_TABLES: [&str; 2] = ["voltage-states9", "voltage-states9-sram"];

/// Frequencies above 0 in MHz, lowest first: those of the states `P1`, `P2`
/// and so on. The bytes are pairs of 32 bits, a frequency and a voltage; the
/// unit is Hz up to M3 and kHz on some later chips, which the size tells.
/// `None` for what is no such table, such as the periods that other
/// properties of this name hold.
#[must_use]
pub fn frequencies_mhz(bytes: &[u8]) -> Option<Vec<f64>> {
    let (pairs, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return None;
    }
    let raw: Vec<u32> = pairs
        .iter()
        .map(|pair| u32::from_le_bytes([pair[0], pair[1], pair[2], pair[3]]))
        .filter(|freq| *freq > 0)
        .collect();
    // No GPU runs at more than 10 GHz, and none at less than 50 MHz.
    let per_mhz = match raw.last()? {
        50_000..=10_000_000 => 1e3,
        50_000_000.. => 1e6,
        _ => return None,
    };
    if !raw.is_sorted() || f64::from(raw[0]) < 50.0 * per_mhz {
        return None;
    }
    Some(raw.into_iter().map(|freq| f64::from(freq) / per_mhz).collect())
}

/// The bytes of the first of [`GPU_TABLES`] in what `ioreg` prints of `pmgr`:
/// `"voltage-states9" = <` and hexadecimal digits.
#[must_use]
pub fn parse_ioreg(text: &str) -> Option<Vec<u8>> {
    GPU_TABLES.iter().find_map(|table| {
        let (_, rest) = text.split_once(&format!("\"{table}\" = <"))?;
        let (digits, _) = rest.split_once('>')?;
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let byte = |&[high, low]: &[u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
        odd.is_empty().then(|| pairs.iter().map(byte).collect())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(freqs: &[u32]) -> Vec<u8> {
        freqs.iter().flat_map(|freq| [*freq, 800].map(u32::to_le_bytes)).flatten().collect()
    }

    #[test]
    fn hertz_and_kilohertz_are_told_apart_and_the_entry_for_off_is_left_out() {
        let hz = table(&[0, 444_000_000, 612_000_000, 1_398_000_000]);
        assert_eq!(frequencies_mhz(&hz), Some(vec![444.0, 612.0, 1398.0]));
        let khz = table(&[0, 338_000, 1_470_000]);
        assert_eq!(frequencies_mhz(&khz), Some(vec![338.0, 1470.0]));
    }

    #[test]
    fn what_is_no_table_of_frequencies_is_none() {
        assert_eq!(frequencies_mhz(&[]), None);
        assert_eq!(frequencies_mhz(&table(&[0, 0])), None);
        assert_eq!(frequencies_mhz(&table(&[1, 1, 1])), None, "indices");
        assert_eq!(frequencies_mhz(&table(&[80_313, 57_487, 27_036])), None, "periods");
        assert_eq!(frequencies_mhz(&table(&[0, 444_000_000])[..15]), None, "cut");
    }

    #[test]
    fn the_plain_table_is_preferred_in_what_ioreg_prints() {
        let text = "\"voltage-states9-sram\" = <02>\n\"voltage-states9\" = <00ff10>\n";
        assert_eq!(parse_ioreg(text), Some(vec![0, 255, 16]));
        assert_eq!(parse_ioreg(&text[..30]), Some(vec![2]));
        assert_eq!(parse_ioreg("\"voltage-states9\" = <0f1>"), None);
        assert_eq!(parse_ioreg("\"voltage-states9\" = <+1>"), None);
        assert_eq!(parse_ioreg("\"voltage-states9\" = <01"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_plausible_rising_frequencies_or_none(bytes: Vec<u8>, raw: Vec<u32>, text: String) {
            let _ = parse_ioreg(&format!("\"voltage-states9\" = <{text}>"));
            for bytes in [bytes, table(&raw)] {
                let freqs = frequencies_mhz(&bytes).unwrap_or_default();
                prop_assert!(freqs.is_sorted());
                prop_assert!(freqs.iter().all(|mhz| (50.0..=10_000.0).contains(mhz)));
            }
        }
    }
}
