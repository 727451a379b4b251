//! All processes of the system, looked at as little as possible: who is new is
//! asked once for its parent, who is known only whether it still has memory.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

use super::file::Scratch;
use super::newest::Newest;
use super::process;
use super::tree::Member;
use crate::decode::statm;
use crate::machine::Roots;

/// Files kept open at most: half of what a process may usually have.
const MOST_KEPT: usize = 512;

/// What is known of a process.
struct Process {
    /// Inode of its directory. The kernel gives a new one to each process, so a
    /// number given out again shows in a listing alone.
    inode: u64,
    /// With the number, it names one process for good.
    start_ticks: u64,
    ppid: i32,
    /// `/proc/PID/statm`. An open one never turns into another process's.
    statm: Option<File>,
    /// A thread of the kernel: has no memory, and is never left a zombie.
    is_kernel: bool,
    /// Not in the tree, nor can it come into it any more: its line of ancestors
    /// is known, and a process does not get into a tree that it was not born into.
    is_stranger: bool,
    /// Was just asked for its state, with this answer.
    fresh: Option<Fate>,
    /// The listing that it was last seen in.
    listing: u64,
}

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Runs, with so many resident pages if they could be read.
    Runs(Option<u64>),
    /// Ended, but nobody waited for it.
    Zombie,
    /// No longer there.
    Gone,
}

/// All processes.
pub(crate) struct Census {
    pub(super) proc: PathBuf,
    known: HashMap<i32, Process>,
    newest: Newest,
    listing: u64,
    kept: usize,
    most_kept: usize,
    pub(super) scratch: Scratch,
}

impl Census {
    pub(crate) fn new(roots: &Roots) -> Census {
        let mut scratch = Scratch::new();
        // The rest of what we may open is for others in the same process.
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(256, |(soft, _)| soft / 2);
        Census {
            proc: roots.proc.clone(),
            known: HashMap::new(),
            newest: Newest::open(roots, &mut scratch),
            listing: 0,
            kept: 0,
            most_kept: usize::try_from(limit).map_or(MOST_KEPT, |limit| limit.min(MOST_KEPT)),
            scratch,
        }
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        self.refresh();
        self.count_zombies(&HashSet::new())
    }

    /// Zombies among those known that are not in `without`; `None` where not one
    /// process can be read, since 0 would be made up.
    pub(super) fn count_zombies(&mut self, without: &HashSet<i32>) -> Option<u32> {
        if self.known.is_empty() {
            return None;
        }
        let is_asked = |(pid, process): (&i32, &Process)| {
            (!process.is_kernel && !without.contains(pid)).then_some(*pid)
        };
        let pids: Vec<i32> = self.known.iter().filter_map(is_asked).collect();
        let zombies = pids.into_iter().filter(|pid| self.look(*pid) == Fate::Zombie).count();
        u32::try_from(zombies).ok()
    }

    /// Learns who was started since the last time, and forgets who has ended.
    pub(super) fn refresh(&mut self) {
        // Those who end without another being started are found out when looked at.
        if !self.newest.changed(&mut self.scratch) {
            return;
        }
        let Some(entries) = process::list(&self.proc) else {
            self.known.clear();
            return;
        };
        self.listing += 1;
        let mut unclear = Vec::new();
        for entry in entries {
            match self.known.get_mut(&entry.pid) {
                Some(process) if process.inode == entry.inode => process.listing = self.listing,
                _ => unclear.push(entry),
            }
        }
        for entry in unclear {
            self.meet(entry.pid, entry.inode);
        }
        let listing = self.listing;
        self.known.retain(|_, process| process.listing == listing);
        // Once in a listing, so that it need not be counted at every change.
        self.kept = self.known.values().filter(|process| process.statm.is_some()).count();
    }

    /// Asks a process who it is; its start, or nothing if it is gone.
    pub(super) fn meet(&mut self, pid: i32, inode: u64) -> Option<u64> {
        let stat = process::stat(&self.proc, pid, &mut self.scratch)?;
        let fresh = match stat.is_zombie() {
            true => Fate::Zombie,
            false => Fate::Runs(Some(stat.resident_pages)),
        };
        if let Some(process) = self.known.get_mut(&pid)
            && process.start_ticks == stat.start_ticks
        {
            // The kernel dropped its inode for want of memory, and made another.
            process.inode = inode;
            process.listing = self.listing;
            return Some(stat.start_ticks);
        }
        let process = Process {
            inode,
            start_ticks: stat.start_ticks,
            ppid: stat.ppid,
            statm: None,
            is_kernel: stat.is_kernel_thread(),
            is_stranger: false,
            fresh: Some(fresh),
            listing: self.listing,
        };
        self.known.insert(pid, process);
        Some(stat.start_ticks)
    }

