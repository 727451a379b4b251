//! `scaling_cur_freq` of cpufreq: the frequency of a core.

use super::text::digits;

/// In MHz, of a text in kHz. A frequency of 0 is none.
#[must_use]
pub fn mhz(text: &[u8]) -> Option<f64> {
    digits(text.trim_ascii()).filter(|khz| *khz > 0).map(|khz| khz as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::mhz;

    #[test]
    fn kilohertz_become_megahertz_and_anything_else_is_none() {
        assert_eq!(mhz(b"2400123\n"), Some(2400.123));
        for text in [b"".as_slice(), b"0\n", b"<unknown>\n", b"-1\n", b"2400000 1\n"] {
            assert_eq!(mhz(text), None);
        }
    }
}
