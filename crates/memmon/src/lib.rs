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

pub mod child;
mod cli;
pub mod closing;
pub mod emit;
pub mod exit;
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
pub mod tally;
pub mod terminal;
mod wide;

pub use cli::Args;

/// Runs memmon; its exit code. What went wrong has been said.
#[must_use]
pub fn run(args: Args) -> u8 {
    session::run(&args).unwrap_or_else(|message| {
        complain(&message);
        exit::OWN_FAILURE
    })
}

fn complain(message: &str) {
    pipe::cli::complain(env!("CARGO_PKG_NAME"), message);
}
