//! A process tree on Linux.

use nix::unistd::{SysconfVar, sysconf};

use super::census::{Census, Fate, is_gone};
use super::process;
use super::shares::Shares;
use crate::cpu_time::{Counters, CpuTime, Meter};
use crate::decode::pid_stat::PidStat;
use crate::decode::stat::CpuTimes;
use crate::machine::Roots;
use crate::tree::TreeReading;

/// One process of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) start_ticks: u64,
}

/// In larger trees the processor time is not read: all of it must be read at once, at some
/// 5 µs a process, and a sample would take too long.
const CPU_MEMBERS: usize = 500;

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
    cpu: Meter<Member>,
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
            cpu: Meter::new(),
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
        let cpu_pct =
            if deep && self.members.len() <= CPU_MEMBERS { self.read_cpu() } else { None };
        TreeReading {
            procs: count(self.running.len()),
            rss_bytes: rss_pages
                .zip(self.page_bytes)
                .and_then(|(pages, bytes)| pages.checked_mul(bytes)),
            pss_bytes: self.shares.read(&self.running, deep, &mut self.census),
            cpu_pct,
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

    fn read_cpu(&mut self) -> Option<f64> {
        let now = self.cpu_counters();
        self.cpu.read(now)
    }

    /// In ticks. The root first, and the members as they joined, so parents before
    /// their children. `None` if one cannot be read.
    fn cpu_counters(&mut self) -> Option<Counters<Member>> {
        let census = &mut self.census;
        let stat = census.proc.join("stat");
        let machine = CpuTimes::parse(census.scratch.read_path(&stat).ok()?)?.total();
        let mut counters = Counters::new(machine);
        if let Some(start_ticks) = self.root_start.filter(|_| !self.with_root) {
            let root = Member { pid: self.root, start_ticks };
            counters.root_waited = cpu_time(root, census)?.map_or(0, |time| time.waited);
        }
        for member in &self.members {
            // Who is gone by now has ended.
            counters.members.extend(cpu_time(*member, census)?.map(|time| (*member, time)));
        }
        Some(counters)
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

/// What a process has used, or nothing if it is gone; `None` if it cannot be read.
fn cpu_time(member: Member, census: &mut Census) -> Option<Option<CpuTime>> {
    let stat = process::open(&census.proc, member.pid, "stat")
        .and_then(|file| census.scratch.read(&file).map(PidStat::parse));
    match stat {
        Ok(stat) => Some(
            Some(stat?)
                .filter(|stat| stat.start_ticks == member.start_ticks)
                .map(|stat| CpuTime { own: stat.cpu_ticks, waited: stat.waited_ticks }),
        ),
        Err(error) => is_gone(&error).then_some(None),
    }
}

/// The sum of two measured numbers; unknown if either is.
fn add(sum: Option<u64>, part: Option<u64>) -> Option<u64> {
    sum?.checked_add(part?)
}

fn count(processes: usize) -> u32 {
    u32::try_from(processes).unwrap_or(u32::MAX)
}
