//! Ollama, attached where it listens by itself, or started by a command of the suite.
//!
//! Its `/v1` answers carry usage only; those of its own `/api/chat` carry durations in
//! nanoseconds. Not run here: by its documentation.

use serde_json::json;

use super::{Ask, Knowledge, NOTHING};
use crate::facts::served;

/// How long it keeps a model that is not asked: longer than any pause between cases.
const KEEP: &str = "30m";

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "ollama",
    env: &[("OLLAMA_HOST", "{host}:{port}")],
    attach: Some("http://127.0.0.1:11434"),
    health: Some("/api/version"),
    // A request without a prompt loads the model and does no more.
    preload: Some(|model| {
        Ask::post("/api/generate", json!({"model": model, "keep_alive": KEEP, "stream": false}))
    }),
    adapt: |body| {
        body.entry("keep_alive").or_insert_with(|| json!(KEEP));
    },
    version: Some(("/api/version", "version")),
    facts: Some((|model| Ask::post("/api/show", json!({"model": model})), served::ollama)),
    ..NOTHING
};
