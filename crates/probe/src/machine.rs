//! The machine as a whole: opened once, read often.

use std::path::{Path, PathBuf};

use crate::platform;
use crate::profile::HostProfile;
use crate::reading::Reading;
use crate::sources::Sources;

/// Where the system's files are. Other places than the usual ones serve captured
/// trees; macOS has no such files and ignores this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// In place of `/proc`.
    pub proc: PathBuf,
    /// In place of `/sys`.
    pub sys: PathBuf,
    /// In place of `/etc`.
    pub etc: PathBuf,
    /// What NVML answers, as [`decode::nvidia`](crate::decode::nvidia) writes it,
    /// in place of the library, which knows only the machine that it runs on.
    pub nvml: Option<PathBuf>,
}

impl Roots {
    /// A captured machine: `proc`, `sys`, `etc` and `nvml.csv` in `dir`.
    #[must_use]
    pub fn under(dir: &Path) -> Roots {
        Roots {
            proc: dir.join("proc"),
            sys: dir.join("sys"),
            etc: dir.join("etc"),
            nvml: Some(dir.join("nvml.csv")),
        }
    }
}

impl Default for Roots {
    fn default() -> Roots {
        let at = PathBuf::from;
        Roots { proc: at("/proc"), sys: at("/sys"), etc: at("/etc"), nvml: None }
    }
}

/// The sources of this machine, open and ready to be read.
pub struct Machine {
    sensors: platform::Sensors,
    profile: HostProfile,
    sources: Sources,
}

impl Machine {
    /// Opens what this machine has. Never fails: what cannot be opened is
    /// listed in [`Machine::sources`] with the reason.
    #[must_use]
    pub fn open() -> Machine {
        Machine::open_at(Roots::default())
    }

    /// As [`Machine::open`], with the system's files elsewhere.
    #[must_use]
    pub fn open_at(roots: Roots) -> Machine {
        let mut profile = HostProfile::default();
        let mut sources = Sources::default();
        let sensors = platform::Sensors::open(&roots, &mut profile, &mut sources);
        Machine { sensors, profile, sources }
    }

    /// What does not change while the machine is watched.
    #[must_use]
    pub fn profile(&self) -> &HostProfile {
        &self.profile
    }

    /// What is measured here and what is not.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Reads everything now. Shares and the pressure level are about the time
    /// since an earlier read, so the first has none. A source that fails is
    /// `None` in this reading and tried again in the next.
    #[must_use]
    pub fn read(&mut self) -> Reading {
        self.sensors.read()
    }
}

/// Path and content of each file and answer that this machine is read from, as
/// they are now. In a folder, they can be played back by [`Replay`](crate::Replay).
/// Without names of hosts, users, programs and control groups. Empty where the
/// system's sources are no files.
#[must_use]
pub fn capture() -> Vec<(String, Vec<u8>)> {
    capture_at(&Roots::default())
}

/// As [`capture`], with the system's files elsewhere.
#[must_use]
pub fn capture_at(roots: &Roots) -> Vec<(String, Vec<u8>)> {
    platform::capture(roots)
}

// A sampler may well read in a thread of its own, on every system.
const _: () = {
    const fn can_be_sent<T: Send>() {}
    can_be_sent::<Machine>();
    can_be_sent::<crate::Tree>();
};
