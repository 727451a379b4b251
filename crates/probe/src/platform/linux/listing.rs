//! The list of all processes, from the directory that stays open. Where only new
//! ones are wanted, the kernel is asked to begin behind the old numbers.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::path::Path;

use rustix::fs::RawDir;

/// Room for some thousand entries.
const BUFFER_BYTES: usize = 32 << 10;

/// A directory of `/proc` that belongs to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    /// The directory's inode. The kernel gives a new one to each process, so a
    /// number given out again is told from the old one without opening a file.
    pub(super) inode: u64,
}

/// The directory.
pub(super) struct Listing {
    dir: File,
    buffer: Vec<MaybeUninit<u8>>,
    /// What the kernel adds to a process's number to make its place in the
    /// directory, as the last full listing showed; `None` where that is not how
    /// places are made.
    base: Option<u64>,
}

impl Listing {
    pub(super) fn open(proc: &Path) -> io::Result<Listing> {
        let buffer = vec![MaybeUninit::uninit(); BUFFER_BYTES];
        Ok(Listing { dir: File::open(proc)?, buffer, base: None })
    }

    /// All processes. In the order of their numbers on a real `/proc`.
    pub(super) fn all(&mut self) -> io::Result<Vec<Entry>> {
        let mut bases = Vec::new();
        let entries = self.from(0, &mut bases)?;
        self.base = bases.first().copied().filter(|first| bases.iter().all(|base| base == first));
        Ok(entries)
    }

    /// Those with numbers above `pid`, or more.
    pub(super) fn above(&mut self, pid: i32) -> io::Result<Vec<Entry>> {
        let number = u64::try_from(pid).ok();
        let place = self.base.zip(number).and_then(|(base, pid)| base.checked_add(pid + 1));
        self.from(place.unwrap_or(0), &mut Vec::new())
    }

    /// What comes from `place` on. `bases` takes what each process's place is
    /// above its number.
    fn from(&mut self, place: u64, bases: &mut Vec<u64>) -> io::Result<Vec<Entry>> {
        self.dir.seek(SeekFrom::Start(place))?;
        let mut entries = Vec::new();
        let mut place: Option<u64> = None;
        let mut dir = RawDir::new(&self.dir, &mut self.buffer);
        while let Some(entry) = dir.next() {
            let entry = entry?;
            let name = entry.file_name().to_str().ok();
            if let Some(pid) = name.and_then(|name| name.parse::<i32>().ok()) {
                let number = u64::try_from(pid).ok();
                bases.extend(place.zip(number).and_then(|(place, pid)| place.checked_sub(pid)));
                entries.push(Entry { pid, inode: entry.ino() });
            }
            place = Some(entry.next_entry_cookie());
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;
    use std::process::Command;

    use super::Listing;

    #[test]
    fn a_listing_of_new_numbers_has_the_new_process_and_not_the_old_ones() {
        let mut listing = Listing::open(Path::new("/proc")).unwrap();
        let all = listing.all().unwrap();
        assert!(listing.base.is_some(), "places are numbers and a constant");
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(all.iter().any(|entry| entry.pid == own));

        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let above = listing.above(pid - 1).unwrap();
        let anew: HashSet<i32> = listing.all().unwrap().iter().map(|entry| entry.pid).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(above[0].pid, pid);
        assert!(above.iter().all(|entry| entry.pid >= pid));
        assert!(anew.contains(&pid) && anew.contains(&own));
    }
}
