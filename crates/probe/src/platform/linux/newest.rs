//! Whether a process was started lately.

use std::path::PathBuf;

use super::file::{Kept, Scratch};
use crate::decode::loadavg;
use crate::machine::Roots;

/// Tells whether anything was started since the last time, by the number that
/// the kernel gave out last. Most samples of most runs see nothing start, and
/// need not list all processes.
pub(super) struct Newest {
    /// `None` where the number cannot be trusted: then always "yes".
    loadavg: Option<Kept>,
    last: Option<u64>,
    /// The kernel counts a process just before it can be seen, so it is looked
    /// for once more in the read after.
    again: bool,
}

impl Newest {
    pub(super) fn open(roots: &Roots, scratch: &mut Scratch) -> Newest {
        // The number is about the namespace of the one who asks. In another
        // one's /proc, or a captured one, "self" is someone else.
        let own = std::fs::read_link(roots.proc.join("self")).ok();
        let is_ours = own == Some(PathBuf::from(std::process::id().to_string()));
        Newest {
            loadavg: is_ours
                .then(|| Kept::open(roots.proc.join("loadavg"), scratch).ok())
                .flatten(),
            last: None,
            again: false,
        }
    }

    /// Whether something was, or may have been, started since the last call.
    pub(super) fn changed(&mut self, scratch: &mut Scratch) -> bool {
        let text = self.loadavg.as_ref().and_then(|file| file.read(scratch));
        let Some(now) = text.and_then(loadavg::last_pid) else {
            return true;
        };
        let changed = self.last.replace(now) != Some(now);
        std::mem::replace(&mut self.again, changed) || changed
    }
}
