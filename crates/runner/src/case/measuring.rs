//! How a request differs when it is measured.

use serde_json::{Map, Value, json};

use crate::backend::Kind;

/// What is added to a request that is measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measuring<'a> {
    /// Has the server's cache of prompts be passed by; a new one for each request.
    pub(crate) nonce: Option<&'a str>,
    /// Whether the answer goes on to `max_tokens` whatever the model says; with these
    /// tokens at its end where the backend has to be told them.
    pub(crate) ignore_eos: Option<&'a [u64]>,
    /// What stands before the request, so that it is in the server's cache.
    pub(crate) before: Option<&'a str>,
    /// What is added to the prompt.
    pub(crate) filler: Option<&'a str>,
    /// So many tokens and no more, whatever the suite says.
    pub(crate) max_tokens: Option<u64>,
}

impl Measuring<'_> {
    /// Changes `body` as `kind` understands it.
    pub(super) fn adapt(&self, kind: Kind, body: &mut Map<String, Value>) {
        if let Some(nonce) = self.nonce {
            match self.before {
                // What comes before shall be in the cache, and the rest not.
                Some(before) => after(before, body, nonce),
                None => {
                    kind.pass_by_cache(body, nonce);
                }
            }
        }
        if let Some(end) = self.ignore_eos {
            kind.ignore_eos(body, end);
        }
    }
}

/// Puts `nonce` behind `before`, where the prompt proper begins.
fn after(before: &str, body: &mut Map<String, Value>, nonce: &str) {
    if let Some(Value::String(prompt)) = body.get_mut("prompt") {
        prompt.insert_str(before.len(), &format!(" {nonce}"));
    }
    let last = body.get_mut("messages").and_then(Value::as_array_mut).and_then(|m| m.last_mut());
    match last.and_then(|last| last.get_mut("content")) {
        Some(Value::String(text)) => text.insert_str(0, &format!("{nonce} ")),
        Some(Value::Array(parts)) => parts.insert(0, json!({"type": "text", "text": nonce})),
        _ => {}
    }
}
