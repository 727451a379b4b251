//! llama.cpp's `llama-server`.
//!
//! Its answers carry `timings`, also in streams. Run here with xllamacpp 2026.10.

use super::{Ask, Knowledge, NOTHING};
use crate::facts::served;

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "llama-server",
    // Without --port it would take 8080, which may be somebody else's; without --jinja
    // there are no tools.
    command: &["llama-server", "-m", "{path}", "--host", "{host}", "--port", "{port}", "--jinja"],
    // 503 while the model loads, then 200.
    health: Some("/health"),
    uncached: Some(("cache_prompt", false)),
    version: Some(("/props", "build_info")),
    version_flag: true,
    facts: Some((|_| Ask::get("/v1/models"), served::llama_cpp)),
    ..NOTHING
};
