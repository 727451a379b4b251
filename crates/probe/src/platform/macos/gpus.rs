//! The GPU through the statistics that its driver publishes.

use std::sync::Arc;

use super::LATER;
use super::sys::iokit::{Entry, Key, services};
use crate::decode::ioaccel::{AccelStats, KEYS};
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::{GPU_QUANTITIES, Sources};

/// One GPU's entry in the registry.
struct Accelerator {
    name: Arc<str>,
    entry: Entry,
}

/// The GPUs, and the strings to ask them with.
pub(super) struct Gpus {
    gpus: Vec<Accelerator>,
    statistics: Key,
    keys: [(&'static str, Key); KEYS.len()],
}

impl Gpus {
    pub(super) fn open(profiles: &mut Vec<GpuProfile>, sources: &mut Sources) -> Gpus {
        let mut gpus = Gpus {
            gpus: Vec::new(),
            statistics: Key::new("PerformanceStatistics"),
            keys: KEYS.map(|key| (key, Key::new(key))),
        };
        let mut first = AccelStats::default();
        for entry in services(c"IOAccelerator") {
            // Some entries of the class are parts of a GPU and publish nothing.
            let stats = gpus.stats(&entry).unwrap_or_default();
            if stats.is_empty() {
                continue;
            }
            let name =
                entry.text("model").or_else(|| entry.class()).unwrap_or_else(|| "GPU".to_owned());
            profiles.push(GpuProfile {
                name: name.clone(),
                driver: entry.text("CFBundleIdentifier"),
                memory_total_bytes: None,
            });
            if gpus.gpus.is_empty() {
                first = stats;
            }
            gpus.gpus.push(Accelerator { name: name.into(), entry });
        }
        gpus.note_sources(&first, sources);
        gpus
    }

    fn note_sources(&self, first: &AccelStats, sources: &mut Sources) {
        if self.gpus.is_empty() {
            let why = "no IOAccelerator with PerformanceStatistics: a virtual machine?";
            sources.all_missing(&GPU_QUANTITIES, why);
            return;
        }
        for (quantity, readable, key) in [
            ("gpu_device_util", first.device_util_pct.is_some(), KEYS[0]),
            ("gpu_renderer_util", first.renderer_util_pct.is_some(), KEYS[1]),
            ("gpu_tiler_util", first.tiler_util_pct.is_some(), KEYS[2]),
            ("gpu_mem_used_gb", first.mem_used_bytes.is_some(), KEYS[3]),
        ] {
            let from = format!("IOAccelerator PerformanceStatistics \"{key}\"");
            let why = format!("this GPU's driver does not publish \"{key}\"");
            sources.note(quantity, readable, from, why);
        }
        sources.all_missing(&["gpu_power_w", "gpu_residency_pct"], LATER);
        sources.missing("gpu_temp_c", "macOS publishes no GPU temperature");
    }

    fn stats(&self, entry: &Entry) -> Option<AccelStats> {
        let dictionary = entry.dictionary(&self.statistics)?;
        Some(AccelStats::from_pairs(
            self.keys.iter().filter_map(|(name, key)| Some((*name, dictionary.integer(key)?))),
        ))
    }

    pub(super) fn read(&self) -> Vec<Gpu> {
        let read = |accelerator: &Accelerator| {
            let stats = self.stats(&accelerator.entry).unwrap_or_default();
            Gpu {
                device_util_pct: stats.device_util_pct,
                renderer_util_pct: stats.renderer_util_pct,
                tiler_util_pct: stats.tiler_util_pct,
                mem_used_bytes: stats.mem_used_bytes,
                ..Gpu::unmeasured(Arc::clone(&accelerator.name))
            }
        };
        self.gpus.iter().map(read).collect()
    }
}
