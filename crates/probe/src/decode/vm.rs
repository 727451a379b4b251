//! Mach's page queues, and the memory figures that are made of them.

use super::text::{digits, lines};

/// Page counts of `host_statistics64(HOST_VM_INFO64)`. Compared as a whole
/// they tell a fresh answer from a repeated one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VmPages {
    /// Bytes in a page: 16384 on Apple silicon.
    pub page_bytes: u64,
    /// Free pages without the speculative ones: what `vm_stat` calls free,
    /// not what the kernel's `free_count` holds (see [`VmPages::set_free_count`]).
    pub free: u64,
    /// Not used lately; can be taken.
    pub inactive: u64,
    /// Read ahead on a guess.
    pub speculative: u64,
    /// May be thrown away by leave of their owners.
    pub purgeable: u64,
    /// Cannot be paged out.
    pub wired: u64,
    /// Memory that compressed pages take.
    pub compressor: u64,
    /// Anonymous pages.
    pub internal: u64,
    /// File-backed pages.
    pub external: u64,
    /// Pages read from swap since boot.
    pub swapins: u64,
    /// Pages written to swap since boot.
    pub swapouts: u64,
    /// Page faults since boot: it never stands still, which makes repetition sure.
    pub faults: u64,
}

/// Words of 32 bits in the first revision of `vm_statistics64`, which every
/// macOS in use fills. Asking for exactly these keeps the layout certain.
pub const REV1_WORDS: usize = 38;

/// Where the fields stand in the first revision, in words. Those of 64 bits
/// take two.
pub mod word {
    /// `free_count`
    pub const FREE: usize = 0;
    /// `inactive_count`
    pub const INACTIVE: usize = 2;
    /// `wire_count`
    pub const WIRE: usize = 3;
    /// `faults`, 64 bits
    pub const FAULTS: usize = 12;
    /// `purgeable_count`
    pub const PURGEABLE: usize = 22;
    /// `speculative_count`
    pub const SPECULATIVE: usize = 23;
    /// `swapins`, 64 bits
    pub const SWAPINS: usize = 28;
    /// `swapouts`, 64 bits
    pub const SWAPOUTS: usize = 30;
    /// `compressor_page_count`
    pub const COMPRESSOR: usize = 32;
    /// `external_page_count`
    pub const EXTERNAL: usize = 34;
    /// `internal_page_count`
    pub const INTERNAL: usize = 35;
}

impl VmPages {
    /// From the words that `host_statistics64(HOST_VM_INFO64)` filled in, as
    /// many as it says. `None` if that is fewer than the fields need.
    #[must_use]
    pub fn from_words(words: &[u32], page_bytes: u64) -> Option<VmPages> {
        let narrow = |at: usize| words.get(at).copied().map(u64::from);
        // Macs are little-endian: the lower half comes first.
        let wide = |at: usize| Some(narrow(at)? | narrow(at + 1)? << 32);
        let mut pages = VmPages {
            page_bytes,
            free: 0,
            inactive: narrow(word::INACTIVE)?,
            speculative: narrow(word::SPECULATIVE)?,
            purgeable: narrow(word::PURGEABLE)?,
            wired: narrow(word::WIRE)?,
            compressor: narrow(word::COMPRESSOR)?,
            internal: narrow(word::INTERNAL)?,
            external: narrow(word::EXTERNAL)?,
            swapins: wide(word::SWAPINS)?,
            swapouts: wide(word::SWAPOUTS)?,
            faults: wide(word::FAULTS)?,
        };
        pages.set_free_count(narrow(word::FREE)?);
        Some(pages)
    }

    /// Takes the kernel's `free_count`, which includes speculative pages.
    /// Set `speculative` first.
    pub fn set_free_count(&mut self, free_count: u64) {
        self.free = free_count.saturating_sub(self.speculative);
    }

    /// Reads what `vm_stat` prints. `None` without its page size.
    #[must_use]
    pub fn parse_vm_stat(text: &[u8]) -> Option<VmPages> {
        let mut pages = VmPages::default();
        for line in lines(text) {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            if name == b"Mach Virtual Memory Statistics" {
                let size = value.strip_prefix(b"(page size of ")?;
                pages.page_bytes = digits(size.strip_suffix(b" bytes)")?)?;
                continue;
            }
            let field = match name {
                b"Pages free" => &mut pages.free,
                b"Pages inactive" => &mut pages.inactive,
                b"Pages speculative" => &mut pages.speculative,
                b"Pages purgeable" => &mut pages.purgeable,
                b"Pages wired down" => &mut pages.wired,
                b"Pages occupied by compressor" => &mut pages.compressor,
                b"Anonymous pages" => &mut pages.internal,
                b"File-backed pages" => &mut pages.external,
                b"Swapins" => &mut pages.swapins,
                b"Swapouts" => &mut pages.swapouts,
                b"\"Translation faults\"" => &mut pages.faults,
                _ => continue,
            };
            *field = digits(value.strip_suffix(b".")?)?;
        }
        (pages.page_bytes > 0).then_some(pages)
    }

