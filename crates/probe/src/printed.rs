//! What a Mac said, as the text of the tools that print it: so that a
//! stranger's machine becomes a test. Each text is read back by its decoder.

use std::fmt::Write;

use crate::decode::dvfs::GPU_TABLES;
use crate::decode::vm::VmPages;
use crate::decode::xsw::SwapUsage;

/// As `ioreg` prints the statistics of GPU drivers, by the names of their
/// classes, and the power manager's frequency table of the GPU.
pub(crate) fn ioreg(gpus: &[(String, Vec<(String, i64)>)], gpu_table: Option<&[u8]>) -> String {
    let mut text = String::new();
    for (class, pairs) in gpus {
        // A quote would end the key; there has been none.
        let pairs = pairs.iter().filter(|(key, _)| !key.contains('"'));
        let pairs: Vec<String> = pairs.map(|(key, value)| format!("\"{key}\"={value}")).collect();
        let _ = writeln!(text, "+-o {class}  <class {class}>");
        let _ = writeln!(text, "      \"PerformanceStatistics\" = {{{}}}", pairs.join(","));
    }
    if let Some(table) = gpu_table {
        let digits: String = table.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(text, "+-o pmgr\n      \"{}\" = <{digits}>", GPU_TABLES[0]);
    }
    text
}

/// As `vm_stat` prints it, as far as it is read.
pub(crate) fn vm_stat(pages: &VmPages) -> String {
    let mut text =
        format!("Mach Virtual Memory Statistics: (page size of {} bytes)\n", pages.page_bytes);
    for (name, count) in [
        ("Pages free", pages.free),
        ("Pages inactive", pages.inactive),
        ("Pages speculative", pages.speculative),
        ("Pages wired down", pages.wired),
        ("Pages purgeable", pages.purgeable),
        ("\"Translation faults\"", pages.faults),
        ("File-backed pages", pages.external),
        ("Anonymous pages", pages.internal),
        ("Pages occupied by compressor", pages.compressor),
        ("Swapins", pages.swapins),
        ("Swapouts", pages.swapouts),
    ] {
        let _ = writeln!(text, "{:<30}{count:>11}.", format!("{name}:"));
    }
    text
}

/// As `sysctl vm.swapusage` prints it.
pub(crate) fn swap_usage(swap: &SwapUsage) -> String {
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let (total, used) = (mib(swap.total), mib(swap.used));
    let free = mib(swap.total.saturating_sub(swap.used));
    format!("vm.swapusage: total = {total:.2}M  used = {used:.2}M  free = {free:.2}M\n")
}

/// As `sysctl vm.loadavg` prints it.
pub(crate) fn load([one, five, fifteen]: [f64; 3]) -> String {
    format!("vm.loadavg: {{ {one:.2} {five:.2} {fifteen:.2} }}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{dvfs, ioaccel};
    use proptest::prelude::*;

    #[test]
    fn a_real_capture_is_written_as_it_was_read() {
        let real = include_str!("../tests/data/macos/ioreg-m1max-macos12.txt");
        let pairs = ioaccel::parse_ioreg(real);
        let owned = pairs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        let text = ioreg(&[("AGXAcceleratorG13X".to_owned(), owned)], Some(&[1, 0xab]));
        assert_eq!(ioaccel::parse_ioreg(&text), pairs);
        assert_eq!(dvfs::parse_ioreg(&text), Some(vec![1, 0xab]));
        assert!(ioaccel::parse_ioreg(&ioreg(&[], None)).is_empty());

        let real = include_bytes!("../tests/data/macos/vm_stat-16gb.txt");
        let pages = VmPages::parse_vm_stat(real).unwrap();
        assert!(vm_stat(&pages).contains("Pages free:                          4518.\n"));

        let real = include_str!("../tests/data/macos/sysctl.txt").lines().next().unwrap();
        let swap = SwapUsage::parse(real.as_bytes()).unwrap();
        assert!(real.starts_with(swap_usage(&swap).trim_end()));

        assert_eq!(load([1.5, 12.345, 0.0]), "vm.loadavg: { 1.50 12.35 0.00 }\n");
    }

    proptest! {
        #[test]
        fn any_counts_are_read_back(
            counts: [u32; 8],
            wide: [u64; 3],
            values in proptest::collection::vec(("[a-zA-Z%() ]{1,12}", any::<i64>()), 0..6),
            table: Vec<u8>,
        ) {
            let [free, inactive, speculative, purgeable, wired, compressor, internal, external] =
                counts.map(u64::from);
            let [swapins, swapouts, faults] = wide;
            let pages = VmPages {
                page_bytes: 16_384,
                free,
                inactive,
                speculative,
                purgeable,
                wired,
                compressor,
                internal,
                external,
                swapins,
                swapouts,
                faults,
            };
            prop_assert_eq!(VmPages::parse_vm_stat(vm_stat(&pages).as_bytes()), Some(pages));

            let text = ioreg(&[("AGX".to_owned(), values.clone())], Some(&table));
            let read: Vec<(String, i64)> = ioaccel::parse_ioreg(&text)
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            prop_assert_eq!(read, values);
            prop_assert_eq!(dvfs::parse_ioreg(&text), Some(table));
        }

        #[test]
        fn swap_is_read_back_to_a_hundredth_of_a_mib(total in 0_u64..1 << 50, part in 0.0..=1.0) {
            let used = (total as f64 * part) as u64;
            let read = SwapUsage::parse(swap_usage(&SwapUsage { total, used }).as_bytes()).unwrap();
            let hundredth = 10_486;
            prop_assert!(read.total.abs_diff(total) <= hundredth);
            prop_assert!(read.used.abs_diff(used) <= hundredth);
        }
    }
}
