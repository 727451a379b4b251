//! Linux: files of `/proc` and `/sys`, and NVML.

mod amdgpu;
mod capture;
mod census;
mod cgroup;
mod file;
mod frequency;
mod gpus;
mod host;
mod listing;
mod memory;
mod newest;
mod nvidia;
mod power;
mod process;
mod punctual;
mod shares;
mod temperature;
mod tree;

use std::time::{Duration, Instant};

use crate::decode::loadavg;
use crate::decode::stat::CpuTimes;
use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::{Cpu, Reading};
use crate::sources::Sources;

use cgroup::Groups;
use file::{Kept, Scratch};
use frequency::Frequency;
use gpus::Gpus;
use memory::Memory;
use power::Power;
use temperature::Temperature;

pub(crate) use capture::capture;
pub(crate) use census::Census;
pub(crate) use punctual::be_punctual;
pub(crate) use tree::Tree;

/// What no Linux tells.
const NOT_HERE: [(&str, &str); 5] = [
    ("memory_free_pct", "only macOS publishes such a share"),
    ("ane_power_w", "only Apple's chips have this neural engine"),
    ("thermal_level", "Linux has no such level"),
    ("tree_incomplete", "only macOS tells whether there are orphans of nobody known"),
    ("vm_stale", "Linux counts anew for each read"),
];

/// The open files of this machine.
pub(crate) struct Sensors {
    opened: Instant,
    scratch: Scratch,
    memory: Memory,
    stat: Option<Kept>,
    times: Option<CpuTimes>,
    loadavg: Option<Kept>,
    cpu_power: Power,
    dram_power: Power,
    cpu_temp: Temperature,
    cpu_freq: Frequency,
    groups: Option<Groups>,
    gpus: Gpus,
}

impl Sensors {
    pub(crate) fn open(roots: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        let mut scratch = Scratch::new();
        let scratch_ref = &mut scratch;
        let groups = Groups::open(roots, scratch_ref, sources);
        let pressure = groups.as_ref().and_then(Groups::pressure);
        let memory = Memory::open(roots, pressure, scratch_ref, sources);
        let mut file = |path: &str, quantities: [&'static str; 3]| {
            let kept = Kept::open(roots.proc.join(path), scratch_ref);
            match &kept {
                Ok(_) => quantities
                    .iter()
                    .for_each(|quantity| sources.found(quantity, format!("/proc/{path}"))),
                Err(why) => sources.all_missing(&quantities, why),
            }
            kept.ok()
        };
        let loadavg = file("loadavg", ["load_1", "load_5", "load_15"]);
        let stat = file("stat", ["cpu_user", "cpu_sys", "cpu_idle"]);
        let cpu_power = Power::open(roots, "package", "cpu_power_w", scratch_ref, sources);
        let dram_power = Power::open(roots, "dram", "dram_power_w", scratch_ref, sources);
        let cpu_temp = Temperature::open(roots, scratch_ref, sources);
        let cpu_freq = Frequency::open(roots, scratch_ref, sources);
        let gpus = Gpus::open(roots, scratch_ref, &mut profile.gpus, sources);
        for (quantity, why) in NOT_HERE {
            sources.missing(quantity, why);
        }
        process::note_sources(roots, sources);

        host::fill(roots, profile);
        profile.ram_total_bytes = memory.total(scratch_ref);
        Sensors {
            opened: Instant::now(),
            scratch,
            memory,
            stat,
            times: None,
            loadavg,
            cpu_power,
            dram_power,
            cpu_temp,
            cpu_freq,
            groups,
            gpus,
        }
    }

    pub(crate) fn read(&mut self) -> Reading {
        self.read_at(self.opened.elapsed())
    }

    /// As `read`, with the time since any fixed moment, for files of another time.
    pub(crate) fn read_at(&mut self, at: Duration) -> Reading {
        let mut reading = Reading { cpu: self.read_cpu(), ..Reading::default() };
        let scratch = &mut self.scratch;
        self.memory.read(at, scratch, &mut reading);
        reading.load = self.loadavg.as_ref().and_then(|file| loadavg::parse(file.read(scratch)?));
        reading.cpu_power_w = self.cpu_power.read(at, scratch);
        reading.dram_power_w = self.dram_power.read(at, scratch);
        reading.cpu_temp_c = self.cpu_temp.read(scratch);
        reading.cpu_freq_mhz = self.cpu_freq.read(at, scratch);
        reading.cgroup = self.groups.as_mut().map(|groups| groups.read(scratch));
        reading.gpus = self.gpus.read(scratch);
        reading
    }

    /// Goes on from where `earlier` was, which read other files: what is measured
    /// since the previous read is then measured since its last one.
    pub(crate) fn resume(&mut self, earlier: &Sensors) {
        self.memory.resume(&earlier.memory);
        self.times = earlier.times;
        self.cpu_power.resume(&earlier.cpu_power);
        self.dram_power.resume(&earlier.dram_power);
    }

    fn read_cpu(&mut self) -> Option<Cpu> {
        let now = CpuTimes::parse(self.stat.as_ref()?.read(&mut self.scratch)?)?;
        let before = self.times.replace(now)?;
        now.since(&before).share()
    }
}
