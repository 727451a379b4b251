//! Where the output of backends goes.
//!
//! A backend can print gigabytes, and a disk must not be full for it: its output comes
//! through a pipe to a thread of ours, and the file has its first and its last part,
//! with a word between them of how much was left out.

use std::{
    fs::{self, File},
    io::{self, PipeReader, PipeWriter, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use pipe::printable;

/// How much of the beginning of each life is kept, in bytes.
const FIRST_BYTES: u64 = 4 << 20;
/// How much of its end.
const LAST_BYTES: usize = 4 << 20;
/// How much of the end is looked at for the last lines, in bytes.
const TAIL_BYTES: usize = 16 << 10;
/// How many of its last lines are kept in a result.
const TAIL_LINES: usize = 12;
/// Longest line of a log in a result, in characters.
const TAIL_WIDTH: usize = 300;
/// How long the last output of a process may take to come through after its end.
const LATE: Duration = Duration::from_millis(300);

/// The output of one life of a backend.
#[derive(Debug)]
pub struct Log {
    /// The file that it goes to.
    pub path: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    ended: Condvar,
}

/// What is kept of the output.
#[derive(Debug)]
struct Kept {
    /// Gone when all was written.
    file: Option<File>,
    recent: Ring,
    /// Bytes that came.
    total: u64,
}

impl Log {
    /// Makes a log file for `parts` (run, backend, model, …) below `folder`, or adds to
    /// it. What is written to the other end goes there.
    ///
    /// # Errors
    ///
    /// When the folder, the file or the pipe cannot be made.
    pub fn create(folder: &Path, parts: &[&str]) -> io::Result<(Log, PipeWriter)> {
        own_folder(folder)?;
        let stem: Vec<String> = parts.iter().map(|part| file_name(part)).collect();
        let path = folder.join(format!("{}.log", stem.join("-")));
        let file = File::options().create(true).append(true).open(&path)?;
        let (reader, writer) = io::pipe()?;
        let kept = Kept { file: Some(file), recent: Ring::of(LAST_BYTES), total: 0 };
        let shared = Arc::new(Shared { kept: Mutex::new(kept), ended: Condvar::new() });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("log".into()).spawn(move || theirs.gather(reader))?;
        Ok((Log { path, shared }, writer))
    }

    /// The last lines. Of a backend that has `ended`, what it wrote last is awaited.
    #[must_use]
    pub fn tail(&self, ended: bool) -> Vec<String> {
        let kept = if ended { self.shared.settled() } else { self.shared.kept() };
        let bytes = kept.recent.last(TAIL_BYTES);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..]
            .iter()
            .map(|line| printable(line).chars().take(TAIL_WIDTH).collect())
            .collect()
    }

    /// Completes the file. Whoever still holds the pipe writes to nowhere from now on.
    pub fn close(&self) {
        self.shared.settled().complete();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is when the pipe has ended, or after [`LATE`].
    fn settled(&self) -> MutexGuard<'_, Kept> {
        let open = |kept: &mut Kept| kept.file.is_some();
        let waited = self.ended.wait_timeout_while(self.kept(), LATE, open);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Reads to the end, so that the backend is never held up by us.
    fn gather(&self, mut reader: PipeReader) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => self.kept().take(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.kept().complete();
        self.ended.notify_all();
    }
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = usize::try_from(FIRST_BYTES.saturating_sub(self.total)).unwrap_or(usize::MAX);
        if let Some(file) = &mut self.file {
            // A log that cannot be written is no reason to stop a measurement.
            let _ = file.write_all(&bytes[..room.min(bytes.len())]);
        }
        self.recent.push(bytes);
        self.total += bytes.len() as u64;
    }

    /// Writes what was held back.
    fn complete(&mut self) {
        let Some(mut file) = self.file.take() else { return };
        let rest = self.total.saturating_sub(FIRST_BYTES);
        let last = self.recent.last(usize::try_from(rest).unwrap_or(usize::MAX));
        let left_out = rest - last.len() as u64;
        if left_out > 0 {
            let _ = write!(file, "\n[... {left_out} bytes left out by the runner ...]\n");
        }
        let _ = file.write_all(&last);
    }
}

/// The last bytes of what came.
#[derive(Debug)]
struct Ring {
    most: usize,
    bytes: Vec<u8>,
    /// Where the oldest is, once it is full.
    start: usize,
}

impl Ring {
    fn of(most: usize) -> Ring {
        Ring { most, bytes: Vec::new(), start: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(self.most)..];
        let (fitting, rest) = bytes.split_at(bytes.len().min(self.most - self.bytes.len()));
        self.bytes.extend_from_slice(fitting);
        let (to_end, around) = rest.split_at(rest.len().min(self.bytes.len() - self.start));
        self.bytes[self.start..self.start + to_end.len()].copy_from_slice(to_end);
        self.bytes[..around.len()].copy_from_slice(around);
        self.start = (self.start + rest.len()) % self.most;
    }

    /// The last `count` bytes, or all there are.
    fn last(&self, count: usize) -> Vec<u8> {
        let (newer, older) = self.bytes.split_at(self.start);
        let skip = self.bytes.len().saturating_sub(count);
        older.iter().chain(newer).skip(skip).copied().collect()
    }
}

/// Makes `folder` where there is none. What is in it is no part of anybody's
/// repository; of a folder that was there before that is not ours to say.
pub(crate) fn own_folder(folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(".gitignore"), "*\n")?;
    }
    Ok(())
}

