//! Small kernel files: kept open, and read whole by one `pread` into a buffer
//! that all of them share.

use std::fs::File;
use std::io::{
    self,
    ErrorKind::{NotFound, PermissionDenied, ResourceBusy},
};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Holds the part of any file that is decoded: `/proc/stat` and `/proc/meminfo`
/// can be longer, but begin with what is wanted.
const BUFFER_BYTES: usize = 4096;

/// The buffer that files are read into.
pub(super) struct Scratch(Box<[u8; BUFFER_BYTES]>);

impl Scratch {
    pub(super) fn new() -> Scratch {
        Scratch(Box::new([0; BUFFER_BYTES]))
    }

    /// The first part of `file` as it is now.
    pub(super) fn read(&mut self, file: &File) -> io::Result<&[u8]> {
        let length = file.read_at(&mut self.0[..], 0)?;
        Ok(&self.0[..length])
    }

    /// Opens the file at `path` for this one read.
    pub(super) fn read_path(&mut self, path: &Path) -> io::Result<&[u8]> {
        self.read(&File::open(path)?)
    }
}

/// An open file that is known to be readable, and its path for people.
pub(super) struct Kept {
    file: File,
    pub(super) path: PathBuf,
}

impl Kept {
    /// Opens `path` and reads it once: some files open and then fail.
    pub(super) fn open(path: impl Into<PathBuf>, scratch: &mut Scratch) -> Result<Kept, String> {
        let path = path.into();
        let file = File::open(&path).map_err(|error| why(&path, &error))?;
        match scratch.read(&file) {
            Ok(_) => {}
            // A GPU that is asleep says so like this, and may wake up later.
            Err(error) if matches!(error.kind(), PermissionDenied | ResourceBusy) => {}
            Err(error) => return Err(why(&path, &error)),
        }
        Ok(Kept { file, path })
    }

    /// The file's text now; `None` when it cannot be read this time.
    pub(super) fn read<'s>(&self, scratch: &'s mut Scratch) -> Option<&'s [u8]> {
        scratch.read(&self.file).ok()
    }
}

/// The names in `dir`, sorted, so that what is first stays first. Shorter ones
/// go before longer ones: `hwmon9` before `hwmon10`.
pub(super) fn list(dir: &Path) -> io::Result<Vec<String>> {
    let entries = std::fs::read_dir(dir)?.flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Ok(names)
}

/// Why `path` cannot be read, for people.
pub(super) fn why(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        NotFound => format!("no {}", path.display()),
        PermissionDenied => format!("{}: permission denied", path.display()),
        _ => format!("{}: {error}", path.display()),
    }
}
