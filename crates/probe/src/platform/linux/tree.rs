//! A process tree on Linux.

use std::os::unix::fs::MetadataExt;

use nix::unistd::{SysconfVar, sysconf};

use super::census::{Census, Fate};
use super::children;
use super::newest::Newest;
use super::shares::Shares;
use crate::machine::Roots;
use crate::tree::TreeReading;

/// Trees with more members than this are looked for among all processes: asking
/// each member for its children then costs more than listing the system.
const WIDE: usize = 32;

/// One process of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) start_ticks: u64,
}

/// A process tree.
pub(crate) struct Tree {
    census: Census,
    root: i32,
    with_root: bool,
    /// The root's inode, once seen.
    root_inode: Option<u64>,
    members: Vec<Member>,
    /// Those of them that were no zombies at the last read.
    running: Vec<Member>,
    has_children_files: bool,
    newest: Newest,
    shares: Shares,
    page_bytes: Option<u64>,
}

impl Tree {
    pub(crate) fn new(roots: &Roots, pid: i32, with_root: bool) -> Tree {
        let mut census = Census::new(roots);
        Tree {
            root: pid,
            with_root,
            root_inode: None,
            members: Vec::new(),
            running: Vec::new(),
            has_children_files: children::are_listed(&roots.proc, pid),
            newest: Newest::open(roots, &mut census.scratch),
            shares: Shares::default(),
            page_bytes: sysconf(SysconfVar::PAGE_SIZE)
                .ok()
                .flatten()
                .and_then(|bytes| u64::try_from(bytes).ok()),
            census,
        }
    }

    pub(crate) fn read(&mut self, deep: bool) -> TreeReading {
        // Asked first: what starts after this shows in the next read.
        let started = self.newest.changed(&mut self.census.scratch);
        self.running.clear();
        let mut rss_pages = self.sweep(0);
        if deep || started {
            let old = self.members.len();
            self.look_for_more(deep);
            rss_pages = add(rss_pages, self.sweep(old));
        }
        TreeReading {
            procs: count(self.running.len()),
            rss_bytes: rss_pages
                .zip(self.page_bytes)
                .and_then(|(pages, bytes)| pages.checked_mul(bytes)),
            pss_bytes: self.shares.read(&self.running, deep, &mut self.census),
            zombies: self.zombies_inside(),
            pids: self.members.iter().map(|member| member.pid).collect(),
            ..TreeReading::default()
        }
    }

    /// Zombies on the whole system, among those that the last deep read knew.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        let members = self.members.iter().map(|member| member.pid).collect();
        let others = self.census.count_zombies(&members)?;
        others.checked_add(self.zombies_inside())
    }

    fn zombies_inside(&self) -> u32 {
        count(self.members.len() - self.running.len())
    }

    /// Looks at the members from `first` on and drops those that are gone. The
    /// pages resident for the rest; unknown if those of one are.
    fn sweep(&mut self, first: usize) -> Option<u64> {
        let mut pages = Some(0);
        let mut index = 0;
        self.members.retain(|member| {
            index += 1;
            if index <= first {
                return true;
            }
            match self.census.look_at_member(member.pid, member.start_ticks) {
                Fate::Runs(own) => {
                    self.running.push(*member);
                    pages = add(pages, own);
                }
                Fate::Zombie => {}
                Fate::Gone => return false,
            }
            true
        });
        pages
    }

    fn look_for_more(&mut self, deep: bool) {
        let now = self.inode(self.root);
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
        let is_narrow = self.has_children_files && self.members.len() <= WIDE;
        if deep || !is_narrow {
            self.census.refresh();
        }
        let found = if is_narrow {
            let known = self.members.iter().map(|member| member.pid).chain(root);
            children::below(&self.census.proc, known)
        } else {
            self.census.newcomers(root, &self.members)
        };
        for pid in found {
            self.add(pid);
        }
    }

    fn inode(&self, pid: i32) -> Option<u64> {
        Some(self.census.proc.join(pid.to_string()).metadata().ok()?.ino())
    }

    /// Adds a process unless it is gone already.
    fn add(&mut self, pid: i32) {
        let meet = |census: &mut Census| {
            let inode = census.proc.join(pid.to_string()).metadata().ok()?.ino();
            census.meet(pid, inode)
        };
        let known = self.census.start_ticks(pid);
        let start_ticks = known.or_else(|| meet(&mut self.census));
        if let Some(start_ticks) = start_ticks {
            self.members.push(Member { pid, start_ticks });
        }
    }
}

/// The sum of two measured numbers; unknown if either is.
fn add(sum: Option<u64>, part: Option<u64>) -> Option<u64> {
    sum?.checked_add(part?)
}

fn count(processes: usize) -> u32 {
    u32::try_from(processes).unwrap_or(u32::MAX)
}
