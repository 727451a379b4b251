//! Speaking to a server: the wire, the stream of events, and what they say.

mod answer;
mod client;
mod sse;

pub(crate) use answer::error_of;
pub use answer::{Answer, Usage};
pub use client::{Body, Client, HttpError, HttpErrorKind, Key, Reply};
pub use sse::{Event, SseReader};
