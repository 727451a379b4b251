//! Memory, swap and pressure.

use super::sys::mach::{Host, page_bytes};
use super::sys::sysctl;
use crate::decode::vm::{REV1_WORDS, VmPages};
use crate::decode::vm_watch::{LivePages, Watch};
use crate::decode::xsw::SwapUsage;
use crate::reading::{Pressure, Reading};
use crate::sources::macos::Facts;

/// What memory needs to remember.
pub(super) struct Memory {
    total: Option<u64>,
    page_bytes: u64,
    watch: Watch,
}

impl Memory {
    pub(super) fn open(host: Option<&Host>, facts: &mut Facts) -> Memory {
        let memory = Memory {
            total: sysctl::integer(c"hw.memsize"),
            page_bytes: page_bytes(),
            watch: Watch::default(),
        };
        facts.ram_total = memory.total.is_some();
        facts.pages = memory.pages(host).is_some();
        facts.swap = swap().is_some();
        facts.pressure = pressure().is_some();
        facts.free_pct = free_pct().is_some();
        memory
    }

    /// What the kernel says of its pages, be it fresh or repeated.
    pub(super) fn pages(&self, host: Option<&Host>) -> Option<VmPages> {
        let mut words = [0; REV1_WORDS];
        VmPages::from_words(host?.vm_words(&mut words)?, self.page_bytes)
    }

    pub(super) fn read(&mut self, host: Option<&Host>, reading: &mut Reading) {
        reading.ram_total_bytes = self.total;
        if let Some(pages) = self.pages(host) {
            let seen = self.watch.read(&pages, live_pages);
            reading.vm_stale = seen.stale;
            reading.ram_free_bytes = seen.free_bytes;
            reading.ram_used_bytes = pages.used_bytes();
            reading.ram_wired_bytes = pages.wired_bytes();
            reading.ram_compressed_bytes = pages.compressed_bytes();
        }
        if let Some(swap) = swap() {
            reading.swap_total_bytes = Some(swap.total);
            reading.swap_used_bytes = Some(swap.used);
        }
        reading.memory_pressure = pressure();
        reading.memory_free_pct = free_pct();
    }
}

fn live_pages() -> LivePages {
    LivePages {
        free: sysctl::integer(c"vm.page_free_count"),
        speculative: sysctl::integer(c"vm.page_speculative_count"),
        purgeable: sysctl::integer(c"vm.page_purgeable_count"),
    }
}

pub(super) fn swap() -> Option<SwapUsage> {
    let mut buffer = [0; size_of::<libc::xsw_usage>()];
    SwapUsage::from_bytes(sysctl::swap_usage(&mut buffer))
}

fn pressure() -> Option<Pressure> {
    let level = sysctl::integer(c"kern.memorystatus_vm_pressure_level")?;
    Pressure::from_level(u32::try_from(level).ok()?)
}

fn free_pct() -> Option<f64> {
    let level = u8::try_from(sysctl::integer(c"kern.memorystatus_level")?).ok()?;
    (level <= 100).then(|| f64::from(level))
}
