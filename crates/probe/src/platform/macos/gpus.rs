//! The GPU through the statistics that its driver publishes.

use std::sync::Arc;

use super::sys::cf::Key;
use super::sys::iokit::{Entry, services};
use crate::decode::ioaccel::{AccelStats, KEYS};
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::macos::Facts;

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
    pub(super) fn open(profiles: &mut Vec<GpuProfile>, facts: &mut Facts) -> Gpus {
        let mut gpus = Gpus {
            gpus: Vec::new(),
            statistics: Key::new("PerformanceStatistics"),
            keys: KEYS.map(|key| (key, Key::new(key))),
        };
        let mut first = None;
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
            first.get_or_insert(stats);
            gpus.gpus.push(Accelerator { name: name.into(), entry });
        }
        facts.gpu = first;
        gpus
    }

    fn stats(&self, entry: &Entry) -> Option<AccelStats> {
        let dictionary = entry.dictionary(&self.statistics)?;
        Some(AccelStats::from_pairs(
            self.keys.iter().filter_map(|(name, key)| Some((*name, dictionary.integer(key)?))),
        ))
    }

    /// All that the drivers publish, by the name of the driver's class.
    pub(super) fn published(&self) -> Vec<(String, Vec<(String, i64)>)> {
        let published = |gpu: &Accelerator| {
            let class = gpu.entry.class().unwrap_or_default();
            Some((class, gpu.entry.dictionary(&self.statistics)?.integers()))
        };
        self.gpus.iter().filter_map(published).collect()
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
