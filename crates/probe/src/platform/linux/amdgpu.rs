//! AMD GPUs through amdgpu's files in sysfs.

use std::path::Path;
use std::sync::Arc;

use super::file::{Kept, Scratch, list, why};
use crate::decode::{amdgpu, cpuinfo, hwmon};
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::Sources;

/// One GPU's files.
pub(super) struct AmdGpu {
    name: Arc<str>,
    busy: Option<Kept>,
    vram_used: Option<Kept>,
    /// Only where the GPU shares the system's memory, so that it counts.
    gtt_used: Option<Kept>,
    unified: bool,
    mem_total: Option<u64>,
    power: Option<Kept>,
    temp: Option<Kept>,
    freq: Option<Kept>,
}

impl AmdGpu {
    /// Opens the GPU whose device directory is `device`. `card` is its name
    /// for people, `pci_id` its identity where it has no better name.
    pub(super) fn open(
        device: &Path,
        card: &str,
        pci_id: Option<&str>,
        scratch: &mut Scratch,
        sources: &mut Sources,
    ) -> (AmdGpu, GpuProfile) {
        let mut attribute = |name: &str| Kept::open(device.join(name), scratch);
        let busy = attribute("gpu_busy_percent");
        let vram_used = attribute("mem_info_vram_used");
        let gtt_used = attribute("mem_info_gtt_used");

        let number = |name: &str| amdgpu::bytes(&std::fs::read(device.join(name)).ok()?);
        let vram_total = number("mem_info_vram_total");
        let gtt_total = number("mem_info_gtt_total");
        let metrics = std::fs::read(device.join("gpu_metrics")).ok();
        let unified = match (vram_total, gtt_total) {
            (Some(vram), Some(gtt)) => amdgpu::is_unified(metrics.as_deref(), vram, gtt),
            _ => false,
        };
        let mem_total = match (vram_total, gtt_total) {
            (Some(vram), Some(gtt)) if unified => vram.checked_add(gtt),
            (vram, _) => vram,
        };
        let [power, temp, freq] = open_hwmon(device, scratch);

        let mem_readable = vram_used.is_ok() && (!unified || gtt_used.is_ok());
        let mem_why = || match (&vram_used, &gtt_used) {
            (Err(why), _) | (_, Err(why)) => why.clone(),
            _ => String::new(),
        };
        let mem_from = if unified {
            "mem_info_vram_used + mem_info_gtt_used (shared memory)"
        } else {
            "mem_info_vram_used"
        };
        sources.note("gpu_mem_used_gb", mem_readable, format!("{card} {mem_from}"), mem_why());
        let busy = note(sources, "gpu_device_util", card, busy);
        let power = note(sources, "gpu_power_w", card, power);
        let temp = note(sources, "gpu_temp_c", card, temp);
        let freq = note(sources, "gpu_freq_mhz", card, freq);

        let name = std::fs::read(device.join("product_name"))
            .ok()
            .and_then(|text| cpuinfo::name(&text))
            .unwrap_or_else(|| format!("AMD GPU {}", pci_id.unwrap_or(card)));
        let profile = GpuProfile {
            name: name.clone(),
            driver: Some("amdgpu".to_owned()),
            memory_total_bytes: mem_total,
        };
        let gpu = AmdGpu {
            name: name.into(),
            busy,
            vram_used: vram_used.ok(),
            gtt_used: gtt_used.ok().filter(|_| unified),
            unified,
            mem_total,
            power,
            temp,
            freq,
        };
        (gpu, profile)
    }

    pub(super) fn read(&self, scratch: &mut Scratch) -> Gpu {
        let mut gpu = Gpu::unmeasured(Arc::clone(&self.name));
        let mut value = |file: &Option<Kept>| amdgpu::bytes(file.as_ref()?.read(scratch)?);
        gpu.mem_used_bytes = match (value(&self.vram_used), value(&self.gtt_used)) {
            (Some(vram), Some(gtt)) => vram.checked_add(gtt),
            // One part of shared memory alone would be a wrong figure.
            (vram, None) if !self.unified => vram,
            _ => None,
        };
        gpu.mem_total_bytes = self.mem_total;
        let mut text = |file: &Option<Kept>, decode: fn(&[u8]) -> Option<f64>| {
            decode(file.as_ref()?.read(scratch)?)
        };
        gpu.device_util_pct = text(&self.busy, amdgpu::busy_pct);
        gpu.power_w = text(&self.power, hwmon::watts);
        gpu.temp_c = text(&self.temp, hwmon::celsius);
        gpu.freq_mhz = text(&self.freq, hwmon::megahertz);
        gpu
    }
}

/// Notes where a quantity comes from, or why it does not, and keeps the file.
fn note(
    sources: &mut Sources,
    quantity: &'static str,
    card: &str,
    file: Result<Kept, String>,
) -> Option<Kept> {
    match file {
        Ok(file) => {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            sources.found(quantity, format!("{card} {name}"));
            Some(file)
        }
        Err(why) => {
            sources.missing(quantity, format!("{card}: {why}"));
            None
        }
    }
}

/// Power, temperature and clock from the device's hwmon directory.
fn open_hwmon(device: &Path, scratch: &mut Scratch) -> [Result<Kept, String>; 3] {
    let parent = device.join("hwmon");
    let names = list(&parent).map_err(|error| why(&parent, &error));
    let dir = names.and_then(|names| {
        let first = names.first().ok_or_else(|| format!("{} is empty", parent.display()))?;
        Ok(parent.join(first))
    });
    let mut open = |name: &str| Kept::open(dir.clone()?.join(name), scratch);
    [
        open("power1_average").or_else(|_| open("power1_input")),
        open("temp1_input"),
        open("freq1_input"),
    ]
}
