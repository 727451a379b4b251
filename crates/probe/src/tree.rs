//! A process and all below it, as one.

use crate::machine::Roots;
use crate::platform;

/// A process tree to be read again and again. A process once seen in it stays
/// part of it until it ends, also when its parent ends first.
pub struct Tree {
    inner: platform::Tree,
}

/// What a tree used at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TreeReading {
    /// Processes that run, zombies not counted.
    pub procs: u32,
    /// Memory resident for them, in bytes; pages that they share count once
    /// for each. `None` if that of one could not be read.
    pub rss_bytes: Option<u64>,
    /// As above with shared pages split among those who share them, in bytes
    /// (Linux). The processes are asked in turn, for 2 ms in each read; the sum is
    /// in the read that asked the last one, so in the deep read itself for small
    /// trees, and over some that were asked a few reads earlier for large ones.
    pub pss_bytes: Option<u64>,
    /// Memory charged to them, in bytes: what macOS calls footprint.
    pub footprint_bytes: Option<u64>,
    /// CPU time that they used since the deep read before, in percent of all cores,
    /// with that of those that ended since. Of a process that nobody in the tree
    /// waited for, its end is missing. Only in a deep read, and not in the first;
    /// `None` if the time of one could not be read.
    pub cpu_pct: Option<f64>,
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

    /// Reads the tree now. `deep` looks at every process of the system, asks each in
    /// the tree for its CPU time, and begins a round of `pss_bytes`; all take time that grows with the processes there
    /// are, so about once a second is enough.
    #[must_use]
    pub fn read(&mut self, deep: bool) -> TreeReading {
        let mut reading = self.inner.read(deep);
        reading.pids.sort_unstable();
        reading
    }
}

/// The processes of the system, and a tree among them where one is watched. Each
/// process is looked at once for both.
pub struct Processes(Watch);

enum Watch {
    Tree(Box<Tree>),
    System(Box<platform::Census>),
}

/// What the processes of the system are at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessReading {
    /// The tree, where one is watched.
    pub tree: Option<TreeReading>,
    /// Zombies on the whole system: ended processes whose parents have not waited
    /// for them. Only in a deep read; `None` where processes cannot be listed.
    pub zombies: Option<u32>,
}

impl Processes {
    /// Those of this system, with `tree` or without.
    #[must_use]
    pub fn open(tree: Option<Tree>) -> Processes {
        let system = || Watch::System(Box::new(platform::Census::new(&Roots::default())));
        Processes(tree.map_or_else(system, |tree| Watch::Tree(Box::new(tree))))
    }

    /// Reads the tree, and in a `deep` read looks at every process of the system.
    #[must_use]
    pub fn read(&mut self, deep: bool) -> ProcessReading {
        match &mut self.0 {
            Watch::Tree(tree) => {
                let reading = tree.read(deep);
                let zombies = if deep { tree.inner.zombies() } else { None };
                ProcessReading { tree: Some(reading), zombies }
            }
            Watch::System(census) => {
                let zombies = if deep { census.zombies() } else { None };
                ProcessReading { tree: None, zombies }
            }
        }
    }
}

/// Zombies on the whole system, counted once. Who counts again and again keeps
/// [`Processes`], which remember.
#[must_use]
pub fn zombies() -> Option<u32> {
    zombies_at(&Roots::default())
}

/// As [`zombies`], with `/proc` elsewhere.
#[must_use]
pub fn zombies_at(roots: &Roots) -> Option<u32> {
    platform::Census::new(roots).zombies()
}
