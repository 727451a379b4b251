//! The frequency of the processor's cores, from cpufreq.

use std::path::PathBuf;
use std::time::Duration;

use super::file::{Scratch, list};
use crate::decode::cpufreq;
use crate::machine::Roots;
use crate::sources::Sources;

/// Each core has a file of its own, and a server hundreds of them. A sample that
/// comes a little early still counts as the next second.
const EVERY: Duration = Duration::from_millis(950);

/// The files of the cores. They are opened for each reading: many would have to be
/// kept open, and they vanish with a core that is switched off.
pub(super) struct Frequency {
    cores: Vec<PathBuf>,
    due: Duration,
}

impl Frequency {
    pub(super) fn open(roots: &Roots, scratch: &mut Scratch, sources: &mut Sources) -> Frequency {
        let dir = roots.sys.join("devices/system/cpu");
        let cores: Vec<PathBuf> = list(&dir)
            .unwrap_or_default()
            .into_iter()
            .filter(|name| name.strip_prefix("cpu").is_some_and(|n| n.parse::<u32>().is_ok()))
            .map(|core| dir.join(core).join("cpufreq/scaling_cur_freq"))
            .filter(|path| path.exists())
            .collect();
        let frequency = Frequency { cores, due: Duration::ZERO };
        sources.note(
            "cpu_freq_mhz",
            frequency.mean_mhz(scratch).is_some(),
            format!("{}/cpu*/cpufreq/scaling_cur_freq", dir.display()),
            format!(
                "no cpufreq/scaling_cur_freq that can be read in {}/cpu*: \
                 a virtual machine, or no driver for it",
                dir.display()
            ),
        );
        frequency
    }

    /// In MHz, the mean over the cores that are on; about once a second.
    pub(super) fn read(&mut self, at: Duration, scratch: &mut Scratch) -> Option<f64> {
        if at < self.due {
            return None;
        }
        self.due = at + EVERY;
        self.mean_mhz(scratch)
    }

    fn mean_mhz(&self, scratch: &mut Scratch) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for path in &self.cores {
            if let Some(mhz) = scratch.read_path(path).ok().and_then(cpufreq::mhz) {
                sum += mhz;
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum / count)
    }
}
