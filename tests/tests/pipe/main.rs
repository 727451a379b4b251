//! The tools together, as a user runs them: a real llama.cpp server, a real model, the
//! whole pipe, and what comes out of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anomaly;
mod attach;
mod backends;
mod bad_input;
mod browser;
mod demo;
mod figures;
mod interrupt;
mod manual;
mod measures;
mod requests;
mod shards;
mod soak;
mod tools;
