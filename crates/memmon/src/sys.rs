//! The few calls that have no safe wrapper elsewhere: all the `unsafe` there is.

use std::{io, mem, os::unix::process::ExitStatusExt, process::ExitStatus, ptr};

use nix::libc;
use records::Rusage;

use crate::sample::gb;

/// What happened to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Ended(i32),
    Stopped(i32),
}

/// Waits until one of our children has ended, and leaves it a zombie, or is stopped.
///
/// # Errors
///
/// `ECHILD` when there are no children.
pub(crate) fn wait_for_any() -> io::Result<Change> {
    let info = waitid(libc::P_ALL, 0, libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT)?;
    // SAFETY: after success the kernel has filled in the fields of SIGCHLD, of which the
    // process is one.
    let pid = unsafe { info.si_pid() };
    Ok(if info.si_code == libc::CLD_STOPPED { Change::Stopped(pid) } else { Change::Ended(pid) })
}

/// Whether the child `pid` is stopped; says so once.
pub(crate) fn is_stopped(pid: i32) -> bool {
    let Ok(id) = libc::id_t::try_from(pid) else { return false };
    waitid(libc::P_PID, id, libc::WSTOPPED | libc::WNOHANG).is_ok_and(|info| {
        // SAFETY: as above; what was not filled in is 0.
        unsafe { info.si_pid() == pid }
    })
}

fn waitid(which: libc::idtype_t, id: libc::id_t, options: i32) -> io::Result<libc::siginfo_t> {
    // SAFETY: all zeroes are a valid siginfo_t, which the kernel only fills in.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    retry(|| {
        // SAFETY: `info` is a valid place for the answer.
        unsafe { libc::waitid(which, id, &raw mut info, options) }
    })?;
    Ok(info)
}

/// Takes leave of the child `pid`, which has ended.
///
/// # Errors
///
/// `ECHILD` when there is no such child.
pub(crate) fn reap(pid: i32) -> io::Result<(ExitStatus, Rusage)> {
    let mut status = 0;
    // SAFETY: all zeroes are a valid rusage.
    let mut used: libc::rusage = unsafe { mem::zeroed() };
    retry(|| {
        // SAFETY: both are valid places for the answers.
        unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut used) }
    })?;
    Ok((ExitStatus::from_raw(status), rusage(&used)))
}

/// Whether `signal` was ignored when we were started, as under nohup.
pub(crate) fn is_ignored(signal: i32) -> bool {
    // SAFETY: all zeroes are a valid sigaction.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: without a new action nothing is changed, and the present one is
    // written to a valid place.
    let done = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    done == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// What a finished process used.
fn rusage(used: &libc::rusage) -> Rusage {
    Rusage {
        user_s: seconds(used.ru_utime),
        sys_s: seconds(used.ru_stime),
        max_rss_gb: gb(max_rss_bytes(used.ru_maxrss)),
    }
}

fn seconds(time: libc::timeval) -> f64 {
    // Microseconds are an i32 on macOS.
    #[allow(clippy::useless_conversion, reason = "not on every system")]
    let us = i64::from(time.tv_usec);
    records::round(time.tv_sec as f64 + us as f64 / 1e6, 6)
}

/// Linux counts in KiB, macOS in bytes.
pub(crate) fn max_rss_bytes(ru_maxrss: i64) -> u64 {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(ru_maxrss).unwrap_or(0).saturating_mul(unit)
}

/// Calls until no signal comes in between.
fn retry(mut call: impl FnMut() -> i32) -> io::Result<()> {
    loop {
        if call() >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Change, is_ignored, is_stopped, reap, wait_for_any};

    // One test, because it waits for whichever child ends.
    #[test]
    #[allow(clippy::zombie_processes, reason = "it is what is tested")]
    fn children_are_seen_before_they_are_reaped_and_reaped_once() {
        let child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!(wait_for_any().unwrap(), Change::Ended(pid));
        assert_eq!(wait_for_any().unwrap(), Change::Ended(pid), "it is still there");
        assert!(!is_stopped(pid));
        let (status, used) = reap(pid).unwrap();
        assert_eq!(status.code(), Some(7));
        assert!(used.max_rss_gb > 0.0);
        assert_eq!(reap(pid).unwrap_err().raw_os_error(), Some(nix::libc::ECHILD));
    }

    #[test]
    fn rust_ignores_sigpipe_and_nothing_else() {
        assert!(is_ignored(nix::libc::SIGPIPE));
        assert!(!is_ignored(nix::libc::SIGTERM));
    }
}
