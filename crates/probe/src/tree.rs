//! A process and all below it, as one.

use crate::machine::Roots;
use crate::platform;

/// A process tree to be read again and again. A process once seen in it stays
/// part of it until it ends, also when its parent ends first.
pub struct Tree {
    inner: platform::Tree,
}

/// What a tree used at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeReading {
    /// Processes that run, zombies not counted.
    pub procs: u32,
    /// Memory resident for them, in bytes; pages that they share count once
    /// for each. `None` if that of one could not be read.
    pub rss_bytes: Option<u64>,
    /// As above with shared pages split among those who share them, in bytes
    /// (Linux, and only in a deep read).
    pub pss_bytes: Option<u64>,
    /// Memory charged to them, in bytes: what macOS calls footprint.
    pub footprint_bytes: Option<u64>,
    /// Processes may be missing: orphans run whose parents were never seen and
    /// may have been of this tree. Linux hands orphans to the subreaper, so
    /// nothing is said there; on macOS a deep read tells.
    pub incomplete: Option<bool>,
    /// Ended processes in the tree that nobody has waited for.
    pub zombies: u32,
    /// The numbers of all of these, zombies included, in rising order.
    pub pids: Vec<i32>,
}

impl Tree {
    /// Everything below `pid`, without `pid` itself. With its own number this
    /// is what a process started, and, where it is a child subreaper, all that
    /// those started, orphans included.
    #[must_use]
    pub fn descendants_of(pid: i32) -> Tree {
        Tree::at(&Roots::default(), pid, false)
    }

    /// `pid` and everything below it.
    #[must_use]
    pub fn rooted_at(pid: i32) -> Tree {
        Tree::at(&Roots::default(), pid, true)
    }

    /// The tree of `pid` in a `/proc` that may be elsewhere, with or without
    /// `pid` itself.
    #[must_use]
    pub fn at(roots: &Roots, pid: i32, with_root: bool) -> Tree {
        Tree { inner: platform::Tree::new(roots, pid, with_root) }
    }

    /// Reads the tree now. `deep` adds `pss_bytes` and looks at every process
    /// of the system anew; both take time that grows with the memory and the
    /// processes there are, so about once a second is enough.
    #[must_use]
    pub fn read(&mut self, deep: bool) -> TreeReading {
        let mut reading = self.inner.read(deep);
        reading.pids.sort_unstable();
        reading
    }
}

/// Zombies on the whole system: ended processes whose parents have not waited
/// for them. Looks at every process, so about once a second is enough. `None`
/// where processes cannot be listed.
#[must_use]
pub fn zombies() -> Option<u32> {
    zombies_at(&Roots::default())
}

/// As [`zombies`], with `/proc` elsewhere.
#[must_use]
pub fn zombies_at(roots: &Roots) -> Option<u32> {
    platform::zombies(roots)
}
