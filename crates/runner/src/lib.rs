//! pytest for inference backends.
//!
//! A [`suite`] in TOML names backends, models and cases; [`plan`] makes cells of
//! them, [`select`] picks some, [`run`](run()) runs them group by group so that each model
//! is loaded once, and [`journal`] writes every record when it happens.

pub mod backend;
pub mod batch;
mod bench;
pub mod case;
pub mod cli;
pub mod collect;
mod cost;
pub mod emit;
mod energy;
pub mod exit;
pub mod expect;
pub mod facts;
pub mod fixture;
pub mod health;
pub mod http;
pub mod interrupt;
pub mod journal;
pub mod junit;
pub mod last;
pub mod measure;
pub mod outputs;
pub mod plan;
pub mod progress;
mod random;
pub mod resume;
mod retry;
mod run;
pub mod secrets;
pub mod select;
pub mod suite;

pub use run::{Options, run};
