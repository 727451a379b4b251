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
        max_rss_mb: Some(round(sys::max_rss_bytes(used.max_rss()) as f64 / 1e6, 1)),
    }
}
