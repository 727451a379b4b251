//! What the processor draws, from RAPL's energy counters. Most kernels let only
//! root read them, since they tell what others compute.

use std::path::Path;
use std::time::Duration;

use super::file::{Kept, Scratch, list, why};
use crate::decode::rapl;
use crate::machine::Roots;
use crate::sources::Sources;

/// The energy counters of one kind: a package each, or the memory of each.
pub(super) struct Power {
    counters: Vec<Counter>,
}

struct Counter {
    energy: Kept,
    /// The counter starts again from 0 after this.
    range: Option<u64>,
    /// Its last value, and when that was read.
    before: Option<(Duration, u64)>,
}

impl Power {
    /// Opens all counters whose names begin with `kind`, for `quantity`.
    pub(super) fn open(
        roots: &Roots,
        kind: &str,
        quantity: &'static str,
        scratch: &mut Scratch,
        sources: &mut Sources,
    ) -> Power {
        let dir = roots.sys.join("class/powercap");
        let counters = open_counters(&dir, kind, scratch);
        let from = format!("{}/intel-rapl:*/energy_uj of {kind}", dir.display());
        match counters {
            Ok(counters) => {
                sources.found(quantity, from);
                Power { counters }
            }
            Err(why) => {
                sources.missing(quantity, why);
                Power { counters: Vec::new() }
            }
        }
    }

    /// The mean power since the last call, in watts; `at` is the time since any
    /// fixed moment.
    pub(super) fn read(&mut self, at: Duration, scratch: &mut Scratch) -> Option<f64> {
        let mut sum = (!self.counters.is_empty()).then_some(0.0);
        for counter in &mut self.counters {
            // Each is read, whatever the others say: the next read compares.
            let watts = counter.watts(at, scratch);
            // A sum without one of its parts would be wrong.
            sum = sum.zip(watts).map(|(sum, watts)| sum + watts);
        }
        sum
    }

    /// Goes on from where the same counters of an earlier moment were.
    pub(super) fn resume(&mut self, earlier: &Power) {
        for (now, before) in self.counters.iter_mut().zip(&earlier.counters) {
            now.before = before.before;
        }
    }
}

impl Counter {
    fn watts(&mut self, at: Duration, scratch: &mut Scratch) -> Option<f64> {
        let now = rapl::microjoules(self.energy.read(scratch)?)?;
        let (then, before) = self.before.replace((at, now))?;
        rapl::watts(before, now, self.range, at.saturating_sub(then))
    }
}

fn open_counters(dir: &Path, kind: &str, scratch: &mut Scratch) -> Result<Vec<Counter>, String> {
    let zones = list(dir).map_err(|error| why(dir, &error))?;
    let mut counters = Vec::new();
    for zone in zones.iter().filter(|zone| zone.starts_with("intel-rapl:")) {
        let zone = dir.join(zone);
        let is_kind = |text: &[u8]| text.starts_with(kind.as_bytes());
        if !scratch.read_path(&zone.join("name")).is_ok_and(is_kind) {
            continue;
        }
        let range = scratch.read_path(&zone.join("max_energy_range_uj")).ok();
        let range = range.and_then(rapl::microjoules);
        let energy = Kept::open(zone.join("energy_uj"), scratch)
            .map_err(|why| format!("{why} (most kernels let root alone read it)"))?;
        counters.push(Counter { energy, range, before: None });
    }
    if counters.is_empty() {
        return Err(format!("{} counts no energy of \"{kind}\"", dir.display()));
    }
    Ok(counters)
}
