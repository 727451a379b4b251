//! A process tree on macOS, and the zombies of the system.

use super::sys::process::Kernel;
use crate::family::{Family, Processes};
use crate::machine::Roots;
use crate::tree::TreeReading;

/// A process tree.
pub(crate) struct Tree(Family<Kernel>);

impl Tree {
    pub(crate) fn new(_: &Roots, pid: i32, with_root: bool) -> Tree {
        Tree(Family::new(Kernel, pid, with_root))
    }

    pub(crate) fn read(&mut self, deep: bool) -> TreeReading {
        self.0.read(deep)
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        Census.zombies()
    }
}

/// All processes; nothing is worth keeping between two counts.
pub(crate) struct Census;

impl Census {
    pub(crate) fn new(_: &Roots) -> Census {
        Census
    }

    /// Zombies on the whole system.
    pub(crate) fn zombies(&mut self) -> Option<u32> {
        let mut pids = Vec::new();
        if !Kernel.all(&mut pids) {
            return None;
        }
        let count = pids.iter().filter(|pid| Kernel.is_zombie(**pid) == Some(true)).count();
        u32::try_from(count).ok()
    }
}
