//! Linux: files of `/proc` and `/sys`, and NVML.

mod amdgpu;
mod cgroup;
mod children;
mod file;
mod gpus;
mod host;
mod memory;
mod newest;
mod nvidia;
mod process;
mod tree;

use crate::decode::loadavg;
use crate::decode::stat::CpuTimes;
use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::{Cpu, Reading};
use crate::sources::Sources;

use cgroup::Groups;
use file::{Kept, Scratch};
use gpus::Gpus;
use memory::Memory;

pub(crate) use process::zombies;
pub(crate) use tree::Tree;

/// The open files of this machine.
pub(crate) struct Sensors {
    scratch: Scratch,
    memory: Memory,
    stat: Option<Kept>,
    times: Option<CpuTimes>,
    loadavg: Option<Kept>,
    groups: Option<Groups>,
    gpus: Gpus,
}

impl Sensors {
    pub(crate) fn open(roots: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        let mut scratch = Scratch::new();
        let scratch_ref = &mut scratch;
        let memory = Memory::open(roots, scratch_ref, sources);
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
        let groups = Groups::open(roots, scratch_ref, sources);
        let gpus = Gpus::open(roots, scratch_ref, &mut profile.gpus, sources);
        sources.missing("thermal_level", "Linux has no such level");
        sources.missing("vm_stale", "Linux counts anew for each read");
        process::note_sources(roots, sources);

        host::fill(roots, profile);
        profile.ram_total_bytes = memory.total(scratch_ref);
        Sensors { scratch, memory, stat, times: None, loadavg, groups, gpus }
    }

    pub(crate) fn read(&mut self) -> Reading {
        let mut reading = Reading { cpu: self.read_cpu(), ..Reading::default() };
        let scratch = &mut self.scratch;
        self.memory.read(scratch, &mut reading);
        reading.load = self.loadavg.as_ref().and_then(|file| loadavg::parse(file.read(scratch)?));
        reading.cgroup = self.groups.as_mut().map(|groups| groups.read(scratch));
        reading.gpus = self.gpus.read(scratch);
        reading
    }

    fn read_cpu(&mut self) -> Option<Cpu> {
        let now = CpuTimes::parse(self.stat.as_ref()?.read(&mut self.scratch)?)?;
        let before = self.times.replace(now)?;
        now.since(&before).share()
    }
}
