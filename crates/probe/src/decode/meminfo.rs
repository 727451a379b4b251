//! `/proc/meminfo`: memory and swap of the whole machine.

use super::text::{digits, lines, words};

/// The figures of `/proc/meminfo` that a reading needs, in bytes.
/// `None` where the kernel does not print the line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemInfo {
    /// `MemTotal`: usable memory.
    pub total: Option<u64>,
    /// `MemAvailable`: the kernel's estimate of what can be had without
    /// swapping (Linux 3.14 and later).
    pub available: Option<u64>,
    /// `SwapTotal`.
    pub swap_total: Option<u64>,
    /// `SwapFree`.
    pub swap_free: Option<u64>,
    /// `Zswap`: memory that the compressed pages of zswap take
    /// (Linux 5.19 and later; `Zswapped` would be their size before).
    pub zswap: Option<u64>,
}

impl MemInfo {
    /// Reads the text of `/proc/meminfo`. A file cut short gives what it has.
    #[must_use]
    pub fn parse(text: &[u8]) -> MemInfo {
        let mut info = MemInfo::default();
        // A cut last line could hold a cut number, so only whole lines count.
        let whole =
            text.iter().rposition(|&byte| byte == b'\n').map_or(&[][..], |end| &text[..end]);
        for line in lines(whole) {
            let mut words = words(line);
            let field = match words.next() {
                Some(b"MemTotal:") => &mut info.total,
                Some(b"MemAvailable:") => &mut info.available,
                Some(b"SwapTotal:") => &mut info.swap_total,
                Some(b"SwapFree:") => &mut info.swap_free,
                Some(b"Zswap:") => &mut info.zswap,
                // Comes after all of the above: the long rest is not our business.
                Some(b"Dirty:") => break,
                _ => continue,
            };
            *field = words.next().and_then(digits).and_then(kib);
        }
        info
    }

    /// Memory in use, in bytes: total less available.
    #[must_use]
    pub fn used(&self) -> Option<u64> {
        self.total?.checked_sub(self.available?)
    }

    /// Swap in use, in bytes: total less free.
    #[must_use]
    pub fn swap_used(&self) -> Option<u64> {
        self.swap_total?.checked_sub(self.swap_free?)
    }
}

/// The file says kB and means 1024 bytes.
fn kib(value: u64) -> Option<u64> {
    value.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = include_bytes!("../../tests/data/linux/meminfo.txt");

    #[test]
    fn a_real_file_gives_bytes() {
        let info = MemInfo::parse(TEXT);
        assert_eq!(info.total, Some(24_682_416 * 1024));
        assert_eq!(info.available, Some(24_255_800 * 1024));
        assert_eq!(info.used(), Some((24_682_416 - 24_255_800) * 1024));
        assert_eq!(info.swap_used(), Some(0));
        assert_eq!(info.zswap, Some(0));
    }

    #[test]
    fn an_old_kernel_without_mem_available_leaves_free_and_used_unmeasured() {
        let info = MemInfo::parse(b"MemTotal: 1000 kB\nMemFree: 10 kB\nSwapTotal: 5 kB\n");
        assert_eq!(info.total, Some(1_024_000));
        assert_eq!(info.available, None);
        assert_eq!(info.used(), None);
        assert_eq!(info.swap_used(), None);
    }

    #[test]
    fn a_number_cut_in_half_is_not_a_number() {
        let cut = b"MemTotal:  24682416 kB\nMemAvailable: 2425";
        assert_eq!(MemInfo::parse(cut).available, None);
        assert_eq!(MemInfo::parse(b""), MemInfo::default());
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let info = MemInfo::parse(&bytes);
            let _ = (info.used(), info.swap_used());
        }

        #[test]
        fn no_cut_of_a_real_file_gives_a_wrong_number(cut in 0..TEXT.len()) {
            let (part, whole) = (MemInfo::parse(&TEXT[..cut]), MemInfo::parse(TEXT));
            prop_assert!(part.total.is_none() || part.total == whole.total);
            prop_assert!(part.available.is_none() || part.available == whole.available);
            prop_assert!(part.swap_total.is_none() || part.swap_total == whole.swap_total);
        }
    }
}
