//! Who started whom, from the kernel's `children` files.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether the kernel has `/proc/PID/task/TID/children` (CONFIG_PROC_CHILDREN).
pub(super) fn are_listed(proc: &Path, pid: i32) -> bool {
    let own = proc.join("thread-self/children");
    let other = proc.join(format!("{pid}/task/{pid}/children"));
    own.exists() || other.exists()
}

/// All that are below `parents` and are not among them.
pub(super) fn below(proc: &Path, parents: impl Iterator<Item = i32>) -> Vec<i32> {
    let mut found = Vec::new();
    let mut queue: Vec<i32> = parents.collect();
    let mut seen: HashSet<i32> = queue.iter().copied().collect();
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
