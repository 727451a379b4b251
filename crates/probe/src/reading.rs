//! What a read of the machine gives: plain data in base units (bytes, percent
//! from 0 to 100, watts, °C). `None` always means "not measured", never 0.

use std::sync::Arc;

/// The state of the machine at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Memory that the system can use, in bytes.
    pub ram_total_bytes: Option<u64>,
    /// Memory that can be had without swapping, in bytes. Linux:
    /// `MemAvailable`. macOS: free, inactive, purgeable and speculative pages.
    pub ram_free_bytes: Option<u64>,
    /// Memory in use, in bytes. Linux: total less available. macOS: as
    /// Activity Monitor counts it, so free and used do not add up to the total.
    pub ram_used_bytes: Option<u64>,
    /// Memory that cannot be paged out, in bytes (macOS).
    pub ram_wired_bytes: Option<u64>,
    /// Memory that compressed pages take, in bytes. macOS: the compressor.
    /// Linux: zswap's pool and zram's, where in use.
    pub ram_compressed_bytes: Option<u64>,
    /// Swap in use, in bytes.
    pub swap_used_bytes: Option<u64>,
    /// Swap there is, in bytes; 0 is a measured 0.
    pub swap_total_bytes: Option<u64>,
    /// How short of memory the system is. On Linux `None` on the first read.
    pub memory_pressure: Option<Pressure>,
    /// Share of the memory that the system calls free, in percent (macOS).
    pub memory_free_pct: Option<f64>,
    /// Load over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// CPU shares since the previous read. `None` on the first, and when no
    /// tick passed since.
    pub cpu: Option<Cpu>,
    /// Frequency of the CPU in MHz at that moment, the mean over the cores that are
    /// on (Linux). In about one reading a second.
    pub cpu_freq_mhz: Option<f64>,
    /// Power of the CPU since the previous read, in watts; all packages. On
    /// macOS, as the two below, between the driver's two last publications, in
    /// the reading that first shows the second: about every 2 s.
    pub cpu_power_w: Option<f64>,
    /// Temperature of the CPU in °C, the hottest where there are several.
    pub cpu_temp_c: Option<f64>,
    /// Power of the neural engine since the previous read, in watts (macOS).
    pub ane_power_w: Option<f64>,
    /// Power of the memory since the previous read, in watts (macOS; on Linux
    /// where RAPL counts it and may be read).
    pub dram_power_w: Option<f64>,
    /// One entry for each GPU, in a fixed order.
    pub gpus: Vec<Gpu>,
    /// Thermal pressure, 0 (none) to 4 (macOS).
    pub thermal_level: Option<u8>,
    /// The control group that this process is in, where memory is accounted.
    pub cgroup: Option<Cgroup>,
    /// The kernel repeated its previous memory counters instead of counting
    /// anew, as it does for those who ask often (macOS; `None` on the first).
    pub vm_stale: Option<bool>,
}

/// How short of memory the system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pressure {
    /// No shortage.
    Normal = 1,
    /// Work is held up: on Linux some task stalled for at least
    /// [`WARN_SOME_PCT`](crate::decode::psi::WARN_SOME_PCT) of the time.
    Warn = 2,
    /// Work stands still: on Linux all tasks stalled for at least
    /// [`CRITICAL_FULL_PCT`](crate::decode::psi::CRITICAL_FULL_PCT) of the time.
    Critical = 4,
}

impl Pressure {
    /// The number on the wire: 1, 2 or 4.
    #[must_use]
    pub fn level(self) -> u8 {
        self as u8
    }

    /// From the number: macOS's `kern.memorystatus_vm_pressure_level` uses the
    /// same ones. `None` for any other.
    #[must_use]
    pub fn from_level(level: u32) -> Option<Pressure> {
        match level {
            1 => Some(Pressure::Normal),
            2 => Some(Pressure::Warn),
            4 => Some(Pressure::Critical),
            _ => None,
        }
    }
}

/// Shares of the time of all cores together, in percent. Time that a
/// hypervisor took is in the total only, so they may add up to less than 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cpu {
    /// User code, niced or not, guests included.
    pub user_pct: f64,
    /// The kernel, interrupts included.
    pub sys_pct: f64,
    /// Nothing to do, or waiting for a device.
    pub idle_pct: f64,
}

/// One GPU at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// What it is called; the same in every reading and in the host profile.
    pub name: Arc<str>,
    /// Share of the time in which it worked, in percent. On macOS since
    /// anyone's last read, on NVIDIA over the driver's own period (1/6–1 s).
    pub device_util_pct: Option<f64>,
    /// The renderer's part, in percent (macOS).
    pub renderer_util_pct: Option<f64>,
    /// The tiler's part, in percent (macOS).
    pub tiler_util_pct: Option<f64>,
    /// Memory in use, in bytes; on parts that share the system's memory the
    /// shared part is included.
    pub mem_used_bytes: Option<u64>,
    /// Memory there is, in bytes.
    pub mem_total_bytes: Option<u64>,
    /// Power in watts.
    pub power_w: Option<f64>,
    /// Temperature in °C.
    pub temp_c: Option<f64>,
    /// Share of the time in an active state, exact, in percent.
    pub residency_pct: Option<f64>,
    /// Frequency in MHz. macOS: the mean while it was in an active state.
    /// Linux: that of the moment.
    pub freq_mhz: Option<f64>,
}

impl Gpu {
    /// A GPU of which nothing has been measured yet.
    #[must_use]
    pub fn unmeasured(name: Arc<str>) -> Gpu {
        Gpu {
            name,
            device_util_pct: None,
            renderer_util_pct: None,
            tiler_util_pct: None,
            mem_used_bytes: None,
            mem_total_bytes: None,
            power_w: None,
            temp_c: None,
            residency_pct: None,
            freq_mhz: None,
        }
    }
}

/// Memory of the control group that limits this process most, or of its own
/// where none is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cgroup {
    /// The smallest limit among the group and those above it, in bytes;
    /// `None` when there is no limit.
    pub limit_bytes: Option<u64>,
    /// Memory charged to the group that has this limit, in bytes.
    pub used_bytes: Option<u64>,
    /// What is left below the limit, in bytes, its file cache counted as left;
    /// `None` without a limit.
    pub free_bytes: Option<u64>,
    /// Swap charged to the group, in bytes.
    pub swap_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_has_the_numbers_of_the_wire() {
        for pressure in [Pressure::Normal, Pressure::Warn, Pressure::Critical] {
            assert_eq!(Pressure::from_level(pressure.level().into()), Some(pressure));
        }
        assert_eq!(Pressure::from_level(0), None);
        assert_eq!(Pressure::from_level(3), None);
    }
}
