//! Processes through libproc.

use std::io::Error;

use super::{sysctl, time};
use crate::cpu_time::CpuTime;
use crate::family::{Birth, NoUsage, Processes, Usage};

/// `PROC_ALL_PIDS` of `sys/proc_info.h`.
const ALL: u32 = 1;
/// `PROC_PPID_ONLY`: what `proc_listchildpids` asks for.
const BY_PARENT: u32 = 6;
/// `PROC_PIDUNIQIDENTIFIERINFO` of `sys/proc_info_private.h`: answered for
/// every process, whosever it is.
const UNIQUE: i32 = 17;

/// `struct proc_uniqidentifierinfo`.
#[repr(C)]
struct UniqueInfo {
    uuid: [u8; 16],
    id: u64,
    /// Set when it was started, and not when it is orphaned.
    parent: u64,
    rest: [u64; 3],
}

const _: () = assert!(size_of::<UniqueInfo>() == 56);

/// The processes of this machine.
pub(in super::super) struct Kernel;

impl Processes for Kernel {
    fn cores_ns(&self) -> Option<u64> {
        let uptime_ns = time::timebase().ns(time::now_ticks())?;
        uptime_ns.checked_mul(sysctl::integer(c"hw.logicalcpu")?)
    }

    fn usage(&self, pid: i32) -> Result<Usage, NoUsage> {
        // SAFETY: a struct of integers, for which zero is a value.
        let mut info: libc::rusage_info_v4 = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel fills in the struct of the version that is named;
        // the parameter's type is that of a pointer to any version.
        let result =
            unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V4, (&raw mut info).cast()) };
        if result != 0 {
            return Err(match Error::last_os_error().raw_os_error() {
                Some(libc::ESRCH) => NoUsage::Gone,
                _ => NoUsage::Hidden,
            });
        }
        // In ticks of the clock, though the header does not say so.
        let base = time::timebase();
        let ns = |user: u64, system: u64| base.ns(user.checked_add(system)?);
        let own = ns(info.ri_user_time, info.ri_system_time);
        let waited = ns(info.ri_child_user_time, info.ri_child_system_time);
        let cpu_ns = own.zip(waited).map(|(own, waited)| CpuTime { own, waited });
        Ok(Usage {
            start: info.ri_proc_start_abstime,
            ended: info.ri_proc_exit_abstime != 0,
            rss_bytes: info.ri_resident_size,
            footprint_bytes: info.ri_phys_footprint,
            cpu_ns,
        })
    }

    fn is_zombie(&self, pid: i32) -> Option<bool> {
        // SAFETY: a struct of integers and characters.
        let info: libc::proc_bsdshortinfo = unsafe { about(pid, libc::PROC_PIDT_SHORTBSDINFO) }?;
        Some(info.pbsi_status == libc::SZOMB)
    }

    fn birth(&self, pid: i32) -> Option<Birth> {
        // SAFETY: a struct of integers.
        let info: UniqueInfo = unsafe { about(pid, UNIQUE) }?;
        Some(Birth { id: info.id, parent: info.parent })
    }

    fn children(&self, pid: i32, into: &mut Vec<i32>) {
        match u32::try_from(pid) {
            Ok(pid) => {
                list(BY_PARENT, pid, into);
            }
            Err(_) => into.clear(),
        }
    }
}

impl Kernel {
    /// All processes, in place of what `pids` held. False when they cannot be
    /// had.
    pub(in super::super) fn all(&self, pids: &mut Vec<i32>) -> bool {
        list(ALL, 0, pids)
    }
}

/// What the kernel says of the process `pid`, zombie or not.
///
/// # Safety
/// All bit patterns must be values of `T`.
unsafe fn about<T>(pid: i32, what: i32) -> Option<T> {
    let length = i32::try_from(size_of::<T>()).ok()?;
    // SAFETY: as the caller promises.
    let mut info: T = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most `length` bytes to `info`, which has
    // that many. The argument 1 asks for zombies too.
    let written = unsafe { libc::proc_pidinfo(pid, what, 1, (&raw mut info).cast(), length) };
    (written == length).then_some(info)
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
