//! The runner as a whole, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod batch;
mod bench;
mod cli;
mod common;
mod docs;
mod examples;
mod faults;
mod language;
mod life;
mod manual;
mod outputs;
mod reference;
mod schedulers;
