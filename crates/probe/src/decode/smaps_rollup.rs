//! `/proc/PID/smaps_rollup`: memory of one process with shared pages split
//! evenly among those who share them.

use super::text::{digits, lines, words};

/// `Pss`, in bytes.
#[must_use]
pub fn pss_bytes(text: &[u8]) -> Option<u64> {
    lines(text).find_map(|line| {
        let mut words = words(line);
        if words.next() != Some(b"Pss:") {
            return None;
        }
        let kib = words.next().and_then(digits)?;
        // The unit must follow, or the number may be cut.
        (words.next() == Some(b"kB")).then(|| kib.checked_mul(1024))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = b"555e3f3a1000-7ffc5b7c3000 ---p 00000000 00:00 0    [rollup]
Rss:                1956 kB
Pss:                 517 kB
Pss_Dirty:           132 kB
Pss_Anon:            120 kB
Shared_Clean:       1500 kB
";

    #[test]
    fn pss_is_found_beside_its_namesakes() {
        assert_eq!(pss_bytes(TEXT), Some(517 * 1024));
    }

    #[test]
    fn what_is_cut_or_empty_is_none() {
        assert_eq!(pss_bytes(b""), None);
        assert_eq!(pss_bytes(b"Rss: 1956 kB\nPss:    51"), None);
        assert_eq!(pss_bytes(b"Pss_Dirty: 132 kB\n"), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = pss_bytes(&bytes);
        }
    }
}
