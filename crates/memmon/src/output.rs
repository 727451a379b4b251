//! Where lines go: one writer, shared by the sampler and the command's output.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use pipe::{Error, Writer};
use serde::Serialize;

/// Own lines that may wait while the command's lines are being written: some 150
/// samples. Beyond that the sampler waits too.
const WAITING: usize = 64 << 10;

/// Writes whole lines from several threads, each at once.
///
/// The command's lines wait for whoever reads them. The sampler's do not: while
/// others write, they are left with them to be written next, so that a slow reader
/// or a command that prints a lot does not keep the sampler from its time.
///
/// The first failure ends the writing: lines are dropped from then on. That the
/// reader went away is no failure.
pub struct Output {
    waiting: Mutex<Vec<u8>>,
    sink: Mutex<Sink>,
    /// Nothing is written any more.
    gone: AtomicBool,
    failed: AtomicBool,
}

struct Sink {
    writer: Writer,
    /// The other half of a double buffer with [`Output::waiting`].
    spare: Vec<u8>,
}

impl Output {
    /// Writes to the file at `path`, made anew, or to standard output.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn create(path: Option<&str>) -> Result<Output, Error> {
        let writer = Writer::create(path)?.live();
        Ok(Output {
            waiting: Mutex::default(),
            sink: Mutex::new(Sink { writer, spare: Vec::new() }),
            gone: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        })
    }

    /// Writes a record of ours, now or right after what is being written.
    pub fn record<T: Serialize>(&self, record: &T) {
        self.line(|out| serde_json::to_writer(out, record));
    }

    /// The same of a line that `write` makes, without its newline.
    pub fn line(&self, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) {
        if self.is_gone() {
            return;
        }
        if self.leave(write) > WAITING {
            drop(self.write(&[]));
        }
        self.write_waiting();
    }

    /// Writes whole lines of the command in one piece, however long it takes.
    pub fn lines(&self, lines: &[u8]) {
        drop(self.write(lines));
        self.write_waiting();
    }

    /// Writes the last line, which `write` makes; what comes after it, from wherever,
    /// is dropped.
    pub fn close(&self, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) {
        // Nobody gets in between once we have the sink.
        let mut sink = lock(&self.sink);
        self.leave(write);
        self.write_with(&mut sink, &[]);
        self.gone.store(true, Ordering::Release);
    }

    /// Whether lines are dropped, because of a failure or because nobody reads.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Whether writing failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Writes what waits, unless someone else is writing, who then will. Looks
    /// again after having written: a line may have come that its sampler left here.
    fn write_waiting(&self) {
        while !lock(&self.waiting).is_empty() {
            let Ok(mut sink) = self.sink.try_lock() else {
                return;
            };
            self.write_with(&mut sink, &[]);
        }
    }

    /// Leaves a line to whoever writes next; the bytes that wait.
    fn leave(&self, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) -> usize {
        let mut waiting = lock(&self.waiting);
        let length = waiting.len();
        // Fails only for a map with keys that are no text, which no record has.
        match write(&mut waiting) {
            Ok(()) => waiting.push(b'\n'),
            Err(_) => waiting.truncate(length),
        }
        waiting.len()
    }

    fn write(&self, lines: &[u8]) -> MutexGuard<'_, Sink> {
        let mut sink = lock(&self.sink);
        self.write_with(&mut sink, lines);
        sink
    }

    fn write_with(&self, sink: &mut Sink, lines: &[u8]) {
        std::mem::swap(&mut *lock(&self.waiting), &mut sink.spare);
        for part in [&sink.spare[..], lines] {
            if part.is_empty() || self.is_gone() {
                continue;
            }
            if let Err(error) = sink.writer.lines(part) {
                self.gone.store(true, Ordering::Release);
                if !error.is_broken_pipe() {
                    self.failed.store(true, Ordering::Release);
                    crate::complain(&error.to_string());
                }
            }
        }
        sink.spare.clear();
    }
}

/// A thread that panicked while it held the lock left whole lines behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, thread};

    use super::Output;

    #[test]
    fn lines_of_many_threads_are_whole_and_all_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.jsonl");
        let output = Output::create(path.to_str()).unwrap();
        thread::scope(|scope| {
            for name in ["a", "b"] {
                let output = &output;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        output.record(&BTreeMap::from([(name, n)]));
                    }
                });
            }
            scope.spawn(|| {
                (0..2_000).for_each(|n| output.lines(format!("{{\"c\":{n}}}\n").as_bytes()))
            });
        });
        output.close(|out| serde_json::to_writer(out, &BTreeMap::from([("end", 0)])));
        output.record(&BTreeMap::from([("late", 0)]));
        output.lines(b"{\"late\":1}\n");

        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 6_001);
        assert!(text.ends_with("{\"end\":0}\n"));
        for name in ["a", "b", "c"] {
            let own: Vec<&str> = text.lines().filter(|line| line.contains(name)).collect();
            let want: Vec<String> = (0..2_000).map(|n| format!("{{\"{name}\":{n}}}")).collect();
            assert_eq!(own, want, "in the order in which they were written");
        }
    }

    #[test]
    fn a_full_disk_is_a_failure_and_ends_the_writing() {
        let output = Output::create(Some("/dev/full")).unwrap();
        assert!(!output.is_gone());
        output.record(&1);
        assert!(output.is_gone() && output.has_failed());
    }
}
