//! The runner as a whole, with real processes.

#![allow(clippy::unwrap_used)]

mod cli;
mod common;
mod faults;
