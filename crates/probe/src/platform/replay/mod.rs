//! A machine that is not here, from what was captured on it: the same decoders,
//! fed with files.

mod ioreport;
#[cfg(target_os = "linux")]
mod linux;
mod macos;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::Reading;
use crate::sources::Sources;

/// What a captured machine was, and what it measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// What does not change.
    pub profile: HostProfile,
    /// What was measured there and what was not.
    pub sources: Sources,
    /// The readings, in the order of time. What is measured since the previous
    /// reading is `None` in the first.
    pub readings: Vec<Reading>,
    /// Zombies on the whole system at the end.
    pub zombies: Option<u32>,
}

/// One moment of a capture.
struct Moment {
    /// Since the first one.
    at: Duration,
    dir: PathBuf,
}

impl Replay {
    /// Plays back the folder `dir`: either one moment, or folders named `0ms`,
    /// `500ms` and so on, each of which is one. A moment is a captured Linux, as
    /// [`capture`](crate::capture) gives it, or a folder of texts that `ioreg`,
    /// `vm_stat` and `sysctl` printed on a Mac, under any names.
    ///
    /// # Errors
    ///
    /// When there is no such folder, nothing in it that is understood, or something
    /// besides files and folders: a stranger's link could point anywhere here, and
    /// a pipe would be waited for.
    pub fn open(dir: &Path) -> Result<Replay, String> {
        only_plain(dir)?;
        let moments = moments(dir)?;
        let is_linux = |moment: &Moment| {
            let roots = Roots::under(&moment.dir);
            roots.proc.is_dir() || roots.sys.is_dir() || roots.nvml.is_some_and(|csv| csv.exists())
        };
        if !moments.iter().all(is_linux) {
            return macos::play(&moments)
                .ok_or_else(|| format!("{}: nothing in it is a capture", dir.display()));
        }
        #[cfg(target_os = "linux")]
        return Ok(linux::play(&moments));
        #[cfg(not(target_os = "linux"))]
        return Err(format!("{}: a captured Linux is played back on Linux only", dir.display()));
    }
}

/// Makes sure that `dir` holds files and folders only, however deep.
fn only_plain(dir: &Path) -> Result<(), String> {
    let unreadable = |error| format!("{}: {error}", dir.display());
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Of the entry itself, not of what a link points to.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            only_plain(&entry.path())?;
        } else if !kind.is_file() {
            let path = entry.path();
            return Err(format!("{}: neither a file nor a folder; remove it", path.display()));
        }
    }
    Ok(())
}

/// The moments in `dir`, in the order of time; never none.
fn moments(dir: &Path) -> Result<Vec<Moment>, String> {
    let unreadable = |error| format!("{}: {error}", dir.display());
    let mut moments = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let ms = name.and_then(|name| name.strip_suffix("ms")?.parse().ok());
        if let Some(ms) = ms.filter(|_| path.is_dir()) {
            moments.push(Moment { at: Duration::from_millis(ms), dir: path });
        }
    }
    moments.sort_by_key(|moment| moment.at);
    if moments.is_empty() {
        moments.push(Moment { at: Duration::ZERO, dir: dir.to_owned() });
    }
    Ok(moments)
}
