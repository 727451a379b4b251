//! How much of a file the system has in memory already: whether a load is a cold one.

use std::{
    fs::File,
    io,
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    ptr,
};

use nix::{
    libc,
    unistd::{AccessFlags, SysconfVar, access, geteuid, sysconf},
};

/// How much of a file is looked at in one go, in bytes; a page of it costs a byte.
const WINDOW: usize = 1 << 30;

/// `cold` when less than 5 % of `files` is in memory, `warm` over 95 %, else `partial`;
/// nothing when one of them cannot be looked at.
#[must_use]
pub(super) fn state(files: &[PathBuf]) -> Option<&'static str> {
    let counts: Vec<(u64, u64)> =
        files.iter().map(|file| resident(file).ok()).collect::<Option<_>>()?;
    let (there, all) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let share = there as f64 / all as f64;
    match () {
        () if all == 0 => None,
        () if share < 0.05 => Some("cold"),
        () if share > 0.95 => Some("warm"),
        () => Some("partial"),
    }
}

/// Pages of the file in memory, and all of them.
fn resident(path: &Path) -> io::Result<(u64, u64)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // Of a file that we neither own nor may write, Linux says that all of it is there.
    let ours = geteuid().is_root() || geteuid().as_raw() == metadata.uid();
    if !ours && access(path, AccessFlags::W_OK).is_err() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let page = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|size| usize::try_from(size).ok());
    let page = page.filter(|size| *size > 0).ok_or(io::ErrorKind::Unsupported)?;
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    let (mut there, mut all) = (0, 0);
    for offset in (0..length).step_by(WINDOW) {
        let pages = in_memory(&file, offset, WINDOW.min(length - offset), page)?;
        there += pages.iter().filter(|page| **page & 1 == 1).count() as u64;
        all += pages.len() as u64;
    }
    Ok((there, all))
}

/// A byte for each page of `length` bytes of `file` at `offset`; its lowest bit says
/// whether the page is in memory. Nothing is read from the disk.
fn in_memory(file: &File, offset: usize, length: usize, page: usize) -> io::Result<Vec<u8>> {
    let mut pages = vec![0u8; length.div_ceil(page)];
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: a new mapping that nothing else knows; it is never read, so that a file
    // that shrinks meanwhile harms nobody.
    let map = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            offset,
        )
    };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is `length` bytes long, and `pages` has a byte for each page.
    let looked = unsafe { libc::mincore(map, length, pages.as_mut_ptr().cast()) };
    let error = io::Error::last_os_error();
    // SAFETY: the mapping of above, which ends here.
    unsafe { libc::munmap(map, length) };
    if looked == 0 { Ok(pages) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{resident, state};

    #[test]
    fn what_was_just_written_is_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("weights");
        fs::write(&file, vec![7; 1 << 20]).unwrap();
        let (there, all) = resident(&file).unwrap();
        assert!(all >= 64 && there == all, "{there} of {all}");
        assert_eq!(state(&[file]), Some("warm"));
    }

    #[test]
    fn a_file_that_was_never_read_is_cold() {
        // A hole: nothing of it was ever in memory.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("weights");
        fs::File::create(&file).unwrap().set_len(3 << 20).unwrap();
        assert_eq!(state(std::slice::from_ref(&file)), Some("cold"));
        let warm = dir.path().join("warm");
        fs::write(&warm, vec![7; 1 << 20]).unwrap();
        assert_eq!(state(&[file, warm]), Some("partial"));
    }

    #[test]
    fn of_what_is_not_there_or_empty_nothing_is_said() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("empty"), "").unwrap();
        assert_eq!(state(&[dir.path().join("empty")]), None);
        assert_eq!(state(&[dir.path().join("none")]), None);
        assert_eq!(state(&[] as &[PathBuf]), None);
    }
}
