//! macOS: Mach's statistics, sysctls, the device registry and libproc.

mod gpus;
mod host;
mod memory;
mod sys;
mod tree;

use crate::decode::cpu_ticks::{CoreTicks, mach_delta};
use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::{Cpu, Reading};
use crate::sources::Sources;

use gpus::Gpus;
use memory::Memory;
use sys::mach::Host;
use sys::notify::State;
use sys::sysctl;

pub(crate) use tree::{Census, Tree};

/// Nothing that could be played back is captured here yet.
pub(crate) fn capture(_: &Roots) -> Vec<(String, Vec<u8>)> {
    Vec::new()
}

/// Comes later; until then these are named as missing.
const LATER: &str = "read from IOReport, which this version does not do yet";

/// The ports and registry entries of this machine.
pub(crate) struct Sensors {
    host: Option<Host>,
    memory: Memory,
    cores: Vec<CoreTicks>,
    before: Vec<CoreTicks>,
    thermal: Option<State>,
    gpus: Gpus,
}

impl Sensors {
    pub(crate) fn open(_: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        let host = Host::new();
        let memory = Memory::open(host.as_ref(), sources);
        let thermal = State::register(c"com.apple.system.thermalpressurelevel");
        let gpus = Gpus::open(&mut profile.gpus, sources);
        host::fill(profile);

        let mut cores = Vec::new();
        let ticks = host.as_ref().is_some_and(|host| host.cpu_ticks(&mut cores));
        for quantity in ["cpu_user", "cpu_sys", "cpu_idle"] {
            let from = "host_processor_info(PROCESSOR_CPU_LOAD_INFO)";
            sources.note(quantity, ticks, from, "host_processor_info failed");
        }
        let load = sysctl::load().is_some();
        for quantity in ["load_1", "load_5", "load_15"] {
            sources.note(quantity, load, "getloadavg", "getloadavg failed");
        }
        sources.note(
            "thermal_level",
            thermal.as_ref().is_some_and(|state| level(state).is_some()),
            "notify com.apple.system.thermalpressurelevel",
            "com.apple.system.thermalpressurelevel is not published",
        );
        let cgroup = ["cgroup_limit_gb", "cgroup_used_gb"];
        sources.all_missing(&cgroup, "macOS has no control groups");
        tree::note_sources(sources);

        Sensors { host, memory, cores: Vec::new(), before: Vec::new(), thermal, gpus }
    }

    pub(crate) fn read(&mut self) -> Reading {
        let mut reading = Reading {
            cpu: self.read_cpu(),
            load: sysctl::load(),
            thermal_level: self.thermal.as_ref().and_then(level),
            ..Reading::default()
        };
        self.memory.read(self.host.as_ref(), &mut reading);
        reading.gpus = self.gpus.read();
        reading
    }

    fn read_cpu(&mut self) -> Option<Cpu> {
        let cpu = if self.host.as_ref()?.cpu_ticks(&mut self.cores) {
            mach_delta(&self.before, &self.cores).and_then(|ticks| ticks.share())
        } else {
            return None;
        };
        std::mem::swap(&mut self.before, &mut self.cores);
        cpu
    }
}

/// The published level, 0 to 4; `None` for anything else.
fn level(state: &State) -> Option<u8> {
    let level = u8::try_from(state.get()?).ok()?;
    (level <= 4).then_some(level)
}
