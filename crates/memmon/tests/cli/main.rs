//! The real binary, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command;
mod doctor;
mod emit;
mod lines;
mod manual;
mod relay;
mod serve;
mod signals;
mod support;
mod terminal;
mod tree;
