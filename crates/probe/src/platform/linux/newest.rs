//! Whether a process was started lately.

use std::path::PathBuf;

use super::file::{Kept, Scratch};
use crate::decode::loadavg;
use crate::machine::Roots;

/// What may have been started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Started {
    /// Nothing.
    Nothing,
    /// Processes with numbers above this one.
    Above(i32),
    /// Anything.
    Unknown,
}

/// Tells what was started since the last time, by the number that the kernel gave
/// out last. Most samples of most runs see nothing start, and need list nothing.
pub(super) struct Newest {
    /// `None` where the number cannot be trusted: then the answer is "unknown".
    loadavg: Option<Kept>,
    /// The last two numbers, the later one first. The kernel counts a process just
    /// before it can be seen, so it is looked for once more in the read after.
    last: [Option<i32>; 2],
}

impl Newest {
    pub(super) fn open(roots: &Roots, scratch: &mut Scratch) -> Newest {
        // The number is about the namespace of the one who asks. In another
        // one's /proc, or a captured one, "self" is someone else.
        let own = std::fs::read_link(roots.proc.join("self")).ok();
        let is_ours = own == Some(PathBuf::from(std::process::id().to_string()));
        let loadavg = is_ours.then(|| Kept::open(roots.proc.join("loadavg"), scratch).ok());
        Newest { loadavg: loadavg.flatten(), last: [None; 2] }
    }

    /// What was, or may have been, started since the last call.
    pub(super) fn since_last(&mut self, scratch: &mut Scratch) -> Started {
        let text = self.loadavg.as_ref().and_then(|file| file.read(scratch));
        let now = text.and_then(loadavg::last_pid).and_then(|pid| i32::try_from(pid).ok());
        let [last, before] = self.last;
        self.last = [now, last];
        started(now, last, before)
    }
}

/// What the numbers given out last `now`, at the last call, and `before` that tell.
fn started(now: Option<i32>, last: Option<i32>, before: Option<i32>) -> Started {
    match (now, last, before) {
        (Some(now), Some(last), Some(before)) if now == last && last == before => Started::Nothing,
        (Some(now), Some(last), Some(before)) if before <= last && last <= now => {
            Started::Above(before)
        }
        // The first calls; or the numbers began again from the lowest.
        _ => Started::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Started, started};

    #[test]
    fn what_was_counted_is_looked_for_twice_and_numbers_that_begin_again_tell_nothing() {
        let ask = |now, last, before| started(Some(now), Some(last), Some(before));
        assert_eq!(ask(100, 100, 100), Started::Nothing);
        assert_eq!(ask(110, 100, 100), Started::Above(100));
        assert_eq!(ask(110, 110, 100), Started::Above(100), "once more");
        assert_eq!(ask(115, 110, 100), Started::Above(100));
        assert_eq!(ask(115, 115, 110), Started::Above(110));
        assert_eq!(ask(5, 32_700, 32_600), Started::Unknown);
        assert_eq!(ask(5, 5, 32_700), Started::Unknown);
        assert_eq!(started(Some(5), None, None), Started::Unknown);
        assert_eq!(started(None, Some(5), Some(5)), Started::Unknown);
    }
}
