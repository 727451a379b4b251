//! Memory, swap and pressure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{Kept, Scratch};
use crate::decode::meminfo::MemInfo;
use crate::decode::psi::{Stalls, Window};
use crate::decode::zram;
use crate::machine::Roots;
use crate::reading::Reading;
use crate::sources::Sources;

/// The files about memory.
pub(super) struct Memory {
    meminfo: Option<Kept>,
    zswap: bool,
    zram: Vec<Kept>,
    pressure: Option<Kept>,
    window: Window,
}

impl Memory {
    /// `group_pressure` is the pressure file of the control group that limits us.
    pub(super) fn open(
        roots: &Roots,
        group_pressure: Option<PathBuf>,
        scratch: &mut Scratch,
        sources: &mut Sources,
    ) -> Memory {
        let zswap = open_zswap(&roots.sys, scratch);
        let zram = open_zram(&roots.sys, scratch);
        Memory {
            meminfo: open_meminfo(roots, scratch, sources, zswap, &zram),
            zswap,
            zram,
            pressure: open_pressure(roots, group_pressure, scratch, sources),
            window: Window::default(),
        }
    }

    /// Memory there is, for the profile.
    pub(super) fn total(&self, scratch: &mut Scratch) -> Option<u64> {
        MemInfo::parse(self.meminfo.as_ref()?.read(scratch)?).total
    }

    /// Goes on from where `earlier` was.
    pub(super) fn resume(&mut self, earlier: &Memory) {
        self.window = earlier.window.clone();
    }

    /// Fills in what the files say; `at` is the time since any fixed moment.
    pub(super) fn read(&mut self, at: Duration, scratch: &mut Scratch, reading: &mut Reading) {
        let mut compressed = None;
        if let Some(text) = self.meminfo.as_ref().and_then(|file| file.read(scratch)) {
            let info = MemInfo::parse(text);
            reading.ram_total_bytes = info.total;
            reading.ram_free_bytes = info.available;
            reading.ram_used_bytes = info.used();
            reading.swap_total_bytes = info.swap_total;
            reading.swap_used_bytes = info.swap_used();
            compressed = info.zswap.filter(|_| self.zswap);
        }
        for device in &self.zram {
            let used = device.read(scratch).and_then(zram::mem_used);
            compressed =
                used.map_or(compressed, |used| Some(compressed.unwrap_or(0).saturating_add(used)));
        }
        reading.ram_compressed_bytes = compressed;

        reading.memory_pressure = self
            .pressure
            .as_ref()
            .and_then(|file| Stalls::parse(file.read(scratch)?))
            .and_then(|stalls| self.window.push(at, stalls));
    }
}

fn open_meminfo(
    roots: &Roots,
    scratch: &mut Scratch,
    sources: &mut Sources,
    zswap: bool,
    zram: &[Kept],
) -> Option<Kept> {
    let result = Kept::open(roots.proc.join("meminfo"), scratch);
    let info = match &result {
        Ok(file) => file.read(scratch).map(MemInfo::parse),
        Err(_) => None,
    }
    .unwrap_or_default();
    let from = |names: &str| format!("/proc/meminfo {names}");
    let lacks = |names: &str| match &result {
        Ok(_) => format!("/proc/meminfo has no {names}"),
        Err(why) => why.clone(),
    };
    for (quantity, readable, names) in [
        ("ram_total_gb", info.total.is_some(), "MemTotal"),
        ("ram_free_gb", info.available.is_some(), "MemAvailable"),
        ("ram_used_gb", info.used().is_some(), "MemTotal - MemAvailable"),
        ("swap_used_mb", info.swap_used().is_some(), "SwapTotal - SwapFree"),
        ("swap_total_mb", info.swap_total.is_some(), "SwapTotal"),
    ] {
        sources.note(quantity, readable, from(names), lacks(names));
    }
    sources.missing("ram_wired_gb", "Linux keeps no such count");
    let mut parts = Vec::new();
    if zswap && info.zswap.is_some() {
        parts.push(from("Zswap"));
    }
    parts.extend(zram.iter().map(|device| device.path.display().to_string()));
    sources.note(
        "ram_compressed_gb",
        !parts.is_empty(),
        parts.join(" + "),
        "neither zswap nor zram is in use",
    );
    result.ok()
}

/// Whether zswap is switched on; its line stands in meminfo either way.
fn open_zswap(sys: &Path, scratch: &mut Scratch) -> bool {
    let path = sys.join("module/zswap/parameters/enabled");
    scratch.read_path(&path).is_ok_and(|text| matches!(text.trim_ascii(), b"Y" | b"1"))
}

/// The zram devices that have been given a size.
fn open_zram(sys: &Path, scratch: &mut Scratch) -> Vec<Kept> {
    let mut devices = Vec::new();
    for index in 0..64 {
        let device = sys.join(format!("block/zram{index}"));
        let Ok(size) = scratch.read_path(&device.join("disksize")) else {
            break;
        };
        if size.trim_ascii() != b"0" {
            devices.extend(Kept::open(device.join("mm_stat"), scratch));
        }
    }
    devices
}

fn open_pressure(
    roots: &Roots,
    group: Option<PathBuf>,
    scratch: &mut Scratch,
    sources: &mut Sources,
) -> Option<Kept> {
    let of_group = group.and_then(|path| Kept::open(path, scratch).ok());
    match of_group.map_or_else(|| Kept::open(roots.proc.join("pressure/memory"), scratch), Ok) {
        Ok(file) => {
            sources.found("memory_pressure", format!("{} total", file.path.display()));
            Some(file)
        }
        Err(why) => {
            let why = format!("{why}: kernel built without CONFIG_PSI or booted with psi=0");
            sources.missing("memory_pressure", why);
            None
        }
    }
}
