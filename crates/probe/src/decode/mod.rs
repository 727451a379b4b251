//! From bytes to numbers: every text and every counter that a platform hands
//! over is understood here, and nowhere else.
//!
//! Nothing in this module does input or output or depends on the operating
//! system, so the macOS decoders are tested on Linux with captures from real
//! machines, and the other way round. What cannot be understood is `None`;
//! no input makes a decoder panic.

pub mod amdgpu;
pub mod cgroup;
pub mod cpu_ticks;
pub mod cpufreq;
pub mod cpuinfo;
pub mod dvfs;
pub mod hwmon;
pub mod ioaccel;
pub mod ioreport;
pub mod loadavg;
pub mod meminfo;
pub mod nvidia;
pub mod os_release;
pub mod pid_stat;
pub mod psi;
pub mod rapl;
pub mod smaps_rollup;
pub mod stat;
pub mod statm;
mod text;
pub mod uevent;
pub mod vm;
pub mod vm_watch;
pub mod xsw;
pub mod zram;