    /// Free memory as the reference documents it, in bytes: free, inactive,
    /// purgeable and speculative pages.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let pages = [self.free, self.inactive, self.purgeable, self.speculative];
        self.bytes(pages.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part))?)
    }

    /// Memory in use as Activity Monitor counts it, in bytes: anonymous pages
    /// that are not purgeable, wired pages and the compressor's.
    #[must_use]
    pub fn used_bytes(&self) -> Option<u64> {
        let app = self.internal.saturating_sub(self.purgeable);
        self.bytes(app.checked_add(self.wired)?.checked_add(self.compressor)?)
    }

    /// Wired memory in bytes.
    #[must_use]
    pub fn wired_bytes(&self) -> Option<u64> {
        self.bytes(self.wired)
    }

    /// Memory that compressed pages take, in bytes.
    #[must_use]
    pub fn compressed_bytes(&self) -> Option<u64> {
        self.bytes(self.compressor)
    }

    fn bytes(&self, pages: u64) -> Option<u64> {
        pages.checked_mul(self.page_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = include_bytes!("../../tests/data/macos/vm_stat-16gb.txt");

    #[test]
    fn the_16_gb_machine_has_the_documented_free_figure() {
        let pages = VmPages::parse_vm_stat(TEXT).unwrap();
        // (4518 + 191193 + 630 + 3014) pages of 16384 bytes.
        assert_eq!(pages.free_bytes(), Some(199_355 * 16_384));
        assert_eq!(pages.wired_bytes(), Some(159_117 * 16_384));
        assert_eq!(pages.compressed_bytes(), Some(454_496 * 16_384));
    }

    #[test]
    fn used_is_what_activity_monitor_shows_and_fits_the_machine() {
        let used = VmPages::parse_vm_stat(TEXT).unwrap().used_bytes().unwrap();
        assert_eq!(used, (247_311 - 630 + 159_117 + 454_496) * 16_384);
        assert!(used < 16 << 30);
    }

    #[test]
    fn the_kernels_free_count_gives_the_same_free_figure() {
        let text = VmPages::parse_vm_stat(TEXT).unwrap();
        let mut kernel = VmPages { free: 0, ..text };
        kernel.set_free_count(4_518 + 3_014);
        assert_eq!(kernel, text);
    }

    #[test]
    fn the_kernels_words_give_what_vm_stat_prints() {
        let mut words = [0_u32; REV1_WORDS];
        for (at, value) in [
            (word::FREE, 4_518 + 3_014),
            (word::INACTIVE, 191_193),
            (word::WIRE, 159_117),
            (word::FAULTS, 574_921_966),
            (word::PURGEABLE, 630),
            (word::SPECULATIVE, 3_014),
            (word::SWAPINS, 470_789),
            (word::SWAPOUTS, 929_703),
            (word::COMPRESSOR, 454_496),
            (word::EXTERNAL, 141_843),
            (word::INTERNAL, 247_311),
        ] {
            words[at] = value;
        }
        let pages = VmPages::from_words(&words, 16_384);
        assert_eq!(pages, VmPages::parse_vm_stat(TEXT));
        words[word::FAULTS + 1] = 1;
        let later = VmPages::from_words(&words, 16_384).unwrap();
        assert_eq!(later.faults, (1 << 32) + 574_921_966);
        assert_eq!(VmPages::from_words(&words[..word::INTERNAL], 16_384), None);
    }

    #[test]
    fn what_is_empty_or_cut_is_none_or_partial_but_never_wrong() {
        assert_eq!(VmPages::parse_vm_stat(b""), None);
        assert_eq!(
            VmPages::parse_vm_stat(b"Mach Virtual Memory Statistics: (page size of 163"),
            None
        );
        assert_eq!(VmPages::parse_vm_stat(&TEXT[..TEXT.len() - 3]), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>, words: Vec<u32>, page_bytes: u64, free: u64, internal: u64, wired: u64) {
            let _ = VmPages::parse_vm_stat(&bytes);
            let _ = VmPages::from_words(&words, page_bytes);
            let pages = VmPages { page_bytes, free, internal, wired, ..VmPages::default() };
            let _ = (pages.free_bytes(), pages.used_bytes(), pages.wired_bytes());
        }
    }
}
