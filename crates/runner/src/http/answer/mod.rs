//! What an answer says, streamed or not.

mod chat;
mod chunk;
mod embedding;
mod stream;
mod tool_call;
mod transcript;

use std::time::Instant;

use serde_json::{Map, Value};

pub(crate) use tool_call::from_text;
pub use tool_call::{Source, ToolCall};

use super::client::{Body, Reply};
use crate::{
    expect::Sse,
    suite::{Api, Format},
};

/// What was asked for, which an answer is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The interface.
    pub api: Api,
    /// How a transcription is written down.
    pub format: Format,
    /// How many texts embeddings are asked of; `None` when nobody knows.
    pub inputs: Option<usize>,
}

impl From<Api> for Asked {
    fn from(api: Api) -> Asked {
        Asked { api, format: Format::default(), inputs: None }
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What the model said or heard; of an error, its message.
    pub text: Option<String>,
    /// What it thought before, where that is apart.
    pub reasoning: Option<String>,
    /// The tools that it calls, as the backend reports them.
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish_reason: Option<String>,
    /// Tokens, by the server's count.
    pub usage: Option<Usage>,
    /// The server's own timings, where it reports them.
    pub timings: Option<Map<String, Value>>,
    /// The body as JSON. A stream's is put together to the shape of one that was
    /// not streamed, so that the same paths find the same things in both.
    pub body: Option<Value>,
    /// The stream, when it was one.
    pub sse: Option<Sse>,
    /// When chunks with content came (text, reasoning, pieces of a tool call); empty when
    /// not streamed.
    pub content_at: Vec<Instant>,
    /// When the chunk came that says why it stopped.
    pub finished_at: Option<Instant>,
    /// How long the sound lasts that it is an answer to, where that is known.
    pub audio_s: Option<f64>,
    /// Why this is no answer.
    pub fault: Option<String>,
}

/// Tokens, by the server's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub prompt: Option<u64>,
    /// Of the answer.
    pub completion: Option<u64>,
    /// Of both.
    pub total: Option<u64>,
    /// Of the prompt, from a cache.
    pub cached: Option<u64>,
}

impl Answer {
    /// Reads the answer to what was `asked` out of `reply`.
    #[must_use]
    pub fn read(reply: &Reply, asked: Asked) -> Answer {
        let mut answer = match (&reply.body, asked.api) {
            (Body::Whole(bytes), _) if reply.status >= 400 => refusal(bytes),
            (Body::Events(events), Api::Http) => stream::events(events),
            (Body::Events(events), _) => stream::streamed(events),
            (Body::Whole(bytes), Api::Chat | Api::Completion) => chat::whole(bytes),
            (Body::Whole(bytes), Api::Transcription) => transcript::read(bytes, asked.format),
            (Body::Whole(bytes), Api::Embedding) => embedding::read(bytes, asked.inputs),
            (Body::Whole(bytes), Api::Http) => plain(bytes),
        };
        if let Some(error) = &reply.broken {
            answer.fault = Some(error.message.clone());
        }
        answer
    }

    /// No answer, for this reason.
    fn fault(fault: String) -> Answer {
        Answer { fault: Some(fault), ..Answer::default() }
    }
}

/// What a server says with a status of an error.
fn refusal(bytes: &[u8]) -> Answer {
    let mut answer = plain(bytes);
    if let Some(message) = answer.body.as_ref().and_then(error_of) {
        answer.text = Some(message);
    }
    answer
}

/// A body of any shape.
fn plain(bytes: &[u8]) -> Answer {
    Answer {
        text: Some(String::from_utf8_lossy(bytes).into_owned()),
        body: serde_json::from_slice(bytes).ok(),
        ..Answer::default()
    }
}

/// A body that must be JSON.
fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let begins: String = String::from_utf8_lossy(bytes).chars().take(80).collect();
        format!("the answer is not JSON ({error}): {begins:?}")
    })
}

/// What an error body says, in OpenAI's shape or a simpler one.
fn error_of(body: &Value) -> Option<String> {
    let error = ["error", "detail", "message"].iter().find_map(|key| body.get(key))?;
    let error = Some(error).filter(|error| !error.is_null())?;
    let text = error.get("message").unwrap_or(error);
    Some(text.as_str().map_or_else(|| text.to_string(), str::to_owned))
}

fn usage(body: &Value) -> Option<Usage> {
    let usage = body.get("usage").filter(|usage| usage.is_object())?;
    Some(Usage {
        prompt: usage["prompt_tokens"].as_u64(),
        completion: usage["completion_tokens"].as_u64(),
        total: usage["total_tokens"].as_u64(),
        cached: usage["prompt_tokens_details"]["cached_tokens"].as_u64(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Answer, Api, Body, Reply};

    fn read(status: u16, body: &str, api: Api) -> Answer {
        let now = Instant::now();
        let body = Body::Whole(body.as_bytes().to_vec());
        Answer::read(
            &Reply { sent: now, done: now, status, retry_after: None, body, broken: None },
            api.into(),
        )
    }

    #[test]
    fn the_text_of_an_error_is_its_message_whatever_its_shape() {
        for (body, text) in [
            (r#"{"error":{"message":"too long","code":400}}"#, "too long"),
            (r#"{"error":"too long"}"#, "too long"),
            (r#"{"detail":"too long"}"#, "too long"),
            ("too long", "too long"),
        ] {
            let answer = read(413, body, Api::Transcription);
            assert_eq!((answer.text.as_deref(), answer.fault), (Some(text), None), "{body}");
        }
    }

    #[test]
    fn a_plain_answer_may_have_any_shape() {
        let answer = read(200, r#"{"data":[]}"#, Api::Http);
        assert!(answer.body.unwrap()["data"].is_array());
        let answer = read(200, "ok", Api::Http);
        assert_eq!((answer.text.as_deref(), answer.body, answer.fault), (Some("ok"), None, None));
    }
}