    /// When a known process started.
    pub(super) fn start_ticks(&self, pid: i32) -> Option<u64> {
        Some(self.known.get(&pid)?.start_ticks)
    }

    /// How a process is now. One that is gone is forgotten.
    pub(super) fn look(&mut self, pid: i32) -> Fate {
        let fate = self.look_closely(pid, None);
        if fate == Fate::Gone {
            self.known.remove(&pid);
        }
        fate
    }

    /// As `look`, for one in the tree, which is read far more often than others:
    /// `start_ticks` says which one is meant.
    pub(super) fn look_at_member(&mut self, pid: i32, start_ticks: u64) -> Fate {
        let fate = self.look_closely(pid, Some(start_ticks));
        let is_meant = |process: &Process| process.start_ticks == start_ticks;
        if fate == Fate::Gone && self.known.get(&pid).is_some_and(is_meant) {
            self.known.remove(&pid);
        }
        fate
    }

    fn look_closely(&mut self, pid: i32, member: Option<u64>) -> Fate {
        // Others leave half of the files to the members of a tree.
        let most = if member.is_some() { self.most_kept } else { self.most_kept / 2 };
        let Some(process) = self.known.get_mut(&pid) else {
            return Fate::Gone;
        };
        if member.is_some_and(|start_ticks| process.start_ticks != start_ticks) {
            return Fate::Gone;
        }
        if let Some(fate) = process.fresh.take() {
            return fate;
        }
        let pages = match &process.statm {
            Some(file) => self.scratch.read(file).map(statm::resident_pages),
            None => process::open(&self.proc, pid, "statm").and_then(|file| {
                let pages = self.scratch.read(&file).map(statm::resident_pages);
                if self.kept < most {
                    self.kept += 1;
                    process.statm = Some(file);
                }
                pages
            }),
        };
        match pages {
            // Nothing is resident: it is ending, or has.
            Ok(Some(0)) => match process::stat(&self.proc, pid, &mut self.scratch) {
                Some(stat) if stat.start_ticks != process.start_ticks => Fate::Gone,
                Some(stat) if stat.is_zombie() => Fate::Zombie,
                Some(_) => Fate::Runs(Some(0)),
                None => Fate::Gone,
            },
            Ok(pages) => Fate::Runs(pages),
            Err(error) if is_gone(&error) => Fate::Gone,
            Err(_) => Fate::Runs(None),
        }
    }

    /// Those below `root` and the `members`, themselves not among these; `root` is
    /// `None` when it has ended, and its orphans are then known.
    pub(super) fn newcomers(&mut self, root: Option<i32>, members: &[Member]) -> Vec<i32> {
        // A member's number may have been given out again since it was looked at; its
        // new owner must not pass the membership on, and is looked at next time.
        let lives = |member: &&Member| self.start_ticks(member.pid) == Some(member.start_ticks);
        let living = members.iter().filter(lives).map(|member| member.pid);
        let mut family: HashSet<i32> = living.chain(root).collect();
        let taken: HashSet<i32> = members.iter().map(|member| member.pid).chain(root).collect();
        let mut unclear: Vec<(i32, i32)> = self
            .known
            .iter()
            .filter(|(pid, process)| !process.is_stranger && !taken.contains(pid))
            .map(|(pid, process)| (*pid, process.ppid))
            .collect();
        let mut found = Vec::new();
        move_out(&mut unclear, |pid, parent| {
            let belongs = family.contains(&parent);
            if belongs {
                family.insert(pid);
                found.push(pid);
            }
            belongs
        });
        move_out(&mut unclear, |pid, parent| {
            let parents = self.known.get(&parent);
            let is_stranger = parent == 0 || parents.is_some_and(|parent| parent.is_stranger);
            if is_stranger && let Some(process) = self.known.get_mut(&pid) {
                process.is_stranger = true;
            }
            is_stranger
        });
        for (pid, _) in unclear {
            // Its parent, or one above, ended before we could ask it, and it may
            // have been handed to someone in the tree: ask it anew.
            if let Some(stat) = process::stat(&self.proc, pid, &mut self.scratch)
                && let Some(process) = self.known.get_mut(&pid)
            {
                process.ppid = stat.ppid;
            }
        }
        found
    }
}

/// Takes out what `takes` wants, again and again until it wants nothing more.
fn move_out(pairs: &mut Vec<(i32, i32)>, mut takes: impl FnMut(i32, i32) -> bool) {
    loop {
        let before = pairs.len();
        pairs.retain(|(pid, parent)| !takes(*pid, *parent));
        if pairs.len() == before {
            return;
        }
    }
}

/// A process that ended: its files vanish, and open ones know no process.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ESRCH as i32)
}
