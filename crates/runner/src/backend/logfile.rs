//! Where the output of backends goes.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use pipe::printable;

/// How much of a log's end is looked at, in bytes: a backend can print gigabytes.
const TAIL_BYTES: u64 = 16 << 10;
/// How many of its last lines are kept in a result.
const TAIL_LINES: usize = 12;
/// Longest line of a log in a result, in characters.
const TAIL_WIDTH: usize = 300;

/// A log file of one life of a backend.
#[derive(Debug)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Open for writing.
    pub file: File,
}

impl LogFile {
    /// Makes a log file for `parts` (run, backend, model, …) below `folder`.
    ///
    /// # Errors
    ///
    /// When the folder or the file cannot be made.
    pub fn create(folder: &Path, parts: &[&str]) -> io::Result<LogFile> {
        own_folder(folder)?;
        let stem: Vec<String> = parts.iter().map(|part| file_name(part)).collect();
        let path = folder.join(format!("{}.log", stem.join("-")));
        let file = File::options().create(true).append(true).open(&path)?;
        Ok(LogFile { path, file })
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

/// The last lines of the log at `path` from byte `from` on; none when it cannot be read.
#[must_use]
pub fn tail(path: &Path, from: u64) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .map(|line| printable(line).chars().take(TAIL_WIDTH).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{LogFile, tail};

    #[test]
    fn names_from_a_suite_never_become_paths() {
        let dir = tempfile::tempdir().unwrap();
        let log = LogFile::create(dir.path(), &["run", "../../etc/passwd", "a b\n"]).unwrap();
        assert_eq!(log.path, dir.path().join("run-_._.._etc_passwd-a_b_.log"));
    }

    #[test]
    fn the_tail_of_a_huge_log_is_its_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = LogFile::create(dir.path(), &["x"]).unwrap();
        for n in 0..100_000 {
            writeln!(log.file, "line {n}").unwrap();
        }
        writeln!(log.file, "\x1b[31mred").unwrap();
        let lines = tail(&log.path, 0);
        assert_eq!(lines.len(), 12);
        assert_eq!(lines[11], "\u{fffd}[31mred");
        assert_eq!(lines[10], "line 99999");
        assert_eq!(tail(&dir.path().join("none"), 0), Vec::<String>::new());
    }
}
