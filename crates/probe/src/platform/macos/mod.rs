//! macOS: Mach's statistics, sysctls, the device registry, IOReport and
//! libproc. What the answers mean is in `decode`, what is said of them in
//! `sources::macos`, how a tree is kept in `family`.

mod dump;
mod gpus;
mod host;
mod memory;
mod report;
mod sys;
mod tree;

use crate::decode::cpu_ticks::{CoreTicks, mach_delta};
use crate::decode::ioreport::energy::Part;
use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::{Cpu, Reading};
use crate::sources::Sources;
use crate::sources::macos::Facts;

use gpus::Gpus;
use memory::Memory;
use report::Report;
use sys::mach::Host;
use sys::notify::State;
use sys::sysctl;

pub(crate) use sys::qos::be_punctual;
pub(crate) use tree::{Census, Tree};

/// All that is read here, raw.
pub(crate) fn capture(_: &Roots) -> Vec<(String, Vec<u8>)> {
    dump::raw()
}

/// The ports and registry entries of this machine.
pub(crate) struct Sensors {
    host: Option<Host>,
    memory: Memory,
    cores: Vec<CoreTicks>,
    before: Vec<CoreTicks>,
    thermal: Option<State>,
    gpus: Gpus,
    report: Report,
}

impl Sensors {
    pub(crate) fn open(_: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        let mut facts = Facts::default();
        let host = Host::new();
        let memory = Memory::open(host.as_ref(), &mut facts);
        let thermal = State::register(c"com.apple.system.thermalpressurelevel");
        let gpus = Gpus::open(&mut profile.gpus, &mut facts);
        let report = Report::open(&mut facts);
        host::fill(profile);

        let mut cores = Vec::new();
        facts.cpu = host.as_ref().is_some_and(|host| host.cpu_ticks(&mut cores));
        facts.load = sysctl::load().is_some();
        facts.thermal = thermal.as_ref().is_some_and(|state| level(state).is_some());
        facts.note(sources);

        Sensors { host, memory, cores: Vec::new(), before: Vec::new(), thermal, gpus, report }
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
        self.read_report(&mut reading);
        reading
    }

    fn read_report(&mut self, reading: &mut Reading) {
        let measured = self.report.read();
        reading.cpu_power_w = measured.watts_of(Part::Cpu);
        reading.ane_power_w = measured.watts_of(Part::Ane);
        reading.dram_power_w = measured.watts_of(Part::Dram);
        // IOReport knows the chip's own GPU, which is the only one there is on
        // Apple silicon; on other Macs it knows none.
        if let Some(gpu) = reading.gpus.first_mut() {
            gpu.power_w = measured.watts_of(Part::Gpu);
            gpu.residency_pct = measured.gpu.map(|active| active.residency_pct);
            gpu.freq_mhz = measured.gpu.and_then(|active| active.freq_mhz);
        }
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
