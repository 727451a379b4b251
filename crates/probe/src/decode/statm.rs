//! `/proc/PID/statm`: the memory of one process, in pages.

use super::text::{digits, words};

/// Resident pages: the second column. 0 for a process that has no memory any
/// more, such as a zombie.
#[must_use]
pub fn resident_pages(text: &[u8]) -> Option<u64> {
    let mut words = words(text);
    words.next().and_then(digits)?;
    let pages = words.next().and_then(digits)?;
    // Another column must follow, or the number may be cut.
    words.next()?;
    Some(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_second_column_is_resident() {
        assert_eq!(resident_pages(b"630 238 213 5 0 98 0\n"), Some(238));
        assert_eq!(resident_pages(b"0 0 0 0 0 0 0\n"), Some(0));
        assert_eq!(resident_pages(b"630 23"), None);
        assert_eq!(resident_pages(b""), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = resident_pages(&bytes);
        }
    }
}
