//! The real binary, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command;
mod doctor;
mod lines;
mod relay;
mod signals;
mod support;
mod tree;
