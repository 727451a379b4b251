//! The machine's state around a test.

use std::time::{Duration, Instant};

use probe::{Machine, Pressure, Reading, Tree};
use records::{MemoryAtDeath, MemoryNow, QualityFlag, SystemHealth, round};

use crate::{interrupt::Interrupts, suite::Health};

/// Watches the machine for the runner.
pub struct Watch {
    machine: Machine,
    limits: Health,
    zombies: Option<(Instant, Option<u32>)>,
}

/// Counting zombies is a look at every process of the machine. Many short tests share
/// one: a zombie stays until its parent ends, which is seldom less.
const ZOMBIES_EVERY: Duration = Duration::from_millis(250);

/// The use of a GPU up to which it is at rest, in percent.
pub(crate) const AT_REST_PCT: f64 = 20.0;
/// How long a GPU has to come to rest.
const DIES_DOWN: Duration = Duration::from_secs(1);
/// How long the memory of a tree may take to be known.
const ROUND: Duration = Duration::from_secs(1);

/// The machine before a test.
#[derive(Clone, Debug)]
pub struct Before(Reading);

/// A measurement that is under way.
pub struct Started {
    before: Reading,
    /// The processes of the backend, and our own: what they take is no disturbance.
    own: Option<[Tree; 2]>,
}

/// What the machine did besides while something was measured. What could not be read is
/// absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Around {
    /// The highest use of a GPU before, in percent.
    pub gpu_before_pct: Option<f64>,
    /// CPU time that was not taken by the backend or by us, in percent of all cores; only
    /// where the backend is a process of ours.
    pub outside_cpu_pct: Option<f64>,
    /// How much swap grew.
    pub swap_growth_mb: Option<f64>,
    /// By how much it may grow.
    pub max_swap_growth_mb: f64,
    /// The pressure on memory after it.
    pub pressure: Option<Pressure>,
    /// How hot the machine was after it: 0 is normal.
    pub thermal_level: Option<u8>,
}

impl Watch {
    /// Watches this machine; `limits` say when it counts as degraded.
    #[must_use]
    pub fn open(limits: Health) -> Watch {
        Watch { machine: Machine::open(), limits, zombies: None }
    }

    /// The machine, for the record.
    #[must_use]
    pub fn machine(&self) -> records::Machine {
        self.machine.profile().into()
    }

    /// The highest use of a GPU when nothing is asked of it, in percent. What came before
    /// has a second to die down: sensors tell of the time that was.
    pub fn gpu_at_rest(&mut self, interrupts: &Interrupts) -> Option<f64> {
        let busiest = |reading: Reading| {
            reading.gpus.iter().filter_map(|gpu| gpu.device_util_pct).reduce(f64::max)
        };
        let now = busiest(self.machine.read())?;
        if now <= AT_REST_PCT {
            return Some(now);
        }
        interrupts.sleep(DIES_DOWN);
        busiest(self.machine.read())
    }

    /// A measurement on the backend `pid` begins.
    pub fn start(&mut self, pid: Option<i32>) -> Started {
        let own = pid.map(|pid| {
            let us = i32::try_from(std::process::id()).unwrap_or_default();
            // What they did until now is no part of it.
            [pid, us].map(|pid| {
                let mut tree = Tree::rooted_at(pid);
                let _ = tree.read(true);
                tree
            })
        });
        Started { before: self.machine.read(), own }
    }

    /// It ended: what the machine did besides. `gpu_before_pct` is what
    /// [`Watch::gpu_at_rest`] said before the first request.
    pub fn around(&mut self, started: Started, gpu_before_pct: Option<f64>) -> Around {
        let Started { before, own } = started;
        let after = self.machine.read();
        let busy = after.cpu.map(|cpu| cpu.user_pct + cpu.sys_pct);
        // The backend is a child of ours: our tree has it in it, unless it left.
        let taken = own.map(|trees| {
            let [backend, us] = trees.map(|mut tree| tree.read(true));
            let within = backend.pids.iter().all(|pid| us.pids.contains(pid));
            match within {
                true => us.cpu_pct,
                false => Some(us.cpu_pct? + backend.cpu_pct?),
            }
        });
        let outside = busy.zip(taken.flatten()).map(|(busy, taken)| (busy - taken).max(0.0));
        Around {
            gpu_before_pct,
            outside_cpu_pct: outside,
            swap_growth_mb: growth(&before, &after),
            max_swap_growth_mb: self.limits.max_swap_growth_mb,
            pressure: after.memory_pressure,
            thermal_level: after.thermal_level,
        }
    }

    /// The memory now, with that of the backend `pid`.
    pub fn memory(&mut self, pid: Option<i32>) -> MemoryNow {
        let now = self.machine.read();
        let used: Vec<u64> = now.gpus.iter().filter_map(|gpu| gpu.mem_used_bytes).collect();
        MemoryNow {
            tree_gb: pid.and_then(of_tree).map(gb),
            gpu_used_gb: (!used.is_empty()).then(|| gb(used.iter().sum())),
            ram_free_gb: free(&now).map(gb),
            swap_used_mb: now.swap_used_bytes.map(mb),
        }
    }

    /// The name of the machine.
    #[must_use]
    pub fn host(&self) -> String {
        self.machine.profile().host.clone().unwrap_or_else(|| "unknown".to_owned())
    }

    /// Looks before a test.
    pub fn before(&mut self) -> Before {
        Before(self.machine.read())
    }

