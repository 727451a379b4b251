//! The one place where operating systems part ways. Each module below offers
//! the same things with the same signatures:
//!
//! - `Sensors::open(&Roots, &mut HostProfile, &mut Sources) -> Sensors` and
//!   `Sensors::read(&mut self) -> Reading`
//! - `Tree::new(&Roots, pid: i32, with_root: bool) -> Tree`,
//!   `Tree::read(&mut self, deep: bool) -> TreeReading` and, after a deep read,
//!   `Tree::zombies(&mut self) -> Option<u32>` of the whole system
//! - `Census::new(&Roots) -> Census` and `Census::zombies(&mut self) -> Option<u32>`
//!   for those who watch no tree
//! - `capture(&Roots) -> Vec<(String, Vec<u8>)>`: path and content of what is read
//! - `be_punctual()`: has the calling thread woken on time
//!
//! [`replay`] plays captures back, on any system as far as their decoders go.

mod replay;
pub use replay::Replay;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Census, Sensors, Tree, be_punctual, capture};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{Census, Sensors, Tree, be_punctual, capture};

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod unsupported;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) use unsupported::{Census, Sensors, Tree, be_punctual, capture};
