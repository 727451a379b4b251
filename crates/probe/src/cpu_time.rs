//! What a process tree used of the CPU between two readings, from the counters
//! that the kernel keeps for each process. Apart from the reading of them, so that
//! it is the same on all systems.
//!
//! A process that ends takes its counter with it, and the kernel adds it to the
//! one that its parent has for the children that it waited for: there are the
//! processes, too, that began and ended between two readings. Such a counter so
//! grows by the whole time of a child, of which a part was seen before; that part
//! is taken off again. Where nobody waited, or somebody outside the tree, what
//! the process used after the last reading is not known and left out: the result
//! may be too small then, and never is too large or below 0.

use std::collections::HashMap;
use std::hash::Hash;

/// CPU time since a process began, user and kernel, in any unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// Its own.
    pub(crate) own: u64,
    /// That of the children that it waited for, and of those that they waited for.
    pub(crate) waited: u64,
}

impl CpuTime {
    fn all(self) -> u64 {
        self.own.saturating_add(self.waited)
    }
}

/// The counters at one moment. Parents must be read before their children: one
/// that ends in between is then missed, and made up for by the next reading,
/// where the other way round it would count twice.
#[derive(Debug, Clone)]
pub(crate) struct Counters<Id> {
    /// Time that passed on all cores together, since any moment.
    pub(crate) machine: u64,
    /// What a root waited for that is not in the tree itself.
    pub(crate) root_waited: u64,
    /// The processes of the tree, by what names one for good.
    pub(crate) members: HashMap<Id, CpuTime>,
}

impl<Id> Counters<Id> {
    /// With nobody in the tree.
    pub(crate) fn new(machine: u64) -> Counters<Id> {
        Counters { machine, root_waited: 0, members: HashMap::new() }
    }
}

/// Remembers the reading before.
pub(crate) struct Meter<Id> {
    before: Option<Counters<Id>>,
    /// Time of processes that ended before that reading, and that nobody had taken
    /// over by then.
    owed: u64,
}

impl<Id: Eq + Hash> Meter<Id> {
    pub(crate) fn new() -> Meter<Id> {
        Meter { before: None, owed: 0 }
    }

    /// The share of the time of all cores since the reading before, in percent.
    /// `None` on the first, and after one that failed, which is `None` too.
    pub(crate) fn read(&mut self, now: Option<Counters<Id>>) -> Option<f64> {
        let before = std::mem::replace(&mut self.before, now);
        let owed = std::mem::take(&mut self.owed);
        let (before, now) = (before?, self.before.as_ref()?);
        let passed = now.machine.checked_sub(before.machine).filter(|passed| *passed > 0)?;

        let mut own = 0_u64;
        let mut waited = now.root_waited.saturating_sub(before.root_waited);
        for (id, time) in &now.members {
            // Who was not there before began after that.
            let old = before.members.get(id).copied().unwrap_or_default();
            own = own.saturating_add(time.own.saturating_sub(old.own));
            waited = waited.saturating_add(time.waited.saturating_sub(old.waited));
        }
        let ended = before.members.iter().filter(|(id, _)| !now.members.contains_key(id));
        let ended = ended.fold(0_u64, |sum, (_, time)| sum.saturating_add(time.all()));
        self.owed = ended.saturating_sub(waited);
        let of_ended = waited.saturating_sub(ended).saturating_sub(owed);
        let used = own.saturating_add(of_ended);
        // Counters are cut to whole ticks, each at another moment.
        Some((used as f64 * 100.0 / passed as f64).min(100.0))
    }
}

#[cfg(test)]
mod tests;
