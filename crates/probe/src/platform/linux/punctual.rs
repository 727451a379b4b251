//! How promptly a thread is woken.

use nix::libc;

/// The time that the calling thread asks the scheduler for at once: the least that
/// it grants, about as much as a sample takes.
const SLICE_NS: u64 = 100_000;

/// Timers of the calling thread go off to the nanosecond instead of together
/// with others of the next 50 µs; and once awake it goes before those who want
/// to run for longer, as far as it has not had more than its share (from Linux
/// 6.12 on; older kernels know no such wish).
pub(crate) fn be_punctual() {
    // Refused, it stays as it is.
    let _ = nix::sys::prctl::set_timerslack(1);
    if let Some(mut attr) = scheduling()
        && attr.sched_policy == libc::SCHED_OTHER.unsigned_abs()
    {
        attr.sched_flags = libc::SCHED_FLAG_RESET_ON_FORK.unsigned_abs().into();
        attr.sched_runtime = SLICE_NS;
        // SAFETY: the kernel reads as many bytes of `attr` as its `size` says, which
        // are no more than it has. 0 is the calling thread.
        let _ = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
    }
}

/// How the calling thread is scheduled.
fn scheduling() -> Option<libc::sched_attr> {
    // SAFETY: a struct of integers, for which zero is a value.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::sched_attr>();
    // SAFETY: the kernel writes at most `size` bytes to `attr`, which has that many.
    let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) };
    (result == 0).then_some(attr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_slice_is_asked_for_and_nothing_else_is_changed_nor_inherited() {
        let before = scheduling().unwrap();
        let (own, inherited) = std::thread::spawn(|| {
            be_punctual();
            let inherited = std::thread::spawn(scheduling).join().unwrap();
            (scheduling().unwrap(), inherited.unwrap())
        })
        .join()
        .unwrap();
        // Older kernels name no slice.
        if before.sched_runtime > 0 {
            assert_eq!(own.sched_runtime, SLICE_NS);
        }
        assert_eq!(inherited.sched_runtime, before.sched_runtime);
        for after in [own, inherited] {
            assert_eq!(after.sched_policy, before.sched_policy);
            assert_eq!(after.sched_nice, before.sched_nice);
        }
    }
}
