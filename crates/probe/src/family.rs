//! A process tree where nobody inherits orphans but the first process, as on
//! macOS. Apart from the system calls, so that it can be tested anywhere.
//!
//! A process is known by its number and its start, and held on to once it has
//! been seen. One that lost its parent before that is found by who started it,
//! which the kernel remembers; if its parent was never seen either, nothing
//! tells whose it is, and the tree may be incomplete.

use std::collections::HashSet;

use crate::cpu_time::{Counters, CpuTime, Meter};
use crate::tree::TreeReading;

/// The process that orphans are handed to.
const FIRST: i32 = 1;

/// What the kernel charges one process with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Its start: with the number it names one process.
    pub(crate) start: u64,
    /// It has ended, and nobody has waited for it yet.
    pub(crate) ended: bool,
    pub(crate) rss_bytes: u64,
    pub(crate) footprint_bytes: u64,
    /// In nanoseconds; `None` where the clock's tick is not known.
    pub(crate) cpu_ns: Option<CpuTime>,
}

/// Why a process's usage is not known.
pub(crate) enum NoUsage {
    /// There is no such process.
    Gone,
    /// There is, but we may not look.
    Hidden,
}

/// Names that are never given again: of a process, and of the one that started
/// it. A process always has a greater one than those that were there before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) id: u64,
    pub(crate) parent: u64,
}

/// What is asked of a system.
pub(crate) trait Processes {
    /// Time that passed on all cores together, in nanoseconds since any moment.
    fn cores_ns(&self) -> Option<u64>;
    fn usage(&self, pid: i32) -> Result<Usage, NoUsage>;
    /// `None` when it is gone.
    fn is_zombie(&self, pid: i32) -> Option<bool>;
    fn birth(&self, pid: i32) -> Option<Birth>;
    /// The children of `pid`, in place of what `into` held; none on an error.
    fn children(&self, pid: i32, into: &mut Vec<i32>);
}

/// A process tree.
pub(crate) struct Family<P> {
    processes: P,
    root: i32,
    with_root: bool,
    /// When the root started, once seen: its number may be given out again.
    root_start: Option<u64>,
    root_id: Option<u64>,
    members: Vec<Member>,
    /// Those of all that ever were in the tree, and of the root.
    ids: HashSet<u64>,
    found: Vec<i32>,
    cpu: Meter<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Member {
    pid: i32,
    start: u64,
}

impl<P: Processes> Family<P> {
    /// The processes below `root`, and itself where `with_root`.
    pub(crate) fn new(processes: P, root: i32, with_root: bool) -> Family<P> {
        Family {
            processes,
            root,
            with_root,
            root_start: None,
            root_id: None,
            members: Vec::new(),
            ids: HashSet::new(),
            found: Vec::new(),
            cpu: Meter::new(),
        }
    }

    /// What the tree uses now. Orphans are looked for if `deep`: there are
    /// hundreds of processes to be asked.
    pub(crate) fn read(&mut self, deep: bool) -> TreeReading {
        let mut reading =
            TreeReading { rss_bytes: Some(0), footprint_bytes: Some(0), ..TreeReading::default() };
        self.sweep(0, &mut reading);
        let old = self.members.len();
        self.look_below();
        if deep {
            reading.incomplete = self.look_for_orphans();
        }
        self.sweep(old, &mut reading);
        if deep {
            let counters = self.cpu_counters();
            reading.cpu_pct = self.cpu.read(counters);
        }
        reading
    }

    /// The root first, and the members as they joined, so parents before their
    /// children. `None` if one may not be asked.
    fn cpu_counters(&self) -> Option<Counters<Member>> {
        let time = |pid, start| match self.processes.usage(pid) {
            Ok(usage) if usage.start == start => usage.cpu_ns.map(Some),
            Ok(_) | Err(NoUsage::Gone) => Some(None),
            Err(NoUsage::Hidden) => None,
        };
        let mut counters = Counters::new(self.processes.cores_ns()?);
        if let Some(start) = self.root_start.filter(|_| !self.with_root) {
            counters.root_waited = time(self.root, start)?.map_or(0, |time| time.waited);
        }
        for member in &self.members {
            // Who is gone by now has ended.
            counters.members.extend(time(member.pid, member.start)?.map(|time| (*member, time)));
        }
        Some(counters)
    }

