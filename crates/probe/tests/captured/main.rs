//! Machines that are not here: their files, in a directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod gpus;
mod groups;
mod machine;
mod replay;
mod tree;

use std::path::PathBuf;

use probe::{Machine, Roots};
use tempfile::TempDir;

/// A machine made of files.
struct Fake(TempDir);

impl Fake {
    fn new() -> Fake {
        let fake = Fake(TempDir::new().unwrap());
        for dir in ["proc", "sys"] {
            std::fs::create_dir(fake.path(dir)).unwrap();
        }
        fake
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Fake {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn roots(&self) -> Roots {
        Roots::under(self.0.path())
    }

    fn open(&self) -> Machine {
        Machine::open_at(self.roots())
    }

    /// A process with one thread.
    fn process(&self, pid: i32, name: &str, state: char, ppid: i32, pages: u64) {
        self.worker(pid, name, state, ppid, pages, [1, 2, 3, 4]);
    }

    /// One that has worked for so many ticks: itself in user code and in the kernel,
    /// and the children that it waited for in both.
    fn worker(&self, pid: i32, name: &str, state: char, ppid: i32, pages: u64, cpu: [u64; 4]) {
        let [user, sys, waited_user, waited_sys] = cpu;
        let stat = format!(
            "{pid} ({name}) {state} {ppid} 1 1 0 -1 4194560 9 0 0 0 {user} {sys} {waited_user} {waited_sys} 20 0 1 0 {pid}00 5000 {pages} 99\n"
        );
        self.write(&format!("proc/{pid}/stat"), stat);
        self.write(&format!("proc/{pid}/statm"), format!("9000 {pages} 50 5 0 98 0\n"));
    }
}

fn why<'m>(machine: &'m Machine, quantity: &str) -> &'m str {
    let mut missing = machine.sources().missing.iter();
    let missing = missing.find(|missing| missing.quantity == quantity);
    &missing.unwrap_or_else(|| panic!("{quantity} is not missing")).why
}

fn from<'m>(machine: &'m Machine, quantity: &str) -> &'m str {
    let mut found = machine.sources().found.iter();
    let found = found.find(|found| found.quantity == quantity);
    &found.unwrap_or_else(|| panic!("{quantity} is not found")).from
}
