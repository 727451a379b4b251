//! Systems that nothing is known about: everything is missing, and said so.

use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::Reading;
use crate::sources::{GPU_QUANTITIES, Sources};
use crate::tree::TreeReading;

const OTHERS: [&str; 30] = [
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
    "cpu_power_w",
    "cpu_temp_c",
    "ane_power_w",
    "dram_power_w",
    "thermal_level",
    "tree_rss_gb",
    "tree_pss_gb",
    "tree_footprint_gb",
    "tree_procs",
    "zombies",
    "cgroup_limit_gb",
    "cgroup_used_gb",
    "cgroup_free_gb",
    "cgroup_swap_mb",
    "vm_stale",
];

/// No sensors.
pub(crate) struct Sensors;

impl Sensors {
    pub(crate) fn open(_: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        profile.arch = std::env::consts::ARCH.to_owned();
        profile.os = Some(std::env::consts::OS.to_owned());
        let why = format!("{} is not supported", std::env::consts::OS);
        sources.all_missing(&OTHERS, &why);
        sources.all_missing(&GPU_QUANTITIES, &why);
        Sensors
    }

    pub(crate) fn read(&mut self) -> Reading {
        Reading::default()
    }
}

/// A tree that cannot be seen.
pub(crate) struct Tree;

impl Tree {
    pub(crate) fn new(_: &Roots, _: i32, _: bool) -> Tree {
        Tree
    }

    pub(crate) fn read(&mut self, _: bool) -> TreeReading {
        TreeReading::default()
    }

    pub(crate) fn zombies(&mut self) -> Option<u32> {
        None
    }
}

/// Processes that cannot be listed.
pub(crate) struct Census;

impl Census {
    pub(crate) fn new(_: &Roots) -> Census {
        Census
    }

    pub(crate) fn zombies(&mut self) -> Option<u32> {
        None
    }
}
