//! Single processes in `/proc`.

use std::fs::File;
use std::path::Path;

use super::file::Scratch;
use crate::decode::pid_stat::PidStat;
use crate::machine::Roots;
use crate::sources::Sources;

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
    sources.note(
        "tree_cpu_pct",
        roots.proc.join("stat").exists(),
        "/proc/PID/stat utime, stime, cutime, cstime; /proc/stat",
        format!("no {}", roots.proc.join("stat").display()),
    );
    sources.missing("tree_footprint_gb", "only macOS keeps this count");
    sources.found("tree_procs", "/proc/PID");
    sources.found("zombies", "/proc/PID/stat state Z");
}
