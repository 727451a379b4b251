//! The real binary, from outside.
#![allow(clippy::unwrap_used)]

mod command;
mod lines;
mod relay;
mod signals;
mod support;
mod tree;
