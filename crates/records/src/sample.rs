//! One reading of the machine.

use serde::{Deserialize, Serialize};

use crate::head::record;

record! {
    /// One reading of the machine. `ts` was taken before the reading began.
    ///
    /// Rates (CPU, GPU) cover the time since the sample before; gauges (memory,
    /// swap, load) hold until the next one.
    Sample {
        /// Counts the samples of a stream from 0.
        pub seq: u64,
        /// Seconds since the stream began, by the monotonic clock.
        pub elapsed_s: f64,
        /// Microseconds that the reading took.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub read_us: Option<u64>,
        /// Microseconds between the deadline and the start of the reading.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub late_us: Option<u64>,
        /// Deadlines that passed unused since the sample before; absent when none did.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub missed: Option<u64>,
        /// Physical memory.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ram_total_gb: Option<f64>,
        /// Memory that a new program can have without swapping: `MemAvailable` on
        /// Linux; free, inactive, purgeable and speculative pages on macOS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ram_free_gb: Option<f64>,
        /// Memory in use: total less free on Linux; as Activity Monitor counts it on macOS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ram_used_gb: Option<f64>,
        /// Memory that cannot be paged out.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ram_wired_gb: Option<f64>,
        /// Memory that the compressor (macOS) or zswap and zram (Linux) occupy.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ram_compressed_gb: Option<f64>,
        /// Swap in use.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub swap_used_mb: Option<f64>,
        /// Swap that there is.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub swap_total_mb: Option<f64>,
        /// 1 normal, 2 warn, 4 critical.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory_pressure: Option<u8>,
        /// Share of the memory that macOS counts as free (`kern.memorystatus_level`).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub memory_free_pct: Option<f64>,
        /// Load average over one minute.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_1: Option<f64>,
        /// Load average over five minutes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_5: Option<f64>,
        /// Load average over fifteen minutes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_15: Option<f64>,
        /// Time in user code since the sample before, in percent of all cores.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_user: Option<f64>,
        /// Time in the kernel since the sample before, in percent of all cores.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_sys: Option<f64>,
        /// Idle time since the sample before, in percent of all cores.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_idle: Option<f64>,
        /// The mean frequency of the CPU's cores at that moment (Linux; about once a second).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_freq_mhz: Option<f64>,
        /// Power that the CPU drew over the interval.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_power_w: Option<f64>,
        /// The CPU's temperature in °C; the hottest when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cpu_temp_c: Option<f64>,
        /// How busy the GPU was; the busiest one when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_device_util: Option<f64>,
        /// How busy the GPU's renderer was (Apple).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_renderer_util: Option<f64>,
        /// How busy the GPU's tiler was (Apple).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_tiler_util: Option<f64>,
        /// Memory in use by the GPU; the sum when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_mem_used_gb: Option<f64>,
        /// Power that the GPU draws; the sum when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_power_w: Option<f64>,
        /// The GPU's temperature in °C; the hottest when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_temp_c: Option<f64>,
        /// Share of the interval in which the GPU was not idle, exactly (Apple, `IOReport`).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_residency_pct: Option<f64>,
        /// The GPU's mean frequency while it was not idle; the highest when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpu_freq_mhz: Option<f64>,
        /// Power that the neural engine drew over the interval (Apple).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ane_power_w: Option<f64>,
        /// Power that the memory drew over the interval (Apple).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub dram_power_w: Option<f64>,
        /// Thermal pressure, 0 (nominal) to 4.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub thermal_level: Option<u8>,
        /// Each GPU by itself, when there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gpus: Option<Vec<GpuSample>>,
        /// Resident memory of the processes below memmon, summed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_rss_gb: Option<f64>,
        /// The same with shared pages divided among their users (Linux; about once a second).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_pss_gb: Option<f64>,
        /// Physical footprint of the processes below memmon (macOS).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_footprint_gb: Option<f64>,
        /// CPU time of the processes below memmon since the sample before that has this, in
        /// percent of all cores, as `cpu_user` and `cpu_sys` are (about once a second).
        /// Those that ended since count, if one of the others, or memmon, waited for them.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_cpu_pct: Option<f64>,
        /// Processes below memmon.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_procs: Option<u32>,
        /// Processes may be missing from the tree: somebody's orphans run, and whose cannot
        /// be said (macOS, which hands no orphan to memmon; about once a second).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tree_incomplete: Option<bool>,
        /// Zombie processes on the machine (about once a second).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub zombies: Option<u32>,
        /// Memory limit of the control group, the least of its ancestors'.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cgroup_limit_gb: Option<f64>,
        /// Memory that the control group uses.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cgroup_used_gb: Option<f64>,
        /// Memory that can still be had before the limit: what is free below it, and the
        /// group's file cache, which the kernel takes back first.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cgroup_free_gb: Option<f64>,
        /// Swap that the control group uses.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cgroup_swap_mb: Option<f64>,
        /// The kernel answered with the same memory counters as before (macOS limits
        /// how often they are fresh).
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vm_stale: Option<bool>,
    }
}

/// One GPU among several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GpuSample {
    /// The GPU's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How busy it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_util: Option<f64>,
    /// Memory in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_used_gb: Option<f64>,
    /// Power drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// Temperature in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_c: Option<f64>,
}
