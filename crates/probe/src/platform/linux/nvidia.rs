//! NVIDIA GPUs through NVML, the driver's own library, loaded at run time.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::file::why;
use crate::decode::nvidia::{self, Answers};
use crate::machine::Roots;
use crate::profile::GpuProfile;
use crate::reading::Gpu;
use crate::sources::Sources;

/// The driver renews utilisation every 1/6 to 1 s and each question to it
/// takes long, so answers are kept for this long when reads come faster.
const KEEP: Duration = Duration::from_millis(50);

/// The library is started once for the whole process: handles to devices
/// borrow from it, and it does not like to be started and stopped.
static NVML: OnceLock<Result<Nvml, String>> = OnceLock::new();

/// One GPU and what it is asked: what a part does not support is asked once.
struct NvidiaGpu {
    device: Device<'static>,
    name: Arc<str>,
    util: bool,
    memory: bool,
    power: bool,
    temp: bool,
    freq: bool,
}

/// All NVIDIA GPUs.
pub(super) struct NvidiaGpus {
    gpus: Vec<NvidiaGpu>,
    kept: Vec<Gpu>,
    asked: Option<Instant>,
}

impl NvidiaGpus {
    /// Finds the GPUs, or takes those of a file; the error says why there are none.
    pub(super) fn open(
        roots: &Roots,
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> Result<NvidiaGpus, String> {
        match &roots.nvml {
            Some(path) => NvidiaGpus::captured(path, profiles, sources),
            None => NvidiaGpus::present(profiles, sources),
        }
    }

    fn present(
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> Result<NvidiaGpus, String> {
        let (nvml, devices) = devices()?;
        let driver = match nvml.sys_driver_version() {
            Ok(version) => format!("nvidia {version}"),
            Err(_) => "nvidia".to_owned(),
        };
        let mut gpus = Vec::new();
        for (index, device) in devices {
            // A GPU that fell off the bus must not hide the others.
            match device {
                Ok(device) => gpus.push(NvidiaGpu::open(device, index, &driver, profiles, sources)),
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

    /// Those of another machine, which answer the same whenever asked.
    fn captured(
        path: &Path,
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> Result<NvidiaGpus, String> {
        let text = std::fs::read_to_string(path).map_err(|error| why(path, &error))?;
        let mut kept = Vec::new();
        for answers in Answers::parse_csv(&text) {
            answers.note(sources);
            profiles.push(profile(&answers, "nvidia"));
            kept.push(answers.gpu(answers.name.as_str().into()));
        }
        if kept.is_empty() {
            return Err(format!("{} names no GPU", path.display()));
        }
        Ok(NvidiaGpus { gpus: Vec::new(), kept, asked: None })
    }

    /// Appends what each GPU says.
    pub(super) fn read(&mut self, into: &mut Vec<Gpu>) {
        if !self.gpus.is_empty() && self.asked.is_none_or(|asked| asked.elapsed() >= KEEP) {
            self.asked = Some(Instant::now());
            self.kept.clear();
            self.kept.extend(self.gpus.iter().map(NvidiaGpu::read));
        }
        into.extend_from_slice(&self.kept);
    }
}

impl NvidiaGpu {
    fn open(
        device: Device<'static>,
        index: u32,
        driver: &str,
        profiles: &mut Vec<GpuProfile>,
        sources: &mut Sources,
    ) -> NvidiaGpu {
        let (answers, supported) = ask(&device, index);
        answers.note(sources);
        profiles.push(profile(&answers, driver));
        let [util, memory, power, temp, freq] = supported;
        NvidiaGpu { name: answers.name.as_str().into(), util, memory, power, temp, freq, device }
    }

    fn read(&self) -> Gpu {
        let device = &self.device;
        let memory = self.memory.then(|| memory(device).ok().flatten()).flatten();
        let value = |asked: bool, question: Question| {
            asked.then(|| question(device).ok().flatten()).flatten()
        };
        Gpu {
            device_util_pct: value(self.util, util),
            mem_used_bytes: memory.map(|(used, _)| used),
            mem_total_bytes: memory.map(|(_, total)| total),
            power_w: value(self.power, power),
            temp_c: value(self.temp, temp),
            freq_mhz: value(self.freq, freq),
            ..Gpu::unmeasured(Arc::clone(&self.name))
        }
    }
}

/// The answers of all GPUs as text, for a capture; the error says why there are none.
pub(super) fn capture() -> Result<String, String> {
    let (_, devices) = devices()?;
    let answers = devices.filter_map(|(index, device)| Some(ask(&device.ok()?, index).0));
    Ok(nvidia::to_csv(&answers.collect::<Vec<_>>()))
}

type Question = fn(&Device<'_>) -> Result<Option<f64>, NvmlError>;

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

fn temp(device: &Device<'_>) -> Result<Option<f64>, NvmlError> {
    Ok(Some(f64::from(device.temperature(TemperatureSensor::Gpu)?)))
}

fn freq(device: &Device<'_>) -> Result<Option<f64>, NvmlError> {
    Ok(Some(f64::from(device.clock_info(Clock::Graphics)?)))
}

/// Asks everything once. Which questions are worth asking again: those that were
/// answered, or failed for a reason that may pass, as of a GPU that is asleep.
fn ask(device: &Device<'_>, index: u32) -> (Answers, [bool; 5]) {
    let mut supported = [true; 5];
    let mut refused = |question: usize, error: &NvmlError| {
        supported[question] = !matches!(error, NvmlError::NotSupported);
        error.to_string()
    };
    let none = || "NVML gives none".to_owned();
    let answers = Answers {
        name: device.name().unwrap_or_else(|_| format!("NVIDIA GPU {index}")),
        util_pct: util(device).map_err(|e| refused(0, &e)).and_then(|v| v.ok_or_else(none)),
        memory_bytes: memory(device).map_err(|e| refused(1, &e)).and_then(|v| v.ok_or_else(none)),
        power_w: power(device).map_err(|e| refused(2, &e)).and_then(|v| v.ok_or_else(none)),
        temp_c: temp(device).map_err(|e| refused(3, &e)).and_then(|v| v.ok_or_else(none)),
        freq_mhz: freq(device).map_err(|e| refused(4, &e)).and_then(|v| v.ok_or_else(none)),
    };
    (answers, supported)
}

fn profile(answers: &Answers, driver: &str) -> GpuProfile {
    GpuProfile {
        name: answers.name.clone(),
        driver: Some(driver.to_owned()),
        memory_total_bytes: answers.memory_bytes.as_ref().ok().map(|(_, total)| *total),
    }
}

/// The library, and each GPU or why it cannot be reached.
type Devices = (&'static Nvml, Box<dyn Iterator<Item = (u32, Result<Device<'static>, NvmlError>)>>);

fn devices() -> Result<Devices, String> {
    let nvml = NVML.get_or_init(load).as_ref().map_err(Clone::clone)?;
    let count = nvml.device_count().map_err(|error| error.to_string())?;
    Ok((nvml, Box::new((0..count).map(|index| (index, nvml.device_by_index(index))))))
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
