//! llama.cpp's `llama-server`.
//!
//! Its answers carry `timings`, also in streams. Run here with xllamacpp 2026.10.

use serde_json::json;

use super::{Ask, IgnoreEos, Knowledge, NOTHING, Tokenizer};
use crate::facts::served;

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "llama-server",
    // Without --port it would take 8080, which may be somebody else's; without --jinja
    // there are no tools.
    command: &["llama-server", "-m", "{path}", "--host", "{host}", "--port", "{port}", "--jinja"],
    // 503 while the model loads, then 200.
    health: Some("/health"),
    // A bare prompt: a chat would leave its template's first words in the cache, and the
    // first case that is measured would not be the first that reads them.
    first_token: Some(|model| {
        let body = json!({"model": model, "prompt": "Hi", "max_tokens": 1});
        Ask::post("/v1/completions", body)
    }),
    uncached: Some(("cache_prompt", false)),
    ignore_eos: IgnoreEos::Field("ignore_eos"),
    tokenizer: Some(Tokenizer::LlamaCpp),
    version: Some(("/props", "build_info")),
    version_flag: true,
    facts: Some((|_| Ask::get("/v1/models"), served::llama_cpp)),
    ..NOTHING
};
