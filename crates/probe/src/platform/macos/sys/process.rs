//! Processes through libproc.

use std::io::Error;

/// `PROC_ALL_PIDS` of `sys/proc_info.h`.
const ALL: u32 = 1;
/// `PROC_PPID_ONLY`: what `proc_listchildpids` asks for.
const BY_PARENT: u32 = 6;

/// What the kernel charges one process with.
pub(in super::super) struct Usage {
    /// Start in Mach's absolute time: with the number it names one process.
    pub(in super::super) start: u64,
    /// Set once it has ended.
    pub(in super::super) ended: bool,
    pub(in super::super) rss_bytes: u64,
    pub(in super::super) footprint_bytes: u64,
}

/// Why a process's usage is not known.
pub(in super::super) enum NoUsage {
    /// There is no such process.
    Gone,
    /// There is, but we may not look.
    Hidden,
}

/// `proc_pid_rusage` of the process `pid`.
pub(in super::super) fn usage(pid: i32) -> Result<Usage, NoUsage> {
    // SAFETY: a struct of integers, for which zero is a value.
    let mut info: libc::rusage_info_v4 = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills in the struct of the version that is named; the
    // parameter's type is that of a pointer to any version.
    let result =
        unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V4, (&raw mut info).cast()) };
    if result != 0 {
        return Err(match Error::last_os_error().raw_os_error() {
            Some(libc::ESRCH) => NoUsage::Gone,
            _ => NoUsage::Hidden,
        });
    }
    Ok(Usage {
        start: info.ri_proc_start_abstime,
        ended: info.ri_proc_exit_abstime != 0,
        rss_bytes: info.ri_resident_size,
        footprint_bytes: info.ri_phys_footprint,
    })
}

/// Whether the process `pid` is a zombie; `None` if it is gone.
pub(in super::super) fn is_zombie(pid: i32) -> Option<bool> {
    const LENGTH: i32 = size_of::<libc::proc_bsdshortinfo>() as i32;
    // SAFETY: a struct of integers and characters, for which zero is a value.
    let mut info: libc::proc_bsdshortinfo = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most `LENGTH` bytes to `info`, which has
    // that many. The argument 1 asks for zombies too.
    let length = unsafe {
        libc::proc_pidinfo(pid, libc::PROC_PIDT_SHORTBSDINFO, 1, (&raw mut info).cast(), LENGTH)
    };
    (length == LENGTH).then_some(info.pbsi_status == libc::SZOMB)
}

/// All processes, in place of what `pids` held. False when they cannot be had.
pub(in super::super) fn all(pids: &mut Vec<i32>) -> bool {
    list(ALL, 0, pids)
}

/// The children of `parent`, in place of what `pids` held. An error looks like
/// none.
pub(in super::super) fn children(parent: i32, pids: &mut Vec<i32>) {
    match u32::try_from(parent) {
        Ok(parent) => {
            list(BY_PARENT, parent, pids);
        }
        Err(_) => pids.clear(),
    }
}

fn list(kind: u32, about: u32, pids: &mut Vec<i32>) -> bool {
    pids.resize(pids.capacity().max(256), 0);
    loop {
        let room = i32::try_from(size_of_val(pids.as_slice())).unwrap_or(i32::MAX);
        // SAFETY: the kernel writes at most `room` bytes to `pids`, which has
        // at least that many.
        let bytes = unsafe { libc::proc_listpids(kind, about, pids.as_mut_ptr().cast(), room) };
        if bytes < room || room == i32::MAX {
            let count = usize::try_from(bytes).unwrap_or(0) / size_of::<i32>();
            pids.truncate(count);
            pids.retain(|pid| *pid > 0);
            return bytes > 0;
        }
        // Full: there may be more.
        pids.resize(pids.len() * 2, 0);
    }
}
