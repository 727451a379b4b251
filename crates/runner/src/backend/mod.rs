//! Backends: what each kind fills in, and the life of a server.

mod kind;
mod logfile;
mod process;
mod server;

pub use kind::{Kind, signal_named};
pub use logfile::{LogFile, tail};
pub(crate) use logfile::{file_name, own_folder};
pub use process::{End, Process};
pub use server::{Failure, Server, Started, Surroundings, program_path};
