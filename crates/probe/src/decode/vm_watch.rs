//! Fresh memory counters told from repeated ones.
//!
//! The kernel answers `host_statistics64` anew two to ten times a second, as
//! it pleases, for all programs together; whoever asks more often gets the
//! last answer once more. Some of the counters are also sysctls, which are
//! always fresh: with them the free memory is mended where the answer is old.

use super::vm::VmPages;

/// Page counts that are never repeated: the sysctls `vm.page_free_count`,
/// `vm.page_speculative_count` and `vm.page_purgeable_count`. The same
/// variables of the kernel as in [`VmPages`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LivePages {
    /// Free pages, the speculative ones not among them.
    pub free: Option<u64>,
    /// Read ahead on a guess.
    pub speculative: Option<u64>,
    /// May be thrown away by leave of their owners.
    pub purgeable: Option<u64>,
}

/// Remembers the answer before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch {
    before: Option<VmPages>,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The answer repeats the one before; unknown for the first.
    pub stale: Option<bool>,
    /// Free memory, in bytes. Of a repeated answer only the inactive pages are
    /// left, which change slowly next to the free ones.
    pub free_bytes: Option<u64>,
}

impl Watch {
    /// Takes in an answer; asks for the `live` counts only if it is an old one.
    pub fn read(&mut self, pages: &VmPages, live: impl FnOnce() -> LivePages) -> Seen {
        // Faults alone never stand still on a live system.
        let stale = self.before.map(|before| before == *pages);
        self.before = Some(*pages);
        if stale != Some(true) {
            return Seen { stale, free_bytes: pages.free_bytes() };
        }
        let live = live();
        let mended = VmPages {
            free: live.free.unwrap_or(pages.free),
            speculative: live.speculative.unwrap_or(pages.speculative),
            purgeable: live.purgeable.unwrap_or(pages.purgeable),
            ..*pages
        };
        Seen { stale, free_bytes: mended.free_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = include_bytes!("../../tests/data/macos/vm_stat-16gb.txt");
    /// The same machine a while later, from its sysctls.
    const LIVE: LivePages =
        LivePages { free: Some(3_025), speculative: Some(150), purgeable: None };

    #[test]
    fn a_repeated_answer_is_called_stale_and_its_free_memory_is_mended() {
        let pages = VmPages::parse_vm_stat(TEXT).unwrap();
        let mut watch = Watch::default();
        let free = |pages: u64| Some(pages * 16_384);
        let first = watch.read(&pages, || LIVE);
        assert_eq!(first, Seen { stale: None, free_bytes: free(199_355) });
        let second = watch.read(&pages, || LIVE);
        let mended = 3_025 + 150 + 630 + 191_193;
        assert_eq!(second, Seen { stale: Some(true), free_bytes: free(mended) });
        let later = VmPages { faults: pages.faults + 1, ..pages };
        let third = watch.read(&later, || panic!("a fresh answer needs no mending"));
        assert_eq!(third, Seen { stale: Some(false), free_bytes: free(199_355) });
    }

    #[test]
    fn without_the_sysctls_a_stale_answer_stands_as_it_is() {
        let pages = VmPages::parse_vm_stat(TEXT).unwrap();
        let mut watch = Watch::default();
        watch.read(&pages, LivePages::default);
        let second = watch.read(&pages, LivePages::default);
        assert_eq!(second, Seen { stale: Some(true), free_bytes: pages.free_bytes() });
    }

    proptest! {
        #[test]
        fn exactly_the_repeated_answers_are_stale(faults in proptest::collection::vec(0_u64..3, 1..30)) {
            let mut watch = Watch::default();
            let mut before = None;
            for faults in faults {
                let pages = VmPages { page_bytes: 1, faults, ..VmPages::default() };
                let seen = watch.read(&pages, LivePages::default);
                prop_assert_eq!(seen.stale, before.map(|before| before == faults));
                before = Some(faults);
            }
        }
    }
}
