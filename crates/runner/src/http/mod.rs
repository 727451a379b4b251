//! Speaking to a server: the wire, the stream of events, and what they say.

mod answer;
mod client;
mod multipart;
mod payload;
mod sse;

pub(crate) use answer::from_text;
pub use answer::{Answer, Asked, Source, ToolCall, Usage};
pub use client::{Body, Client, HttpError, HttpErrorKind, Key, Reply};
pub use multipart::Form;
pub use payload::{Outgoing, Payload};
pub use sse::{Event, Events, SseReader};
