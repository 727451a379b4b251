//! Samples the machine while it runs a command.
//!
//! [`session`] is one run: it opens the [`output`], writes the [`opening`], starts
//! the [`child`], and then waits in a single loop for the next point of the
//! [`grid`] or for something to happen. Threads that sleep wait for what happens:
//! [`signals`], the end of the command, and the [`relay`], which passes the
//! command's lines on between the samples. The [`sampler`] reads the probes;
//! [`sample`] makes a record of what they gave, [`jumps`] one of what happened to time,
//! [`tally`] adds records up for the [`closing`]. [`emit`] can write them in the layout of
//! [`mlx_knife`], and [`serve`] shows the last one as [`metrics`].
//!
//! [`doctor`] says what can be measured here; [`dump`] saves what it is read from.

pub mod child;
mod cli;
pub mod closing;
pub mod doctor;
pub mod dump;
pub mod emit;
pub mod exit;
pub mod gpu_sums;
pub mod grid;
pub mod jumps;
pub mod metrics;
pub mod mlx_knife;
pub mod opening;
pub mod output;
pub mod relay;
pub mod sample;
pub mod sampler;
pub mod serve;
pub mod session;
pub mod signals;
pub mod splitter;
mod sys;
mod table;
pub mod tally;
pub mod terminal;
mod wide;

use std::io::{ErrorKind, Write};

pub use cli::Args;

/// Runs memmon; its exit code. What went wrong has been said.
#[must_use]
pub fn run(args: Args) -> u8 {
    let result = match &args.dump {
        Some(dir) => dump::run(dir),
        None if args.doctor => doctor::run(args.replay.as_deref()),
        None => session::run(&args),
    };
    result.unwrap_or_else(|message| {
        complain(&message);
        exit::OWN_FAILURE
    })
}

/// Writes `text` for people who asked for it; a reader who went away is no failure.
fn say(text: &str) -> Result<u8, String> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write: standard output: {error}"))
        }
        _ => Ok(pipe::exit::DONE),
    }
}

fn complain(message: &str) {
    pipe::cli::complain(env!("CARGO_PKG_NAME"), message);
}
