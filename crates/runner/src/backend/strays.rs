//! Processes that a backend started and that left its process group: daemons, workers
//! with a session of their own.
//!
//! Each process that we start has a mark in its environment, which all that it starts
//! inherit. On Linux whoever has the mark is found by it, even when its parents are
//! long gone; besides, and on macOS only so, whoever descends from it.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use nix::unistd::{Pid, getpgid};
use probe::Tree;

/// The variable with the mark.
const VARIABLE: &str = "RUNNER_STARTED";

/// A mark that no other process of this machine has.
#[derive(Debug)]
pub(super) struct Mark(String);

impl Mark {
    /// Marks what `command` will start.
    pub(super) fn put(command: &mut Command) -> Mark {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{count}-{}", std::process::id(), uuid::Uuid::now_v7().simple());
        command.env(VARIABLE, &mark);
        Mark(mark)
    }

    /// Everything that `process`, which may be gone by now, started and that is not of
    /// its group.
    pub(super) fn strays(&self, process: i32, lives: bool) -> Vec<Pid> {
        let mut found = self.marked();
        if lives {
            found.extend(Tree::descendants_of(process).read(true).pids);
        }
        found.sort_unstable();
        found.dedup();
        let group = Pid::from_raw(process);
        let own = Pid::this();
        found
            .into_iter()
            .map(Pid::from_raw)
            .filter(|pid| *pid != own && getpgid(Some(*pid)).is_ok_and(|of| of != group))
            .filter(|pid| runs(*pid))
            .collect()
    }

    /// Who has the mark. An ended process has no environment any more.
    #[cfg(target_os = "linux")]
    fn marked(&self) -> Vec<i32> {
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        let entry = format!("{VARIABLE}={}", self.0);
        processes
            .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid: &i32| {
                // That of others we may not read, and need not.
                let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environ.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
            })
            .collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn marked(&self) -> Vec<i32> {
        Vec::new()
    }
}

/// Whether the process runs still: one that has ended and that nobody waited for does
/// not.
#[cfg(target_os = "linux")]
pub(super) fn runs(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state may hold anything, brackets too.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn runs(pid: Pid) -> bool {
    nix::sys::signal::kill(pid, None).is_ok()
}
