//! The one place where operating systems part ways. Each module below offers
//! the same three things with the same signatures:
//!
//! - `Sensors::open(&Roots, &mut HostProfile, &mut Sources) -> Sensors` and
//!   `Sensors::read(&mut self) -> Reading`
//! - `Tree::new(&Roots, pid: i32, with_root: bool) -> Tree` and
//!   `Tree::read(&mut self, deep: bool) -> TreeReading`
//! - `zombies(&Roots) -> Option<u32>`

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Sensors, Tree, zombies};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{Sensors, Tree, zombies};

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod unsupported;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) use unsupported::{Sensors, Tree, zombies};
