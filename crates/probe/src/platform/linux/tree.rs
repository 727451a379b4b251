//! A process tree on Linux.

use nix::unistd::{SysconfVar, sysconf};

use super::census::{Census, Fate};
use super::shares::Shares;
use crate::machine::Roots;
use crate::tree::TreeReading;

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
    /// When the root started, once seen.
    root_start: Option<u64>,
    members: Vec<Member>,
    /// Those of them that were no zombies at the last read.
    running: Vec<Member>,
    shares: Shares,
    page_bytes: Option<u64>,
}

impl Tree {
    pub(crate) fn new(roots: &Roots, pid: i32, with_root: bool) -> Tree {
        Tree {
            census: Census::new(roots),
            root: pid,
            with_root,
            root_start: None,
            members: Vec::new(),
            running: Vec::new(),
            shares: Shares::default(),
            page_bytes: sysconf(SysconfVar::PAGE_SIZE)
                .ok()
                .flatten()
                .and_then(|bytes| u64::try_from(bytes).ok()),
        }
    }

    pub(crate) fn read(&mut self, deep: bool) -> TreeReading {
        if self.census.refresh() || deep {
            self.look_for_more();
        }
        let rss_pages = self.sweep();
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
        let others = self.census.zombies_outside()?;
        others.checked_add(self.zombies_inside())
    }

    fn zombies_inside(&self) -> u32 {
        count(self.members.len() - self.running.len())
    }

    /// Looks at the members and drops those that are gone. The pages resident for
    /// the rest; unknown if those of one are.
    fn sweep(&mut self) -> Option<u64> {
        self.running.clear();
        let mut pages = Some(0);
        self.members.retain(|member| {
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

    fn look_for_more(&mut self) {
        let now = self.census.start_ticks(self.root);
        let is_first = self.root_start.is_none();
        self.root_start = self.root_start.or(now);
        // The same number with another start is another process.
        let root = now.filter(|_| now == self.root_start).map(|_| self.root);
        if let Some(pid) = root.filter(|_| self.with_root && is_first) {
            self.census.join(pid);
            self.members.extend(self.member(pid));
        }
        for pid in self.census.newcomers(root) {
            self.members.extend(self.member(pid));
        }
    }

    fn member(&self, pid: i32) -> Option<Member> {
        Some(Member { pid, start_ticks: self.census.start_ticks(pid)? })
    }
}

/// The sum of two measured numbers; unknown if either is.
fn add(sum: Option<u64>, part: Option<u64>) -> Option<u64> {
    sum?.checked_add(part?)
}

fn count(processes: usize) -> u32 {
    u32::try_from(processes).unwrap_or(u32::MAX)
}
