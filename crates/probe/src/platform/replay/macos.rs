//! Texts that a Mac's own tools printed: `ioreg`, `vm_stat`, `sysctl`; and
//! IOReport's channels, as a dump has them. What a file holds is told by its text,
//! not by its name.

use std::path::Path;

use super::ioreport::Played;
use super::{Moment, Replay};
use crate::decode::dvfs;
use crate::decode::ioaccel::{AccelStats, parse_ioreg};
use crate::decode::ioreport::{Sample, text};
use crate::decode::vm::VmPages;
use crate::decode::xsw::SwapUsage;
use crate::profile::{GpuProfile, HostProfile};
use crate::reading::{Gpu, Pressure, Reading};
use crate::sources::{GPU_QUANTITIES, QUANTITIES, Sources};

/// Plays the texts; `None` when not one is understood.
pub(super) fn play(moments: &[Moment]) -> Option<Replay> {
    let mut replay = Replay {
        profile: HostProfile::default(),
        sources: Sources::default(),
        readings: Vec::new(),
        zombies: None,
    };
    let mut pages: Option<VmPages> = None;
    let mut played = Played::default();
    for moment in moments {
        let mut texts = Texts::default();
        for path in files(&moment.dir) {
            texts.take(&path);
        }
        played.add_to(&mut texts);
        if let (Some(before), Some(pages)) = (pages, texts.pages) {
            texts.reading.vm_stale = Some(before == pages);
            texts.sources.found("vm_stale", "all counters repeated");
        }
        pages = texts.pages;
        replay.profile = texts.profile;
        replay.sources = texts.sources;
        replay.readings.push(texts.reading);
    }
    if replay.sources.found.is_empty() {
        return None;
    }
    let found: Vec<&str> = replay.sources.found.iter().map(|found| found.quantity).collect();
    let rest: Vec<&'static str> = QUANTITIES
        .into_iter()
        .chain(GPU_QUANTITIES)
        .filter(|quantity| !found.contains(quantity))
        .collect();
    replay.sources.all_missing(&rest, "not in this capture");
    Some(replay)
}

/// The files of a folder, in the order of their names.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// What the texts of one moment say.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) profile: HostProfile,
    sources: Sources,
    pub(super) reading: Reading,
    pages: Option<VmPages>,
    pub(super) samples: Vec<Sample>,
    pub(super) gpu_table: Option<Vec<u8>>,
}

/// What a GPU is called that comes without a name.
pub(super) const GPU: &str = "Apple GPU";

impl Texts {
    fn take(&mut self, path: &Path) {
        let Ok(text) = std::fs::read_to_string(path) else {
            return;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(table) = dvfs::parse_ioreg(&text) {
            self.gpu_table = Some(table);
        }
        let samples = text::parse(&text);
        if text.contains("\"PerformanceStatistics\"") {
            self.accelerator(&text, &name);
        } else if !samples.is_empty() {
            self.samples = samples;
        } else if let Some(pages) = VmPages::parse_vm_stat(text.as_bytes()) {
            self.pages(pages, &name);
        } else {
            for line in text.lines() {
                self.sysctl(line, &name);
            }
        }
    }

    fn accelerator(&mut self, text: &str, file: &str) {
        let stats = AccelStats::from_pairs(parse_ioreg(text));
        if stats.is_empty() {
            return;
        }
        self.profile.gpus.push(GpuProfile { name: GPU.to_owned(), ..GpuProfile::default() });
        for (quantity, is_there) in [
            ("gpu_device_util", stats.device_util_pct.is_some()),
            ("gpu_renderer_util", stats.renderer_util_pct.is_some()),
            ("gpu_tiler_util", stats.tiler_util_pct.is_some()),
            ("gpu_mem_used_gb", stats.mem_used_bytes.is_some()),
        ] {
            self.note(quantity, is_there, file);
        }
        self.reading.gpus.push(Gpu {
            device_util_pct: stats.device_util_pct,
            renderer_util_pct: stats.renderer_util_pct,
            tiler_util_pct: stats.tiler_util_pct,
            mem_used_bytes: stats.mem_used_bytes,
            ..Gpu::unmeasured(GPU.into())
        });
    }

    fn pages(&mut self, pages: VmPages, file: &str) {
        let reading = &mut self.reading;
        reading.ram_free_bytes = pages.free_bytes();
        reading.ram_used_bytes = pages.used_bytes();
        reading.ram_wired_bytes = pages.wired_bytes();
        reading.ram_compressed_bytes = pages.compressed_bytes();
        self.pages = Some(pages);
        for quantity in ["ram_free_gb", "ram_used_gb", "ram_wired_gb", "ram_compressed_gb"] {
            self.note(quantity, true, file);
        }
    }

    /// One line as `sysctl NAME` prints it.
    fn sysctl(&mut self, line: &str, file: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim();
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match name {
            "hw.memsize" => {
                self.profile.ram_total_bytes = value.parse().ok();
                self.reading.ram_total_bytes = self.profile.ram_total_bytes;
                self.note("ram_total_gb", self.reading.ram_total_bytes.is_some(), file);
            }
            "hw.model" => self.profile.model = text(),
            "hw.physicalcpu" => self.profile.cores_physical = value.parse().ok(),
            "hw.logicalcpu" => self.profile.cores_logical = value.parse().ok(),
            "machdep.cpu.brand_string" => self.profile.chip = text(),
            "kern.osrelease" => self.profile.kernel = text(),
            "kern.osproductversion" => self.profile.os = text().map(|os| format!("macOS {os}")),
            "vm.swapusage" => {
                let swap = SwapUsage::parse(line.as_bytes());
                self.reading.swap_used_bytes = swap.map(|swap| swap.used);
                self.reading.swap_total_bytes = swap.map(|swap| swap.total);
                for quantity in ["swap_used_mb", "swap_total_mb"] {
                    self.note(quantity, swap.is_some(), file);
                }
            }
            "vm.loadavg" => {
                let braces: &[char] = &['{', '}', ' '];
                let loads = value.trim_matches(braces).split(' ').map(str::parse);
                let loads: Option<Vec<f64>> = loads.collect::<Result<_, _>>().ok();
                self.reading.load = loads.and_then(|loads| loads.try_into().ok());
                for quantity in ["load_1", "load_5", "load_15"] {
                    self.note(quantity, self.reading.load.is_some(), file);
                }
            }
            "kern.memorystatus_vm_pressure_level" => {
                self.reading.memory_pressure = value.parse().ok().and_then(Pressure::from_level);
                self.note("memory_pressure", self.reading.memory_pressure.is_some(), file);
            }
            "kern.memorystatus_level" => {
                let pct = value.parse().ok().filter(|pct| (0.0..=100.0).contains(pct));
                self.reading.memory_free_pct = pct;
                self.note("memory_free_pct", pct.is_some(), file);
            }
            _ => {}
        }
    }

    pub(super) fn note(&mut self, quantity: &'static str, is_there: bool, file: &str) {
        let is_known = self.sources.found.iter().any(|found| found.quantity == quantity);
        if is_there && !is_known {
            self.sources.found(quantity, file);
        }
    }
}
