//! What is said of the sources on macOS, from what was found there. Apart from
//! the finding, so that no quantity is forgotten on any machine.

use super::Sources;
use crate::decode::ioaccel::{AccelStats, DEVICE_UTIL, MEM_USED, RENDERER_UTIL, TILER_UTIL};
use crate::decode::ioreport::energy::Part;

/// What this machine has. The default is a machine that has nothing.
pub(crate) struct Facts {
    pub(crate) ram_total: bool,
    pub(crate) pages: bool,
    pub(crate) swap: bool,
    pub(crate) pressure: bool,
    pub(crate) free_pct: bool,
    pub(crate) load: bool,
    pub(crate) cpu: bool,
    pub(crate) thermal: bool,
    /// What the first GPU's driver published; none where there is no GPU.
    pub(crate) gpu: Option<AccelStats>,
    /// Whether IOReport knows the GPU's states, or why not.
    pub(crate) residency: Result<(), String>,
    /// The GPU's frequencies are known.
    pub(crate) gpu_table: bool,
    /// For each of [`Part::ALL`], whether IOReport knows its power, or why not.
    pub(crate) power: [Result<(), String>; Part::ALL.len()],
}

impl Default for Facts {
    fn default() -> Facts {
        let unasked = || Err("IOReport was not asked".to_owned());
        Facts {
            ram_total: false,
            pages: false,
            swap: false,
            pressure: false,
            free_pct: false,
            load: false,
            cpu: false,
            thermal: false,
            gpu: None,
            residency: unasked(),
            gpu_table: false,
            power: Part::ALL.map(|_| unasked()),
        }
    }
}

const NO_GPU: &str = "no IOAccelerator with PerformanceStatistics: a virtual machine?";

impl Facts {
    /// Says of each quantity where it comes from, or why it is missing.
    pub(crate) fn note(&self, sources: &mut Sources) {
        self.note_memory(sources);
        self.note_gpu(sources);
        self.note_power(sources);
        for name in ["cpu_user", "cpu_sys", "cpu_idle"] {
            let from = "host_processor_info(PROCESSOR_CPU_LOAD_INFO)";
            sources.note(name, self.cpu, from, "host_processor_info failed");
        }
        for name in ["load_1", "load_5", "load_15"] {
            sources.note(name, self.load, "getloadavg", "getloadavg failed");
        }
        let thermal = "com.apple.system.thermalpressurelevel";
        let (from, why) = (format!("notify {thermal}"), format!("{thermal} is not published"));
        sources.note("thermal_level", self.thermal, from, why);
        for name in ["cpu_temp_c", "gpu_temp_c"] {
            sources.missing(name, "macOS documents no temperature");
        }
        sources.missing("cpu_freq_mhz", "memmon reads no frequency of CPUs");
        sources.missing("tree_cpu_pct", "memmon reads no processor time of processes");
        let cgroup = ["cgroup_limit_gb", "cgroup_used_gb", "cgroup_free_gb", "cgroup_swap_mb"];
        sources.all_missing(&cgroup, "macOS has no control groups");

        sources.found("tree_rss_gb", "proc_pid_rusage ri_resident_size");
        sources.found("tree_footprint_gb", "proc_pid_rusage ri_phys_footprint");
        sources.missing("tree_pss_gb", "macOS does not split shared pages");
        sources.found("tree_procs", "proc_listpids(PROC_PPID_ONLY)");
        sources.found("tree_incomplete", "launchd's children, by who started them");
        sources.found("zombies", "proc_pidinfo(PROC_PIDT_SHORTBSDINFO) status");
    }

    fn note_memory(&self, sources: &mut Sources) {
        let mut sysctl = |name, found, sysctl: &str| {
            sources.note(name, found, format!("sysctl {sysctl}"), format!("no sysctl {sysctl}"));
        };
        sysctl("ram_total_gb", self.ram_total, "hw.memsize");
        sysctl("swap_used_mb", self.swap, "vm.swapusage");
        sysctl("swap_total_mb", self.swap, "vm.swapusage");
        sysctl("memory_pressure", self.pressure, "kern.memorystatus_vm_pressure_level");
        sysctl("memory_free_pct", self.free_pct, "kern.memorystatus_level");
        for (name, what) in [
            ("ram_free_gb", "free + inactive + purgeable + speculative"),
            ("ram_used_gb", "internal - purgeable + wired + compressor"),
            ("ram_wired_gb", "wired"),
            ("ram_compressed_gb", "compressor"),
            ("vm_stale", "all counters repeated"),
        ] {
            let from = format!("host_statistics64(HOST_VM_INFO64) {what}");
            sources.note(name, self.pages, from, "host_statistics64 failed");
        }
    }

