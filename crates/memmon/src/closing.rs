//! The last line: what the run came to.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use probe::clock::Stamp;
use records::{Child, Origin, OwnUse, Summary, round};

use crate::{sys, tally::Tally};

/// The `summary` record, now, of a stream that began at `start`.
#[must_use]
pub fn summary(start: &Stamp, origin: &Origin, tally: &Tally, child: Option<Child>) -> Summary {
    let duration_s = round(start.mono.elapsed().as_secs_f64(), 6);
    Summary {
        end_ts: round(start.wall_s + duration_s, 6),
        duration_s,
        samples: tally.samples(),
        missed: tally.missed(),
        achieved: tally.achieved(),
        series: tally.series(),
        child,
        own: own_use(),
        ..Summary::at(start.wall_s, origin)
    }
}

fn own_use() -> OwnUse {
    let Ok(used) = getrusage(UsageWho::RUSAGE_SELF) else {
        return OwnUse::default();
    };
    OwnUse {
        user_s: Some(used.user_time().num_microseconds() as f64 / 1e6),
        sys_s: Some(used.system_time().num_microseconds() as f64 / 1e6),
        max_rss_mb: max_rss_bytes(used.max_rss()).map(|bytes| round(bytes as f64 / 1e6, 1)),
    }
}

/// The greatest resident memory of this program.
///
/// `ru_maxrss` is no answer on Linux: it starts from the process that forked us and
/// outlives exec, so that below a large parent it is the parent's.
fn max_rss_bytes(ru_maxrss: i64) -> Option<u64> {
    if cfg!(target_os = "linux") {
        high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
    } else {
        Some(sys::max_rss_bytes(ru_maxrss))
    }
}

/// `VmHWM` of a `/proc/PID/status`, in bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::high_water_mark;

    #[test]
    fn the_high_water_mark_is_read_or_absent() {
        let status = "Name:\tmemmon\nVmPeak:\t    9000 kB\nVmHWM:\t    3224 kB\n";
        assert_eq!(high_water_mark(status), Some(3_301_376));
        assert_eq!(high_water_mark("Name:\tkthreadd\n"), None);
        assert_eq!(high_water_mark("VmHWM:\tmany kB\n"), None);
    }
}
