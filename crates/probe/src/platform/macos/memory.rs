//! Memory, swap and pressure.

use super::sys::mach::{Host, page_bytes};
use super::sys::sysctl;
use crate::decode::vm::{REV1_WORDS, VmPages};
use crate::decode::xsw::SwapUsage;
use crate::reading::{Pressure, Reading};
use crate::sources::Sources;

/// What memory needs to remember.
pub(super) struct Memory {
    total: Option<u64>,
    page_bytes: u64,
    before: Option<VmPages>,
}

impl Memory {
    pub(super) fn open(host: Option<&Host>, sources: &mut Sources) -> Memory {
        let memory = Memory {
            total: sysctl::integer(c"hw.memsize"),
            page_bytes: page_bytes(),
            before: None,
        };
        sources.note(
            "ram_total_gb",
            memory.total.is_some(),
            "sysctl hw.memsize",
            "no sysctl hw.memsize",
        );
        let pages = memory.pages(host).is_some();
        for (quantity, what) in [
            ("ram_free_gb", "free + inactive + purgeable + speculative"),
            ("ram_used_gb", "internal - purgeable + wired + compressor"),
            ("ram_wired_gb", "wired"),
            ("ram_compressed_gb", "compressor"),
            ("vm_stale", "all counters repeated"),
        ] {
            let from = format!("host_statistics64(HOST_VM_INFO64) {what}");
            sources.note(quantity, pages, from, "host_statistics64 failed");
        }
        for quantity in ["swap_used_mb", "swap_total_mb"] {
            let from = "sysctl vm.swapusage";
            sources.note(quantity, swap().is_some(), from, "no sysctl vm.swapusage");
        }
        sources.note(
            "memory_pressure",
            pressure().is_some(),
            "sysctl kern.memorystatus_vm_pressure_level",
            "no sysctl kern.memorystatus_vm_pressure_level",
        );
        memory
    }

    fn pages(&self, host: Option<&Host>) -> Option<VmPages> {
        let mut words = [0; REV1_WORDS];
        VmPages::from_words(host?.vm_words(&mut words)?, self.page_bytes)
    }

    pub(super) fn read(&mut self, host: Option<&Host>, reading: &mut Reading) {
        reading.ram_total_bytes = self.total;
        if let Some(pages) = self.pages(host) {
            reading.ram_free_bytes = pages.free_bytes();
            reading.ram_used_bytes = pages.used_bytes();
            reading.ram_wired_bytes = pages.wired_bytes();
            reading.ram_compressed_bytes = pages.compressed_bytes();
            // The kernel answers a frequent asker with a copy of its last
            // answer; faults alone never stand still on a live system.
            reading.vm_stale = self.before.map(|before| before == pages);
            self.before = Some(pages);
        }
        if let Some(swap) = swap() {
            reading.swap_total_bytes = Some(swap.total);
            reading.swap_used_bytes = Some(swap.used);
        }
        reading.memory_pressure = pressure();
    }
}

fn swap() -> Option<SwapUsage> {
    let mut buffer = [0; size_of::<libc::xsw_usage>()];
    SwapUsage::from_bytes(sysctl::swap_usage(&mut buffer))
}

fn pressure() -> Option<Pressure> {
    let level = sysctl::integer(c"kern.memorystatus_vm_pressure_level")?;
    Pressure::from_level(u32::try_from(level).ok()?)
}
