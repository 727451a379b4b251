//! Pipes that hold more.

use std::os::fd::AsFd;

/// Lets `pipe` hold 256 KiB instead of 64, where the system can: fewer changes between
/// the command, us and our reader, which on busy cores is most of what passing lines on
/// costs. Beyond that the processor's cache holds less of it. Nothing happens to what
/// is no pipe.
pub(crate) fn widen(pipe: impl AsFd) {
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{FcntlArg, fcntl};
        // A limit of the user's may forbid it: then it stays as it is.
        let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(256 << 10));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = pipe;
}
