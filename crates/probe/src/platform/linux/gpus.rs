//! The GPUs of a Linux machine, whoever made them.

use super::amdgpu::AmdGpu;
use super::file::{Scratch, why};
use super::nvidia::NvidiaGpus;
use crate::decode::uevent::Device;
use crate::machine::Roots;
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::{GPU_QUANTITIES, Sources};

/// All GPUs that can be read: NVIDIA's first, then AMD's.
pub(super) struct Gpus {
    nvidia: Option<NvidiaGpus>,
    amd: Vec<AmdGpu>,
}

impl Gpus {
    pub(super) fn open(
        roots: &Roots,
        scratch: &mut Scratch,
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> Gpus {
        let nvidia = NvidiaGpus::open(roots, profiles, sources);
        let mut amd = Vec::new();
        let mut unread = Vec::new();
        let mut reasons = Vec::new();
        match list_cards(roots) {
            Ok(cards) => {
                for (card, device) in cards {
                    let dir = roots.sys.join("class/drm").join(&card).join("device");
                    let id = device.pci_id.as_deref();
                    match device.driver.as_deref() {
                        Some("amdgpu") => {
                            let (gpu, profile) = AmdGpu::open(&dir, &card, id, scratch, sources);
                            profiles.push(profile);
                            amd.push(gpu);
                        }
                        // NVML has them, or has said why not.
                        Some("nvidia") => {}
                        driver => {
                            let driver = driver.unwrap_or("an unknown driver");
                            reasons.push(format!("{card}: {driver} is not read"));
                            unread.push(GpuProfile {
                                name: id.map_or_else(|| card.clone(), |id| format!("PCI {id}")),
                                driver: device.driver.clone(),
                                memory_total_bytes: None,
                            });
                        }
                    }
                }
                if reasons.is_empty() && amd.is_empty() {
                    reasons.push("no graphics card in /sys/class/drm".to_owned());
                }
            }
            Err(why) => reasons.push(why),
        }
        profiles.append(&mut unread);

        let gpus = Gpus { nvidia: nvidia.map_err(|why| reasons.push(why)).ok(), amd };
        if gpus.nvidia.is_none() && gpus.amd.is_empty() {
            sources.all_missing(&GPU_QUANTITIES, &reasons.join("; "));
        } else {
            let apple = ["gpu_renderer_util", "gpu_tiler_util", "gpu_residency_pct"];
            sources.all_missing(&apple, "only Apple's GPUs report it");
        }
        gpus
    }

    pub(super) fn read(&mut self, scratch: &mut Scratch) -> Vec<Gpu> {
        let mut gpus = Vec::new();
        if let Some(nvidia) = &mut self.nvidia {
            nvidia.read(&mut gpus);
        }
        gpus.extend(self.amd.iter().map(|gpu| gpu.read(scratch)));
        gpus
    }
}

/// The cards in `/sys/class/drm`, in the order of their numbers.
fn list_cards(roots: &Roots) -> Result<Vec<(String, Device)>, String> {
    let dir = roots.sys.join("class/drm");
    let entries = std::fs::read_dir(&dir).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("no {}: no GPU driver loaded", dir.display())
        }
        _ => why(&dir, &error),
    })?;
    let mut cards = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Connectors are called card0-DP-1.
        let Some(number) = name.strip_prefix("card").and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let uevent = std::fs::read(entry.path().join("device/uevent")).unwrap_or_default();
        cards.push((number, name, Device::parse(&uevent)));
    }
    cards.sort_by_key(|(number, ..)| *number);
    Ok(cards.into_iter().map(|(_, name, device)| (name, device)).collect())
}
