//! Where each quantity comes from on this machine, and why one is missing:
//! what the `stream` record tells its readers once.

#[cfg(any(target_os = "macos", test))]
pub(crate) mod macos;

/// The quantities that can be read here and those that cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// What is measured, and from what.
    pub found: Vec<Found>,
    /// What is not measured, and why.
    pub missing: Vec<Missing>,
}

/// A quantity that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The record's field, such as `ram_free_gb`.
    pub quantity: &'static str,
    /// What it is read from, such as `/proc/meminfo MemAvailable`.
    pub from: String,
}

/// A quantity that is not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The record's field, such as `gpu_power_w`.
    pub quantity: &'static str,
    /// Why, for people.
    pub why: String,
}

/// All fields but those that a GPU fills.
pub(crate) const QUANTITIES: [&str; 33] = [
    "ram_total_gb",
    "ram_free_gb",
    "ram_used_gb",
    "ram_wired_gb",
    "ram_compressed_gb",
    "swap_used_mb",
    "swap_total_mb",
    "memory_pressure",
    "memory_free_pct",
    "load_1",
    "load_5",
    "load_15",
    "cpu_user",
    "cpu_sys",
    "cpu_idle",
    "cpu_freq_mhz",
    "cpu_power_w",
    "cpu_temp_c",
    "ane_power_w",
    "dram_power_w",
    "thermal_level",
    "tree_rss_gb",
    "tree_pss_gb",
    "tree_footprint_gb",
    "tree_cpu_pct",
    "tree_procs",
    "tree_incomplete",
    "zombies",
    "cgroup_limit_gb",
    "cgroup_used_gb",
    "cgroup_free_gb",
    "cgroup_swap_mb",
    "vm_stale",
];

/// The fields that a GPU fills.
pub(crate) const GPU_QUANTITIES: [&str; 8] = [
    "gpu_device_util",
    "gpu_renderer_util",
    "gpu_tiler_util",
    "gpu_mem_used_gb",
    "gpu_power_w",
    "gpu_temp_c",
    "gpu_residency_pct",
    "gpu_freq_mhz",
];

impl Sources {
    /// Notes that `quantity` is read from `from`.
    #[allow(dead_code, reason = "on an unsupported system nothing is found")]
    pub(crate) fn found(&mut self, quantity: &'static str, from: impl Into<String>) {
        self.found.push(Found { quantity, from: from.into() });
    }

    /// Notes that `quantity` is missing because of `why`.
    pub(crate) fn missing(&mut self, quantity: &'static str, why: impl Into<String>) {
        self.missing.push(Missing { quantity, why: why.into() });
    }

    /// Notes one or the other.
    #[allow(dead_code, reason = "as above")]
    pub(crate) fn note(
        &mut self,
        quantity: &'static str,
        readable: bool,
        from: impl Into<String>,
        why: impl Into<String>,
    ) {
        if readable {
            self.found(quantity, from);
        } else {
            self.missing(quantity, why);
        }
    }

    /// Notes that all of `quantities` are missing for the same reason.
    pub(crate) fn all_missing(&mut self, quantities: &[&'static str], why: &str) {
        for quantity in quantities {
            self.missing(quantity, why);
        }
    }
}
