//! `/sys/class/hwmon`: one number a file, in thousandths or millionths.

use super::text::number;

/// `powerN_average` or `powerN_input` (microwatt) in watts.
#[must_use]
pub fn watts(text: &[u8]) -> Option<f64> {
    let microwatt: i64 = number(text.trim_ascii())?;
    (microwatt >= 0).then(|| microwatt as f64 / 1e6)
}

/// `tempN_input` (thousandths of a degree) in °C; below zero is possible.
#[must_use]
pub fn celsius(text: &[u8]) -> Option<f64> {
    let millidegree: i64 = number(text.trim_ascii())?;
    Some(millidegree as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_power_of_a_phoenix_apu_is_3_watts() {
        let text = include_str!("../../tests/data/linux/amdgpu-phoenix-hwmon.txt");
        let power = |name| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            watts(line.unwrap().as_bytes())
        };
        assert_eq!(power("power1_average"), Some(3_103.0 / 1e3));
        assert_eq!(power("power1_input"), Some(3_142.0 / 1e3));
    }

    #[test]
    fn frost_is_a_temperature_and_negative_power_is_none() {
        assert_eq!(celsius(b"-1500\n"), Some(-1.5));
        assert_eq!(celsius(b"45000\n"), Some(45.0));
        assert_eq!(watts(b"-1\n"), None);
        assert_eq!(watts(b""), None);
        assert_eq!(celsius(b"N/A\n"), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = (watts(&bytes), celsius(&bytes));
        }
    }
}
