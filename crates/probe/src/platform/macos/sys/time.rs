//! The clock that drivers stamp with: it stands still while the machine sleeps.

use mach2::mach_time::{mach_absolute_time, mach_timebase_info};

use crate::decode::ioreport::Timebase;

/// What a tick of the clock is.
pub(super) fn timebase() -> Timebase {
    let mut info = mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: `info` is ours to be written to.
    unsafe { mach2::mach_time::mach_timebase_info(&mut info) };
    Timebase { numer: info.numer, denom: info.denom }
}

/// Now, in ticks.
pub(super) fn now_ticks() -> u64 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { mach_absolute_time() }
}
