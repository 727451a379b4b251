//! NVIDIA GPUs through NVML, the driver's own library, loaded at run time.

use std::ffi::OsStr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use crate::decode::nvidia;
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::Sources;

/// The driver renews utilisation every 1/6 to 1 s and each question to it
/// takes long, so answers are kept for this long when reads come faster.
const KEEP: Duration = Duration::from_millis(50);

/// The library is started once for the whole process: handles to devices
/// borrow from it, and it does not like to be started and stopped.
static NVML: OnceLock<Result<Nvml, String>> = OnceLock::new();

/// One GPU and what it answers to.
struct NvidiaGpu {
    device: Device<'static>,
    name: Arc<str>,
    util: bool,
    memory: bool,
    power: bool,
    temp: bool,
}

/// All NVIDIA GPUs.
pub(super) struct NvidiaGpus {
    gpus: Vec<NvidiaGpu>,
    kept: Vec<Gpu>,
    asked: Option<Instant>,
}

impl NvidiaGpus {
    /// Finds the GPUs; the error says why there are none.
    pub(super) fn open(
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> Result<NvidiaGpus, String> {
        let nvml = NVML.get_or_init(load).as_ref().map_err(Clone::clone)?;
        let count = nvml.device_count().map_err(|error| error.to_string())?;
        let driver = match nvml.sys_driver_version() {
            Ok(version) => format!("nvidia {version}"),
            Err(_) => "nvidia".to_owned(),
        };
        let mut gpus = Vec::new();
        for index in 0..count {
            // A GPU that fell off the bus must not hide the others.
            match nvml.device_by_index(index) {
                Ok(device) => gpus.push(open_gpu(device, index, &driver, profiles, sources)),
                Err(error) => {
                    sources.missing("gpu_device_util", format!("NVIDIA GPU {index}: {error}"));
                }
            }
        }
        if gpus.is_empty() {
            return Err("NVML knows no GPU".to_owned());
        }
        Ok(NvidiaGpus { gpus, kept: Vec::new(), asked: None })
    }

    /// Appends what each GPU says.
    pub(super) fn read(&mut self, into: &mut Vec<Gpu>) {
        if self.asked.is_none_or(|asked| asked.elapsed() >= KEEP) {
            self.asked = Some(Instant::now());
            self.kept.clear();
            self.kept.extend(self.gpus.iter().map(NvidiaGpu::read));
        }
        into.extend_from_slice(&self.kept);
    }
}

impl NvidiaGpu {
    fn read(&self) -> Gpu {
        let mut gpu = Gpu::unmeasured(Arc::clone(&self.name));
        if self.util {
            gpu.device_util_pct = util(&self.device).ok().flatten();
        }
        if self.memory
            && let Ok(Some((used, total))) = memory(&self.device)
        {
            gpu.mem_used_bytes = Some(used);
            gpu.mem_total_bytes = Some(total);
        }
        if self.power {
            gpu.power_w = power(&self.device).ok().flatten();
        }
        if self.temp {
            gpu.temp_c = temp(&self.device).ok();
        }
        gpu
    }
}

fn util(device: &Device<'_>) -> Result<Option<f64>, NvmlError> {
    Ok(nvidia::util_pct(device.utilization_rates()?.gpu))
}

fn memory(device: &Device<'_>) -> Result<Option<(u64, u64)>, NvmlError> {
    let info = device.memory_info()?;
    Ok(nvidia::memory(info.used, info.total))
}

fn power(device: &Device<'_>) -> Result<Option<f64>, NvmlError> {
    Ok(nvidia::watts(device.power_usage()?))
}

fn temp(device: &Device<'_>) -> Result<f64, NvmlError> {
    Ok(f64::from(device.temperature(TemperatureSensor::Gpu)?))
}

fn load() -> Result<Nvml, String> {
    // The plain name belongs to development packages; drivers install this one.
    Nvml::builder()
        .lib_path(OsStr::new("libnvidia-ml.so.1"))
        .init()
        .or_else(|_| Nvml::init())
        .map_err(|error| match error {
            NvmlError::LibloadingError(_) => "no libnvidia-ml.so.1: no NVIDIA driver".to_owned(),
            error => format!("NVML: {error}"),
        })
}

/// Asks each question once, so that what a part does not support is said once
/// and not asked again.
fn open_gpu(
    device: Device<'static>,
    index: u32,
    driver: &str,
    profiles: &mut Vec<GpuProfile>,
    sources: &mut Sources,
) -> NvidiaGpu {
    let name = device.name().unwrap_or_else(|_| format!("NVIDIA GPU {index}"));
    let (util, memory, power, temp) =
        (util(&device), memory(&device), power(&device), temp(&device).map(Some));
    profiles.push(GpuProfile {
        name: name.clone(),
        driver: Some(driver.to_owned()),
        memory_total_bytes: memory.as_ref().ok().and_then(|m| m.map(|(_, total)| total)),
    });
    NvidiaGpu {
        name: name.as_str().into(),
        util: note(sources, "gpu_device_util", &name, "utilization", &util),
        memory: note(sources, "gpu_mem_used_gb", &name, "memory", &memory),
        power: note(sources, "gpu_power_w", &name, "power", &power),
        temp: note(sources, "gpu_temp_c", &name, "temperature", &temp),
        device,
    }
}

/// Notes the answer to a first question; true if it is worth asking again.
fn note<T>(
    sources: &mut Sources,
    quantity: &'static str,
    name: &str,
    what: &str,
    answer: &Result<Option<T>, NvmlError>,
) -> bool {
    let why = match answer {
        Ok(Some(_)) => {
            sources.found(quantity, format!("NVML {what} of {name}"));
            return true;
        }
        Ok(None) => format!("{name}: NVML gives no {what}"),
        Err(error) => format!("{name}: {error}"),
    };
    sources.missing(quantity, why);
    // Anything else may pass: a GPU that is busy, or asleep.
    !matches!(answer, Err(NvmlError::NotSupported))
}
