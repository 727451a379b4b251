//! Who started whom: from the `children` files where the kernel has them,
//! else from every process's parent.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::file::Scratch;
use super::process::{self, Entry};

/// Trees with more members than this are looked for among all parents: asking
/// each member then costs more than listing the system.
const WIDE: usize = 32;

/// Finds the members of a tree among the processes of the system.
pub(super) struct Finder {
    /// The kernel has `/proc/PID/task/TID/children` (CONFIG_PROC_CHILDREN).
    has_children_files: bool,
    /// Processes that were seen not to belong, with the inodes of their
    /// directories. A process cannot come into a tree that it was not born
    /// into, so its parent need not be read again while it lives.
    strangers: HashMap<i32, u64>,
}

impl Finder {
    /// Looks once whether the kernel has `children` files.
    pub(super) fn probe(proc: &Path, pid: i32) -> Finder {
        let own = proc.join("thread-self/children");
        let other = proc.join(format!("{pid}/task/{pid}/children"));
        Finder { has_children_files: own.exists() || other.exists(), strangers: HashMap::new() }
    }

    /// Forgets what it remembered, so that everything is looked at anew.
    pub(super) fn forget(&mut self) {
        self.strangers.clear();
    }

    /// The processes below `root` and the `known` members that are not known
    /// yet. `root` is `None` when it has ended; its orphans are then known.
    pub(super) fn newcomers(
        &mut self,
        proc: &Path,
        root: Option<i32>,
        known: &HashMap<i32, u64>,
        scratch: &mut Scratch,
    ) -> Vec<i32> {
        if self.has_children_files && known.len() <= WIDE {
            walk_down(proc, root, known)
        } else {
            scan(proc, root, known, &mut self.strangers, scratch)
        }
    }
}

fn walk_down(proc: &Path, root: Option<i32>, known: &HashMap<i32, u64>) -> Vec<i32> {
    let mut found = Vec::new();
    let mut seen: HashSet<i32> = known.keys().copied().chain(root).collect();
    let mut queue: Vec<i32> = seen.iter().copied().collect();
    while let Some(parent) = queue.pop() {
        for text in children_files(&proc.join(format!("{parent}/task")), parent) {
            for child in text.split_ascii_whitespace().flat_map(str::parse) {
                if seen.insert(child) {
                    found.push(child);
                    queue.push(child);
                }
            }
        }
    }
    found
}

/// The texts of the `children` files of all threads: children belong to the
/// thread that started them.
fn children_files(tasks: &Path, pid: i32) -> Vec<String> {
    let read = |thread: &Path| std::fs::read_to_string(thread.join("children")).ok();
    // A directory has a link for itself, one from above, and one for each that
    // it holds: with a single thread there is no need to list it.
    let is_single = tasks.metadata().is_ok_and(|tasks| tasks.nlink() == 3);
    if is_single && let Some(text) = read(&tasks.join(pid.to_string())) {
        return vec![text];
    }
    let threads = std::fs::read_dir(tasks).into_iter().flatten().flatten();
    threads.filter_map(|thread| read(&thread.path())).collect()
}

fn scan(
    proc: &Path,
    root: Option<i32>,
    known: &HashMap<i32, u64>,
    strangers: &mut HashMap<i32, u64>,
    scratch: &mut Scratch,
) -> Vec<i32> {
    let Some(entries) = process::list(proc) else {
        return Vec::new();
    };
    let mut listed = HashMap::with_capacity(strangers.len() + known.len() + 16);
    let mut unclear: Vec<(Entry, i32)> = Vec::new();
    for entry in entries {
        listed.insert(entry.pid, entry.inode);
        let is = |map: &HashMap<i32, u64>| map.get(&entry.pid) == Some(&entry.inode);
        if Some(entry.pid) != root
            && !is(strangers)
            && !is(known)
            && let Some(stat) = process::stat(proc, entry.pid, scratch)
        {
            unclear.push((entry, stat.ppid));
        }
    }
    strangers.retain(|pid, inode| listed.get(pid) == Some(inode));

    // A number in `known` may have been given out again while we look; its
    // new owner is among the unclear and must not pass its membership on.
    let mut family: HashSet<i32> = known
        .iter()
        .filter(|(pid, inode)| listed.get(pid) == Some(inode))
        .map(|(pid, _)| *pid)
        .chain(root)
        .collect();
    let mut found = Vec::new();
    loop {
        let before = unclear.len();
        unclear.retain(|(entry, parent)| {
            let belongs = family.contains(parent);
            if belongs {
                family.insert(entry.pid);
                found.push(entry.pid);
            }
            !belongs
        });
        if unclear.len() == before {
            break;
        }
    }
    for (entry, parent) in unclear {
        // If the parent ended meanwhile, the child may have been handed to
        // someone in the tree: look again next time.
        if parent == 0 || listed.contains_key(&parent) {
            strangers.insert(entry.pid, entry.inode);
        }
    }
    found
}
