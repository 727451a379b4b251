//! What failed last, for `--lf` and `--ff`.
//!
//! A case that failed stays on the list until it passes, whatever is run in between, as
//! pytest has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use records::Outcome;

use crate::backend::file_name;

/// How long a change may wait to be saved: a killed run forgets no more than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// The ids that failed or erred when they last ran.
#[derive(Debug)]
pub struct Last {
    path: PathBuf,
    failed: BTreeSet<String>,
    /// Whether what changed is missed now.
    changes: BTreeMap<String, bool>,
    /// Since when there is something to save.
    changed: Option<Instant>,
}

impl Last {
    /// What is remembered of `suite` below `state`; nothing where nothing can be read.
    #[must_use]
    pub fn open(state: &Path, suite: &str) -> Last {
        let path = state.join("last-failed").join(format!("{}.json", file_name(suite)));
        let failed = read(&path);
        Last { path, failed, changes: BTreeMap::new(), changed: None }
    }

    /// The ids.
    #[must_use]
    pub fn failed(&self) -> &BTreeSet<String> {
        &self.failed
    }

    /// A case came out like this. One that was skipped was not tried.
    pub fn note(&mut self, id: &str, outcome: Outcome) {
        let changed = match outcome {
            Outcome::Failed | Outcome::Error => self.failed.insert(id.to_owned()),
            Outcome::Skipped => false,
            Outcome::Passed | Outcome::Xfailed | Outcome::Xpassed => self.failed.remove(id),
        };
        if changed {
            self.changes.insert(id.to_owned(), self.failed.contains(id));
            self.changed.get_or_insert_with(Instant::now);
        }
        if self.changed.is_some_and(|since| since.elapsed() >= PATIENCE) {
            // It is tried again at the end, and said there.
            let _ = self.save();
        }
    }

    /// Saves what changed. Others may be at work on the same suite, as shards are.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(&mut self) -> io::Result<()> {
        if self.changed.is_none() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        crate::backend::own_folder(folder)?;
        let lock = File::open(folder)?;
        // Not every file system has locks; without one the last who writes is right.
        let _ = lock.lock();
        let mut failed = read(&self.path);
        for (id, missed) in &self.changes {
            if *missed {
                failed.insert(id.clone());
            } else {
                failed.remove(id);
            }
        }
        // Written beside its place: a kill in between costs the change and no more.
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(&failed)?)?;
        fs::rename(&fresh, &self.path)?;
        self.changes.clear();
        self.changed = None;
        Ok(())
    }
}

/// What is in the file, nothing where it cannot be read.
fn read(path: &Path) -> BTreeSet<String> {
    let read = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use records::Outcome;

    use super::Last;

    #[test]
    fn what_failed_is_remembered_until_it_passes() {
        let dir = tempfile::tempdir().unwrap();
        let mut last = Last::open(dir.path(), "../s");
        assert!(last.failed().is_empty());
        for (id, outcome) in [("a", Outcome::Failed), ("b", Outcome::Error), ("c", Outcome::Passed)]
        {
            last.note(id, outcome);
        }
        last.save().unwrap();
        let mut last = Last::open(dir.path(), "../s");
        assert_eq!(last.failed().iter().collect::<Vec<_>>(), ["a", "b"]);
        last.note("a", Outcome::Skipped);
        last.note("b", Outcome::Passed);
        last.save().unwrap();
        let last = Last::open(dir.path(), "../s");
        assert_eq!(last.failed().iter().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn shards_that_run_beside_one_another_forget_nothing_of_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut before = Last::open(dir.path(), "s");
        before.note("b", Outcome::Failed);
        before.save().unwrap();
        let (mut one, mut two) = (Last::open(dir.path(), "s"), Last::open(dir.path(), "s"));
        one.note("a", Outcome::Failed);
        two.note("b", Outcome::Passed);
        two.note("c", Outcome::Error);
        one.save().unwrap();
        two.save().unwrap();
        let last = Last::open(dir.path(), "s");
        assert_eq!(last.failed().iter().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn what_cannot_be_read_is_nothing_remembered() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("last-failed")).unwrap();
        std::fs::write(dir.path().join("last-failed/s.json"), "{half").unwrap();
        assert!(Last::open(dir.path(), "s").failed().is_empty());
    }
}
