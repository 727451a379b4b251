//! What the machine is: the facts that do not change while it is watched.

/// The host, as a reader of the results wants to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostProfile {
    /// Its name in the network.
    pub host: Option<String>,
    /// The maker's name for the machine: `Mac14,6`, or the DMI product name.
    pub model: Option<String>,
    /// The processor: `Apple M2`, `Intel(R) Xeon(R) Processor`.
    pub chip: Option<String>,
    /// Cores.
    pub cores_physical: Option<u32>,
    /// Hardware threads.
    pub cores_logical: Option<u32>,
    /// Memory that the system can use, in bytes.
    pub ram_total_bytes: Option<u64>,
    /// `Debian GNU/Linux 12 (bookworm)`, `macOS 15.1`.
    pub os: Option<String>,
    /// The kernel's release: `6.18.44`, `24.1.0`.
    pub kernel: Option<String>,
    /// Instruction set that this program was built for: `x86_64`, `aarch64`.
    pub arch: String,
    /// The GPUs, in the order of [`Reading::gpus`](crate::Reading::gpus);
    /// those that cannot be read come last.
    pub gpus: Vec<GpuProfile>,
}

/// One GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GpuProfile {
    /// What it is called, or its bus identity where it has no name.
    pub name: String,
    /// The driver, with its version where it has one of its own.
    pub driver: Option<String>,
    /// Memory in bytes; on parts that share the system's memory, as much of
    /// it as they may use.
    pub memory_total_bytes: Option<u64>,
}

impl From<&HostProfile> for records::Machine {
    /// As it stands in records: memory in 10⁹ bytes, to the megabyte.
    fn from(profile: &HostProfile) -> records::Machine {
        let gb = |bytes: u64| records::round(bytes as f64 / 1e9, 3);
        let gpu = |gpu: &GpuProfile| records::GpuInfo {
            name: Some(gpu.name.clone()),
            driver: gpu.driver.clone(),
            memory_total_gb: gpu.memory_total_bytes.map(gb),
        };
        records::Machine {
            model: profile.model.clone(),
            chip: profile.chip.clone(),
            cores_physical: profile.cores_physical,
            cores_logical: profile.cores_logical,
            ram_total_gb: profile.ram_total_bytes.map(gb),
            os: profile.os.clone(),
            kernel: profile.kernel.clone(),
            arch: Some(profile.arch.clone()),
            gpus: profile.gpus.iter().map(gpu).collect(),
        }
    }
}
