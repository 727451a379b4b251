//! A process tree on Linux.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::unistd::{SysconfVar, sysconf};

use super::children::Finder;
use super::file::Scratch;
use super::newest::Newest;
use super::process;
use crate::decode::{smaps_rollup, statm};
use crate::machine::Roots;
use crate::tree::TreeReading;

/// Files kept open at most, so that a tree of thousands does not use up the
/// descriptors of its watcher; the rest are opened for each read.
const KEEP_OPEN: usize = 256;

/// One process of the tree.
struct Member {
    pid: i32,
    inode: u64,
    start_ticks: u64,
    /// `/proc/PID/statm`. An open one never turns into another process's.
    statm: Option<File>,
}

/// A process tree.
pub(crate) struct Tree {
    proc: PathBuf,
    root: i32,
    with_root: bool,
    /// The root's inode, once seen.
    root_inode: Option<u64>,
    members: Vec<Member>,
    finder: Finder,
    newest: Newest,
    page_bytes: Option<u64>,
    scratch: Scratch,
}

impl Tree {
    pub(crate) fn new(roots: &Roots, pid: i32, with_root: bool) -> Tree {
        let mut scratch = Scratch::new();
        Tree {
            proc: roots.proc.clone(),
            root: pid,
            with_root,
            root_inode: None,
            members: Vec::new(),
            finder: Finder::probe(&roots.proc, pid),
            newest: Newest::open(roots, &mut scratch),
            page_bytes: sysconf(SysconfVar::PAGE_SIZE)
                .ok()
                .flatten()
                .and_then(|bytes| u64::try_from(bytes).ok()),
            scratch,
        }
    }

    pub(crate) fn read(&mut self, deep: bool) -> TreeReading {
        // Asked first: what starts after this shows in the next read.
        let started = self.newest.changed(&mut self.scratch);
        let mut sums = Sums::default();
        self.sweep(0, deep, &mut sums);
        if deep {
            self.finder.forget();
        }
        if deep || started {
            let old = self.members.len();
            self.look_for_more();
            self.sweep(old, deep, &mut sums);
        }
        TreeReading {
            procs: sums.procs,
            rss_bytes: sums
                .rss_pages
                .zip(self.page_bytes)
                .and_then(|(pages, bytes)| pages.checked_mul(bytes)),
            pss_bytes: sums.pss_bytes.filter(|_| deep),
            footprint_bytes: None,
            incomplete: None,
            zombies: sums.zombies,
            pids: self.members.iter().map(|member| member.pid).collect(),
        }
    }

    /// Reads the members from `first` on and drops those that are gone.
    fn sweep(&mut self, first: usize, deep: bool, sums: &mut Sums) {
        let mut index = first;
        while index < self.members.len() {
            match self.read_member(index) {
                Fate::Runs(pages) => {
                    sums.procs += 1;
                    sums.rss_pages = add(sums.rss_pages, pages);
                    if deep {
                        self.add_pss(self.members[index].pid, sums);
                    }
                }
                Fate::Zombie => sums.zombies += 1,
                Fate::Gone => {
                    self.members.remove(index);
                    continue;
                }
            }
            index += 1;
        }
    }

    fn read_member(&mut self, index: usize) -> Fate {
        let member = &self.members[index];
        let pages = match &member.statm {
            Some(file) => self.scratch.read(file).map(statm::resident_pages),
            None => process::open(&self.proc, member.pid, "statm")
                .and_then(|file| self.scratch.read(&file).map(statm::resident_pages)),
        };
        let pages = match pages {
            // Nothing is resident: it is ending, or has.
            Ok(Some(0)) => {
                let stat = process::stat(&self.proc, member.pid, &mut self.scratch);
                return match stat {
                    Some(stat) if stat.start_ticks != member.start_ticks => Fate::Gone,
                    Some(stat) if stat.is_zombie() => Fate::Zombie,
                    Some(_) => Fate::Runs(Some(0)),
                    None => Fate::Gone,
                };
            }
            Ok(pages) => pages,
            Err(error) if is_gone(&error) => return Fate::Gone,
            Err(_) => None,
        };
        Fate::Runs(pages)
    }

    fn add_pss(&mut self, pid: i32, sums: &mut Sums) {
        let text = process::open(&self.proc, pid, "smaps_rollup")
            .and_then(|file| self.scratch.read(&file).map(smaps_rollup::pss_bytes));
        match text {
            Ok(bytes) => sums.pss_bytes = add(sums.pss_bytes, bytes),
            // Ended, or ending: nothing is its share any more.
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => {}
            Err(error) if is_gone(&error) && !self.is_listed(pid) => {}
            // A sum without one of its parts would be wrong.
            Err(_) => sums.pss_bytes = None,
        }
    }

    /// Whether `/proc` has a directory for the process.
    fn is_listed(&self, pid: i32) -> bool {
        self.proc.join(pid.to_string()).exists()
    }

    fn look_for_more(&mut self) {
        let inode = |pid: i32| Some(self.proc.join(pid.to_string()).metadata().ok()?.ino());
        let now = inode(self.root);
        // The same number with another inode is another process.
        let is_same = now.is_some() && (self.root_inode.is_none() || self.root_inode == now);
        let is_new = is_same && self.root_inode.is_none();
        if is_new {
            self.root_inode = now;
        }
        let root = is_same.then_some(self.root);
        if self.with_root && is_new {
            self.add(self.root);
        }
        let known: HashMap<i32, u64> =
            self.members.iter().map(|member| (member.pid, member.inode)).collect();
        let found = self.finder.newcomers(&self.proc, root, &known, &mut self.scratch);
        for pid in found {
            self.members.retain(|member| member.pid != pid);
            self.add(pid);
        }
    }

    /// Adds a process unless it is gone already.
    fn add(&mut self, pid: i32) {
        let Ok(dir) = self.proc.join(pid.to_string()).metadata() else {
            return;
        };
        let statm = process::open(&self.proc, pid, "statm").ok();
        let Some(stat) = process::stat(&self.proc, pid, &mut self.scratch) else {
            return;
        };
        self.members.push(Member {
            pid,
            inode: dir.ino(),
            start_ticks: stat.start_ticks,
            statm: statm.filter(|_| self.members.len() < KEEP_OPEN),
        });
    }
}

/// What became of a member.
enum Fate {
    /// Runs, with so many resident pages if they could be read.
    Runs(Option<u64>),
    /// Ended, but nobody waited for it.
    Zombie,
    /// No longer there.
    Gone,
}

/// Sums over the members; memory turns `None` when that of one is unknown.
struct Sums {
    procs: u32,
    zombies: u32,
    rss_pages: Option<u64>,
    pss_bytes: Option<u64>,
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { procs: 0, zombies: 0, rss_pages: Some(0), pss_bytes: Some(0) }
    }
}

/// The sum of two measured numbers; unknown if either is.
fn add(sum: Option<u64>, part: Option<u64>) -> Option<u64> {
    sum?.checked_add(part?)
}

/// A process that ended: its files vanish, and open ones know no process.
fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ESRCH as i32)
}
