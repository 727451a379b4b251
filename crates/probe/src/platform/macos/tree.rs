//! A process tree on macOS, and the zombies of the system.
//!
//! Orphans go to launchd here, whoever their grandparent is, so a process is
//! held on to once it has been seen: by number and start.

use super::sys::process::{NoUsage, all, children, is_zombie, usage};
use crate::machine::Roots;
use crate::sources::Sources;
use crate::tree::TreeReading;

/// One process of the tree.
struct Member {
    pid: i32,
    start: u64,
}

/// A process tree.
pub(crate) struct Tree {
    root: i32,
    with_root: bool,
    /// When the root started, once seen: its number may be given out again.
    root_start: Option<u64>,
    members: Vec<Member>,
    found: Vec<i32>,
}

impl Tree {
    pub(crate) fn new(_: &Roots, pid: i32, with_root: bool) -> Tree {
        Tree { root: pid, with_root, root_start: None, members: Vec::new(), found: Vec::new() }
    }

    pub(crate) fn read(&mut self, _deep: bool) -> TreeReading {
        self.members.retain(|member| match usage(member.pid) {
            Ok(usage) => usage.start == member.start,
            Err(NoUsage::Hidden) => true,
            Err(NoUsage::Gone) => false,
        });
        self.look_for_more();

        let mut reading =
            TreeReading { rss_bytes: Some(0), footprint_bytes: Some(0), ..TreeReading::default() };
        for member in &self.members {
            let usage = match usage(member.pid) {
                Ok(usage) if usage.start != member.start => continue,
                Ok(usage) => Some(usage),
                Err(NoUsage::Gone) => continue,
                Err(NoUsage::Hidden) => None,
            };
            reading.pids.push(member.pid);
            let ended = usage.as_ref().is_some_and(|usage| usage.ended);
            if ended || is_zombie(member.pid) == Some(true) {
                reading.zombies += 1;
                continue;
            }
            reading.procs += 1;
            // A sum without one of its parts would be wrong.
            let add = |sum: Option<u64>, part: Option<u64>| sum?.checked_add(part?);
            reading.rss_bytes = add(reading.rss_bytes, usage.as_ref().map(|usage| usage.rss_bytes));
            reading.footprint_bytes =
                add(reading.footprint_bytes, usage.as_ref().map(|usage| usage.footprint_bytes));
        }
        reading
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        Census.zombies()
    }

    fn look_for_more(&mut self) {
        let mut queue: Vec<i32> = self.members.iter().map(|member| member.pid).collect();
        if let Ok(usage) = usage(self.root)
            && *self.root_start.get_or_insert(usage.start) == usage.start
        {
            if self.with_root {
                self.add(self.root);
            }
            queue.push(self.root);
        }
        while let Some(parent) = queue.pop() {
            children(parent, &mut self.found);
            for index in 0..self.found.len() {
                let child = self.found[index];
                if child != self.root && self.add(child) {
                    queue.push(child);
                }
            }
        }
    }

    /// Adds a process; false if it is in the tree already, or gone.
    fn add(&mut self, pid: i32) -> bool {
        if self.members.iter().any(|member| member.pid == pid) {
            return false;
        }
        let start = match usage(pid) {
            Ok(usage) => usage.start,
            // Another user's: counted, but what it uses is not known.
            Err(NoUsage::Hidden) => 0,
            Err(NoUsage::Gone) => return false,
        };
        self.members.push(Member { pid, start });
        true
    }
}

/// All processes; nothing is worth keeping between two counts.
pub(crate) struct Census;

impl Census {
    pub(crate) fn new(_: &Roots) -> Census {
        Census
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        let mut pids = Vec::new();
        if !all(&mut pids) {
            return None;
        }
        let count = pids.iter().filter(|pid| is_zombie(**pid) == Some(true)).count();
        u32::try_from(count).ok()
    }
}

/// Says where the numbers of process trees come from.
pub(super) fn note_sources(sources: &mut Sources) {
    sources.found("tree_rss_gb", "proc_pid_rusage ri_resident_size");
    sources.found("tree_footprint_gb", "proc_pid_rusage ri_phys_footprint");
    sources.missing("tree_pss_gb", "macOS does not split shared pages");
    sources.found("tree_procs", "proc_listpids(PROC_PPID_ONLY)");
    sources.found("zombies", "proc_pidinfo(PROC_PIDT_SHORTBSDINFO) status");
}
