//! Reads the machine: memory, swap, memory pressure, load, CPU, GPUs, the
//! control group and process trees, on Linux and macOS, without root and
//! without starting a process.
//!
//! - [`Machine`] opens its sources once and gives a [`Reading`] whenever asked;
//!   what it cannot measure stands in its [`Sources`] with the reason.
//! - [`Tree`] adds up what a process and all below it use; [`zombies`] counts
//!   the ended processes that nobody waited for, on the whole system;
//!   [`Processes`] do both at once.
//! - [`capture`] takes what is read as files, and [`Replay`] reads such files.
//! - [`clock`] stamps on the wall's and on a monotonic clock.
//! - [`decode`] holds every format, free of input and output.
//!
//! Units are base units: bytes, percent from 0 to 100, watts, °C. `None` means
//! "not measured" and never stands in for 0, nor 0 for it.

pub mod clock;
#[cfg(any(target_os = "linux", target_os = "macos", test))]
mod cpu_time;
pub mod decode;
#[cfg(any(target_os = "macos", test))]
mod family;
mod machine;
mod platform;
#[cfg(any(target_os = "macos", test))]
mod printed;
mod profile;
mod reading;
mod sources;
mod tree;

pub use machine::{Machine, Roots, capture, capture_at};
pub use platform::Replay;
pub use profile::{GpuProfile, HostProfile};
pub use reading::{Cgroup, Cpu, Gpu, Pressure, Reading};
pub use sources::{Found, Missing, Sources};
pub use tree::{ProcessReading, Processes, Tree, TreeReading, zombies, zombies_at};
