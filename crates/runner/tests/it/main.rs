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
#[path = "../../../../benches/instant_server.rs"]
#[allow(dead_code)]
mod instant_server;
mod language;
mod life;
mod manual;
mod outputs;
mod reference;
mod schedulers;
