//! Every call into macOS that Rust cannot check, each wrapped once in a safe
//! function that only moves bytes. What the bytes mean is `decode`'s business.

pub(super) mod cf;
pub(super) mod iokit;
pub(super) mod ioreport;
pub(super) mod mach;
pub(super) mod notify;
pub(super) mod process;
pub(super) mod qos;
pub(super) mod sysctl;
pub(super) mod time;