    /// Looks after it, and says what both looks mean.
    pub fn after(&mut self, before: &Before) -> SystemHealth {
        let zombies = self.zombies();
        judge(&before.0, &self.machine.read(), zombies, &self.limits)
    }

    /// Zombies on the machine, now or a moment ago.
    fn zombies(&mut self) -> Option<u32> {
        match self.zombies {
            Some((at, zombies)) if at.elapsed() < ZOMBIES_EVERY => zombies,
            _ => {
                let zombies = probe::zombies();
                self.zombies = Some((Instant::now(), zombies));
                zombies
            }
        }
    }

    /// The memory when a process was found dead.
    pub fn at_death(&mut self) -> MemoryAtDeath {
        let now = self.machine.read();
        MemoryAtDeath {
            ram_free_gb: free(&now).map(gb),
            swap_used_mb: now.swap_used_bytes.map(mb),
            memory_pressure: now.memory_pressure.map(probe::Pressure::level),
        }
    }
}

/// Memory that can be had: in a container, no more than its limit leaves.
fn free(reading: &Reading) -> Option<u64> {
    let group = reading.cgroup.and_then(|group| group.free_bytes);
    least(reading.ram_free_bytes, group)
}

/// The smaller one; the other where one is not known.
fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

/// The memory of the processes below `pid`, shared pages divided: where there are many or
/// large ones, a single look does not come round to all of them.
fn of_tree(pid: i32) -> Option<u64> {
    let mut tree = Tree::rooted_at(pid);
    let start = Instant::now();
    loop {
        let reading = tree.read(true);
        let bytes = reading.footprint_bytes.or(reading.pss_bytes);
        if bytes.is_some() || start.elapsed() > ROUND {
            return bytes;
        }
    }
}

/// How much swap grew, in 10⁶ bytes.
fn growth(before: &Reading, after: &Reading) -> Option<f64> {
    before.swap_used_bytes.zip(after.swap_used_bytes).map(|(a, b)| mb(b.saturating_sub(a)))
}

fn judge(before: &Reading, after: &Reading, zombies: Option<u32>, limits: &Health) -> SystemHealth {
    let ram_free_gb = least(free(before), free(after)).map(gb);
    let growth = growth(before, after);
    let known = ram_free_gb.is_some() || growth.is_some() || zombies.is_some();
    let mut flags = Vec::new();
    if ram_free_gb.is_some_and(|free| free < limits.min_ram_free_gb) {
        flags.push(QualityFlag::DegradedRam);
    }
    if growth.is_some_and(|growth| growth > limits.max_swap_growth_mb) {
        flags.push(QualityFlag::DegradedSwap);
    }
    if zombies.is_some_and(|zombies| zombies > 0) {
        flags.push(QualityFlag::DegradedZombies);
    }
    if flags.is_empty() {
        flags.push(QualityFlag::Clean);
    }
    SystemHealth {
        ram_free_gb,
        swap_used_mb: after.swap_used_bytes.map(mb),
        zombie_processes: zombies,
        quality_flags: known.then_some(flags),
    }
}

fn gb(bytes: u64) -> f64 {
    round(bytes as f64 / 1e9, 3)
}

fn mb(bytes: u64) -> f64 {
    round(bytes as f64 / 1e6, 1)
}

#[cfg(test)]
mod tests {
    use probe::{Cgroup, Reading};
    use records::QualityFlag;

    use super::judge;
    use crate::suite::Health;

    fn reading(free_gb: u64, swap_mb: u64) -> Reading {
        Reading {
            ram_free_bytes: Some(free_gb * 1_000_000_000),
            swap_used_bytes: Some(swap_mb * 1_000_000),
            ..Reading::default()
        }
    }

    #[test]
    fn the_flags_follow_the_thresholds() {
        let flags = |before: &Reading, after: &Reading, zombies| {
            judge(before, after, zombies, &Health::default()).quality_flags
        };
        use QualityFlag::{Clean, DegradedRam, DegradedSwap, DegradedZombies};
        // Swap that was in use before and does not grow degrades nothing.
        assert_eq!(flags(&reading(9, 1524), &reading(9, 1624), Some(0)), Some(vec![Clean]));
        assert_eq!(flags(&reading(9, 0), &reading(9, 101), Some(0)), Some(vec![DegradedSwap]));
        assert_eq!(flags(&reading(4, 0), &reading(9, 0), Some(0)), Some(vec![DegradedRam]));
        assert_eq!(flags(&reading(9, 0), &reading(9, 0), Some(1)), Some(vec![DegradedZombies]));
    }

    #[test]
    fn a_container_that_is_nearly_full_is_degraded_on_a_machine_that_is_not() {
        let contained = |free_bytes| Reading {
            cgroup: Some(Cgroup {
                limit_bytes: Some(16_000_000_000),
                used_bytes: Some(15_000_000_000),
                free_bytes,
                swap_bytes: None,
            }),
            ..reading(200, 0)
        };
        let judged = |after| judge(&reading(200, 0), &after, Some(0), &Health::default());
        let full = judged(contained(Some(1_500_000_000)));
        assert_eq!(full.ram_free_gb, Some(1.5));
        assert_eq!(full.quality_flags, Some(vec![QualityFlag::DegradedRam]));
        // Without a limit the machine's memory is what counts.
        assert_eq!(judged(contained(None)).ram_free_gb, Some(200.0));
    }

    #[test]
    fn a_machine_that_tells_nothing_is_not_called_clean() {
        let health = judge(&Reading::default(), &Reading::default(), None, &Health::default());
        assert_eq!(health.quality_flags, None);
        assert_eq!(health.ram_free_gb, None);
    }
}
