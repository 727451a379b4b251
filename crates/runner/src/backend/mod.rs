//! Backends: what each kind fills in, and the life of a server.

mod kind;
mod log;
mod page_cache;
mod process;
mod server;
mod strays;
mod timings;

pub use kind::{Ask, Kind, ReadFacts, Readiness, Tokenizer, signal_named};
pub use log::Log;
pub(crate) use log::{file_name, own_folder};
pub(crate) use process::kill_all;
pub use process::{End, Process};
pub use server::{Failure, Server, Started, Surroundings, program_path};
pub use timings::{cached_tokens, generation_tps, prompt_s, prompt_tps, timings};
