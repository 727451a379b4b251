//! `/sys/block/zramN/mm_stat`: a compressed block device in memory.

use super::text::{digits, words};

/// Memory that the device takes, in bytes: the third column.
#[must_use]
pub fn mem_used(text: &[u8]) -> Option<u64> {
    words(text).nth(2).and_then(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_third_column_is_memory_taken() {
        let text = b"  2621440   917504  1060864        0  1060864        5        0        0\n";
        assert_eq!(mem_used(text), Some(1_060_864));
        assert_eq!(mem_used(b"1 2"), None);
        assert_eq!(mem_used(b""), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = mem_used(&bytes);
        }
    }
}
