//! amdgpu's files in sysfs, and what "GPU memory" means on which part.

use super::text::digits;

/// Reads `gpu_busy_percent`. `None` when it is no number from 0 to 100.
#[must_use]
pub fn busy_pct(text: &[u8]) -> Option<f64> {
    let pct = digits(text.trim_ascii())?;
    (pct <= 100).then_some(pct as f64)
}

/// Reads one `mem_info_*` file, in bytes.
#[must_use]
pub fn bytes(text: &[u8]) -> Option<u64> {
    digits(text.trim_ascii())
}

/// A carve-out of system memory is at most this large unless set otherwise.
const SMALL_CARVE_OUT: u64 = 4 << 30;

/// Whether the GPU shares the system's memory (an APU). There the firmware
/// carves out a small "VRAM" and models live in GTT, so both count; a card
/// with memory of its own uses GTT for transfers only.
///
/// The header of `gpu_metrics` says it outright: its format revision is 1 for
/// cards, 2 and 3 for APUs. Where that file is missing (`metrics` is `None`
/// or too short), a VRAM of at most 4 GiB beside a larger GTT decides.
#[must_use]
pub fn is_unified(metrics: Option<&[u8]>, vram_total: u64, gtt_total: u64) -> bool {
    match metrics {
        Some([_, _, revision, _, ..]) => *revision >= 2,
        _ => vram_total <= SMALL_CARVE_OUT && gtt_total > vram_total,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strix_halo(name: &str) -> u64 {
        let text = include_str!("../../tests/data/linux/amdgpu-strix-halo.txt");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        bytes(line.unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn strix_halo_is_unified_with_107_gb() {
        let (vram, gtt) = (strix_halo("mem_info_vram_total"), strix_halo("mem_info_gtt_total"));
        assert!(is_unified(None, vram, gtt));
        assert_eq!(vram + gtt, 107_374_182_400);
    }

    #[test]
    fn a_card_is_not_unified_however_large_its_gtt() {
        assert!(!is_unified(None, 8 << 30, 64 << 30));
        assert!(!is_unified(Some(&[120, 0, 1, 3, 0]), 4 << 30, 64 << 30));
    }

    #[test]
    fn an_apu_with_a_large_carve_out_is_known_by_its_metrics() {
        assert!(is_unified(Some(&[0x68, 0, 3, 0]), 96 << 30, 16 << 30));
        assert!(is_unified(Some(&[0x80, 0, 2, 1]), 512 << 20, 8 << 30));
        assert!(is_unified(Some(&[]), 512 << 20, 8 << 30));
    }

    #[test]
    fn busy_is_a_percentage_or_nothing() {
        assert_eq!(busy_pct(b"0\n"), Some(0.0));
        assert_eq!(busy_pct(b"100\n"), Some(100.0));
        assert_eq!(busy_pct(b"255\n"), None);
        assert_eq!(busy_pct(b""), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(text: Vec<u8>, vram: u64, gtt: u64) {
            let _ = (busy_pct(&text), bytes(&text), is_unified(Some(&text), vram, gtt));
        }
    }
}
