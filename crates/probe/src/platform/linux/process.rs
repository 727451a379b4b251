//! Single processes in `/proc`.

use std::fs::File;
use std::os::unix::fs::DirEntryExt;
use std::path::Path;

use super::file::Scratch;
use crate::decode::pid_stat::PidStat;
use crate::machine::Roots;
use crate::sources::Sources;

/// A directory of `/proc` that belongs to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    /// The directory's inode. The kernel gives a new one to each process, so a
    /// number given out again is told from the old one without opening a file.
    pub(super) inode: u64,
}

/// All processes, in no particular order; `None` when they cannot be listed.
pub(super) fn list(proc: &Path) -> Option<impl Iterator<Item = Entry>> {
    let entries = std::fs::read_dir(proc).ok()?;
    Some(entries.flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let inode = entry.ino();
        Some(Entry { pid, inode })
    }))
}

/// A file of the process `pid`. A process that is gone is an error like any
/// other, which callers take as "not there".
pub(super) fn open(proc: &Path, pid: i32, name: &str) -> std::io::Result<File> {
    File::open(proc.join(format!("{pid}/{name}")))
}

/// What `/proc/PID/stat` says; `None` for one that is gone.
pub(super) fn stat(proc: &Path, pid: i32, scratch: &mut Scratch) -> Option<PidStat> {
    PidStat::parse(scratch.read(&open(proc, pid, "stat").ok()?).ok()?)
}

/// Says where the numbers of process trees come from.
pub(super) fn note_sources(roots: &Roots, sources: &mut Sources) {
    sources.found("tree_rss_gb", "/proc/PID/statm resident");
    sources.note(
        "tree_pss_gb",
        roots.proc.join("self/smaps_rollup").exists(),
        "/proc/PID/smaps_rollup Pss",
        "no /proc/PID/smaps_rollup: kernel older than 4.14 or built without it",
    );
    sources.missing("tree_footprint_gb", "only macOS keeps this count");
    sources.found("tree_procs", "/proc/PID");
    sources.found("zombies", "/proc/PID/stat state Z");
}
