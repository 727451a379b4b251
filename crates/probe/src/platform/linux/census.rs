//! All processes of the system, looked at as little as possible: who is new is
//! asked once for its parent, who is known only whether it still has memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};

use super::file::Scratch;
use super::listing::{Entry, Listing};
use super::newest::{Newest, Started};
use super::process;
use crate::decode::statm;
use crate::machine::Roots;

/// Files kept open at most: half of what a process may usually have.
const MOST_KEPT: usize = 512;

/// Threads of the kernel end unnoticed, and a process can be given a number of its
/// own choice: so all are listed now and then.
const ALL_EVERY: Duration = Duration::from_secs(30);

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
    kin: Kin,
    /// Was just asked for its state, with this answer.
    fresh: Option<Fate>,
    /// The full listing that it was last seen in, or the last one before it was met.
    listing: u64,
}

/// What a process is to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kin {
    /// Nobody has looked, or one of its ancestors could not be asked.
    Unclear,
    /// Not in it, nor can it come into it any more: its line of ancestors is known,
    /// and a process does not get into a tree that it was not born into.
    Stranger,
    /// In it.
    Member,
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
    /// `None` where there is no such directory.
    processes: Option<Listing>,
    /// Counts the full listings, and when the last one was.
    listing: u64,
    listed: Option<Instant>,
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
            processes: Listing::open(&roots.proc).ok(),
            listing: 0,
            listed: None,
            kept: 0,
            most_kept: usize::try_from(limit).map_or(MOST_KEPT, |limit| limit.min(MOST_KEPT)),
            scratch,
        }
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        self.refresh();
        self.zombies_outside()
    }

    /// Zombies among those known that are not in the tree; `None` where not one
    /// process can be read, since 0 would be made up.
    pub(super) fn zombies_outside(&mut self) -> Option<u32> {
        if self.known.is_empty() {
            return None;
        }
        let is_asked = |(pid, process): (&i32, &Process)| {
            (!process.is_kernel && process.kin != Kin::Member).then_some(*pid)
        };
        let pids: Vec<i32> = self.known.iter().filter_map(is_asked).collect();
        let zombies = pids.into_iter().filter(|pid| self.look(*pid) == Fate::Zombie).count();
        u32::try_from(zombies).ok()
    }

    /// Learns who was started since the last time, and forgets who has ended;
    /// whether there may be anyone new.
    pub(super) fn refresh(&mut self) -> bool {
        let is_old = self.listed.is_none_or(|listed| listed.elapsed() >= ALL_EVERY);
        match self.newest.since_last(&mut self.scratch) {
            // Those who end without another being started are found out when looked at.
            Started::Nothing if !is_old => return false,
            Started::Above(pid) if !is_old => {
                let listing = self.processes.as_mut();
                let entries = listing.and_then(|list| list.above(pid).ok()).unwrap_or_default();
                self.meet_new(&entries);
            }
            _ => {
                let listing = self.processes.as_mut();
                let entries = listing.and_then(|list| list.all().ok()).unwrap_or_default();
                self.listed = Some(Instant::now());
                self.listing += 1;
                self.meet_new(&entries);
                let listing = self.listing;
                self.known.retain(|_, process| process.listing == listing);
                // Now and then, so that it need not be counted at every change.
                let is_kept = |process: &&Process| process.statm.is_some();
                self.kept = self.known.values().filter(is_kept).count();
            }
        }
        true
    }

    fn meet_new(&mut self, entries: &[Entry]) {
        for entry in entries {
            match self.known.get_mut(&entry.pid) {
                Some(process) if process.inode == entry.inode => process.listing = self.listing,
                _ => self.meet(entry),
            }
        }
    }

    /// Asks a process who it is.
    fn meet(&mut self, entry: &Entry) {
        let Some(stat) = process::stat(&self.proc, entry.pid, &mut self.scratch) else {
            return;
        };
        if let Some(process) = self.known.get_mut(&entry.pid)
            && process.start_ticks == stat.start_ticks
        {
            // The kernel dropped its inode for want of memory, and made another.
            process.inode = entry.inode;
            process.listing = self.listing;
            return;
        }
        let fate = match stat.is_zombie() {
            true => Fate::Zombie,
            false => Fate::Runs(Some(stat.resident_pages)),
        };
        let process = Process {
            inode: entry.inode,
            start_ticks: stat.start_ticks,
            ppid: stat.ppid,
            statm: None,
            is_kernel: stat.is_kernel_thread(),
            kin: Kin::Unclear,
            fresh: Some(fate),
            listing: self.listing,
        };
        self.known.insert(entry.pid, process);
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

    /// Takes a known process into the tree.
    pub(super) fn join(&mut self, pid: i32) {
        if let Some(process) = self.known.get_mut(&pid) {
            process.kin = Kin::Member;
        }
    }

    /// Takes those into the tree that are below `root` or a member. `root` is `None`
    /// when it has ended; its orphans are members then.
    pub(super) fn newcomers(&mut self, root: Option<i32>) -> Vec<i32> {
        let known = &mut self.known;
        let is_unclear =
            |(pid, process): &(&i32, &Process)| process.kin == Kin::Unclear && Some(**pid) != root;
        let unclear = known.iter().filter(is_unclear);
        let mut unclear: Vec<(i32, i32)> = unclear.map(|(pid, p)| (*pid, p.ppid)).collect();
        let mut found = Vec::new();
        for (kin, end) in [(Kin::Member, root), (Kin::Stranger, Some(0))] {
            move_out(&mut unclear, |pid, parent| {
                let above = known.get(&parent).map(|parent| parent.kin);
                let is_kin = Some(parent) == end || above == Some(kin);
                if let Some(process) = known.get_mut(&pid).filter(|_| is_kin) {
                    process.kin = kin;
                    if kin == Kin::Member {
                        found.push(pid);
                    }
                }
                is_kin
            });
        }
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