/// `name` as a piece of a file's name: names come from suites and must not become
/// paths.
pub(crate) fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let mut text: String = name.chars().map(safe).take(80).collect();
    if text.starts_with('.') {
        text.replace_range(..1, "_");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use proptest::prelude::*;

    use super::{FIRST_BYTES, LAST_BYTES, Log, Ring};

    #[test]
    fn names_from_a_suite_never_become_paths() {
        let dir = tempfile::tempdir().unwrap();
        let (log, _) = Log::create(dir.path(), &["run", "../../etc/passwd", "a b\n"]).unwrap();
        assert_eq!(log.path, dir.path().join("run-_._.._etc_passwd-a_b_.log"));
    }

    #[test]
    fn a_small_log_is_kept_whole_and_a_second_life_adds_to_it() {
        let dir = tempfile::tempdir().unwrap();
        for life in ["one\n", "two\n"] {
            let (log, mut writer) = Log::create(dir.path(), &["x"]).unwrap();
            writer.write_all(life.as_bytes()).unwrap();
            drop(writer);
            assert_eq!(log.tail(true), [life.trim()]);
        }
        assert_eq!(fs::read_to_string(dir.path().join("x.log")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn of_a_huge_log_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let (log, mut writer) = Log::create(dir.path(), &["x"]).unwrap();
        let lines: String = (0..2_000_000).map(|n| format!("line {n}\n")).collect();
        writer.write_all(lines.as_bytes()).unwrap();
        writer.write_all(b"\x1b[31mred").unwrap();
        drop(writer);
        let tail = log.tail(true);
        assert_eq!((tail.len(), tail[10].as_str()), (12, "line 1999999"));
        assert_eq!(tail[11], "\u{fffd}[31mred");
        log.close();
        let file = fs::read(&log.path).unwrap();
        let left_out = lines.len() + 8 - FIRST_BYTES as usize - LAST_BYTES;
        let note = format!("\n[... {left_out} bytes left out by the runner ...]\n");
        assert_eq!(file.len(), FIRST_BYTES as usize + note.len() + LAST_BYTES);
        assert!(file.starts_with(b"line 0\nline 1\n") && file.ends_with(b"1999999\n\x1b[31mred"));
        assert!(file[FIRST_BYTES as usize..].starts_with(note.as_bytes()));
    }

    #[test]
    fn who_holds_the_pipe_for_ever_holds_up_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let (log, mut writer) = Log::create(dir.path(), &["x"]).unwrap();
        writer.write_all(b"the last word\n").unwrap();
        log.close();
        assert_eq!(fs::read_to_string(&log.path).unwrap(), "the last word\n");
        writer.write_all(b"more\n").unwrap();
    }

    proptest! {
        #[test]
        fn a_ring_holds_the_last_that_came(
            most in 1usize..50, pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..9),
            count in 0usize..60,
        ) {
            let (mut ring, mut oracle) = (Ring::of(most), Vec::new());
            for piece in pieces {
                ring.push(&piece);
                oracle.extend(piece);
            }
            let of = |count: usize| &oracle[oracle.len().saturating_sub(count)..];
            prop_assert_eq!(ring.last(usize::MAX), of(most));
            prop_assert_eq!(ring.last(count), of(most.min(count)));
        }
    }
}