    fn note_gpu(&self, sources: &mut Sources) {
        let stats = self.gpu.unwrap_or_default();
        for (name, found, key) in [
            ("gpu_device_util", stats.device_util_pct.is_some(), DEVICE_UTIL),
            ("gpu_renderer_util", stats.renderer_util_pct.is_some(), RENDERER_UTIL),
            ("gpu_tiler_util", stats.tiler_util_pct.is_some(), TILER_UTIL),
            ("gpu_mem_used_gb", stats.mem_used_bytes.is_some(), MEM_USED),
        ] {
            let why = match self.gpu {
                Some(_) => format!("this GPU's driver does not publish \"{key}\""),
                None => NO_GPU.to_owned(),
            };
            let from = format!("IOAccelerator PerformanceStatistics \"{key}\"");
            sources.note(name, found, from, why);
        }
        let residency = self.of_gpu(&self.residency);
        let freq = residency.and_then(|()| {
            self.gpu_table.then_some(()).ok_or("pmgr has no frequency table that can be read")
        });
        let from = "IOReport GPU Performance States, GPUPH";
        say(sources, "gpu_residency_pct", residency, from);
        say(sources, "gpu_freq_mhz", freq, &format!("{from}; pmgr voltage-states9"));
    }

    fn note_power(&self, sources: &mut Sources) {
        for (part, readable) in Part::ALL.iter().zip(&self.power) {
            let readable = readable.as_ref().copied().map_err(String::as_str);
            match part {
                Part::Cpu => say(sources, "cpu_power_w", readable, &batches("*CPU Energy")),
                Part::Gpu => {
                    let readable = readable.and(self.of_gpu(&Ok(())));
                    say(sources, "gpu_power_w", readable, "IOReport Energy Model, GPU Energy");
                }
                Part::Ane => {
                    say(sources, "ane_power_w", readable, &batches("ANE*, once it was used"))
                }
                Part::Dram => say(sources, "dram_power_w", readable, &batches("DRAM*")),
            }
        }
    }

    /// A GPU's quantity needs a GPU to be told with.
    fn of_gpu<'r>(&self, readable: &'r Result<(), String>) -> Result<(), &'r str> {
        self.gpu.map(|_| ()).ok_or(NO_GPU)?;
        readable.as_ref().copied().map_err(String::as_str)
    }
}

fn say(sources: &mut Sources, name: &'static str, readable: Result<(), &str>, from: &str) {
    match readable {
        Ok(()) => sources.found(name, from),
        Err(why) => sources.missing(name, why),
    }
}

fn batches(counters: &str) -> String {
    format!("IOReport Energy Model, {counters}: published about every 2 s, absent in between")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Facts {
        let one = AccelStats {
            device_util_pct: Some(1.0),
            renderer_util_pct: Some(1.0),
            tiler_util_pct: Some(1.0),
            mem_used_bytes: Some(1),
        };
        Facts {
            ram_total: true,
            pages: true,
            swap: true,
            pressure: true,
            free_pct: true,
            load: true,
            cpu: true,
            thermal: true,
            gpu: Some(one),
            residency: Ok(()),
            gpu_table: true,
            power: Part::ALL.map(|_| Ok(())),
        }
    }

    fn said(facts: &Facts) -> Sources {
        let mut sources = Sources::default();
        facts.note(&mut sources);
        sources
    }

    #[test]
    fn every_series_is_found_or_missing_and_never_both_on_any_mac() {
        let virtual_machine = Facts { gpu: None, gpu_table: false, ..all() };
        let no_table = Facts { gpu_table: false, ..all() };
        for facts in [Facts::default(), all(), virtual_machine, no_table] {
            let sources = said(&facts);
            let found = sources.found.iter().map(|found| found.quantity);
            let missing = sources.missing.iter().map(|missing| missing.quantity);
            let names: Vec<&str> = found.chain(missing).collect();
            let told = ["vm_stale", "tree_incomplete"];
            for name in records::SERIES.iter().map(|series| series.name).chain(told) {
                let times = names.iter().filter(|said| **said == name).count();
                assert_eq!(times, 1, "{name} is said {times} times");
            }
            assert_eq!(names.len(), records::SERIES.len() + told.len());
        }
    }

    #[test]
    fn a_whole_mac_lacks_only_what_macos_does_not_have() {
        let sources = said(&all());
        let missing: Vec<_> = sources.missing.iter().map(|missing| missing.quantity).collect();
        assert_eq!(
            missing,
            [
                "cpu_temp_c",
                "gpu_temp_c",
                "cpu_freq_mhz",
                "tree_cpu_pct",
                "cgroup_limit_gb",
                "cgroup_used_gb",
                "cgroup_free_gb",
                "cgroup_swap_mb",
                "tree_pss_gb"
            ]
        );
    }

    #[test]
    fn a_machine_without_a_gpu_says_so_for_each_of_its_quantities() {
        let sources = said(&Facts { gpu: None, ..all() });
        let of_gpu = sources.missing.iter().filter(|missing| missing.why == NO_GPU);
        assert_eq!(of_gpu.count(), 7);
    }
}