    /// Adds up the members from `first` on, and drops those that are gone.
    fn sweep(&mut self, first: usize, reading: &mut TreeReading) {
        let mut index = first;
        while let Some(member) = self.members.get(index) {
            let usage = match self.processes.usage(member.pid) {
                Ok(usage) if usage.start == member.start => Some(usage),
                Err(NoUsage::Hidden) => None,
                // Its number was given to another, or to nobody.
                Ok(_) | Err(NoUsage::Gone) => {
                    self.members.remove(index);
                    continue;
                }
            };
            index += 1;
            reading.pids.push(member.pid);
            if usage.is_some_and(|usage| usage.ended)
                || self.processes.is_zombie(member.pid) == Some(true)
            {
                reading.zombies += 1;
                continue;
            }
            reading.procs += 1;
            // A sum without one of its parts would be wrong.
            let add = |sum: Option<u64>, part: Option<u64>| sum?.checked_add(part?);
            reading.rss_bytes = add(reading.rss_bytes, usage.map(|usage| usage.rss_bytes));
            reading.footprint_bytes =
                add(reading.footprint_bytes, usage.map(|usage| usage.footprint_bytes));
        }
    }

    /// Adds the children of the root, and of all members.
    fn look_below(&mut self) {
        let mut queue: Vec<i32> = self.members.iter().map(|member| member.pid).collect();
        if let Ok(usage) = self.processes.usage(self.root)
            && *self.root_start.get_or_insert(usage.start) == usage.start
        {
            if self.root_id.is_none() {
                self.root_id = self.processes.birth(self.root).map(|birth| birth.id);
                self.ids.extend(self.root_id);
            }
            if self.with_root {
                self.add(self.root);
            }
            queue.push(self.root);
        }
        self.add_below(queue);
    }

    fn add_below(&mut self, mut queue: Vec<i32>) {
        while let Some(parent) = queue.pop() {
            let mut found = std::mem::take(&mut self.found);
            self.processes.children(parent, &mut found);
            queue.extend(found.iter().filter(|child| **child != self.root && self.add(**child)));
            self.found = found;
        }
    }

    /// Adds the orphans that a member started. Whether there are others that
    /// may be ours: started by somebody who was never seen, and who began
    /// after the root did.
    fn look_for_orphans(&mut self) -> Option<bool> {
        let root_id = self.root_id?;
        let mut orphans = Vec::new();
        self.processes.children(FIRST, &mut orphans);
        orphans.retain(|pid| *pid != self.root && !self.has(*pid));
        let mut births: Vec<(i32, Birth)> = orphans
            .iter()
            .filter_map(|pid| Some((*pid, self.processes.birth(*pid)?)))
            .filter(|(_, birth)| birth.parent >= root_id)
            .collect();
        // The oldest first: what it started may be an orphan too by now.
        births.sort_unstable_by_key(|(_, birth)| birth.id);
        let mut strangers = false;
        for (pid, birth) in births {
            if !self.ids.contains(&birth.parent) {
                strangers = true;
            } else if self.add(pid) {
                self.add_below(vec![pid]);
            }
        }
        Some(strangers)
    }

    fn has(&self, pid: i32) -> bool {
        self.members.iter().any(|member| member.pid == pid)
    }

    /// Adds a process; false if it is in the tree already, or gone.
    fn add(&mut self, pid: i32) -> bool {
        if self.has(pid) {
            return false;
        }
        let start = match self.processes.usage(pid) {
            Ok(usage) => usage.start,
            // Another user's: counted, but what it uses is not known.
            Err(NoUsage::Hidden) => 0,
            Err(NoUsage::Gone) => return false,
        };
        self.ids.extend(self.processes.birth(pid).map(|birth| birth.id));
        self.members.push(Member { pid, start });
        true
    }
}

#[cfg(test)]
mod tests;
