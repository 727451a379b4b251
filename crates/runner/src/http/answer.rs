//! What an answer to a chat request says, streamed or not.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{
    client::{Body, Reply},
    sse::Event,
};
use crate::expect::Sse;

/// The answer to a chat request.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What the model said.
    pub text: Option<String>,
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
    /// When chunks with content (or reasoning) came; empty when not streamed.
    pub content_at: Vec<Instant>,
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
    /// Reads the answer out of `reply`.
    #[must_use]
    pub fn read(reply: &Reply) -> Answer {
        let mut answer = match &reply.body {
            Body::Whole(bytes) => Answer::whole(bytes),
            Body::Events(events) => Answer::streamed(events),
        };
        if let Some(error) = &reply.broken {
            answer.fault = Some(error.message.clone());
        }
        answer
    }

    fn whole(bytes: &[u8]) -> Answer {
        let body: Value = match serde_json::from_slice(bytes) {
            Ok(body) => body,
            Err(error) => {
                let begins: String = String::from_utf8_lossy(bytes).chars().take(80).collect();
                let fault = format!("the answer is not JSON ({error}): {begins:?}");
                return Answer { fault: Some(fault), ..Answer::default() };
            }
        };
        let choice = &body["choices"][0];
        let text = content(&choice["message"]);
        let fault = choice.is_null().then(|| "the answer has no choices".to_owned());
        Answer {
            text: text.or_else(|| choice["message"].is_object().then(String::new)),
            finish_reason: choice["finish_reason"].as_str().map(str::to_owned),
            usage: usage(&body),
            timings: crate::backend::timings(&body),
            fault,
            body: Some(body),
            ..Answer::default()
        }
    }

    fn streamed(events: &[Event]) -> Answer {
        let mut answer = Answer::default();
        let mut sse = Sse::default();
        let mut text = String::new();
        let mut assembled = Map::new();
        let mut ended = false;
        let mut chunks = 0;
        for event in events {
            if event.data.trim() == "[DONE]" {
                ended = true;
                continue;
            }
            let chunk: Value = match serde_json::from_str(&event.data) {
                Ok(chunk) => chunk,
                Err(error) => {
                    sse.fault.get_or_insert(format!("an event is not JSON: {error}"));
                    continue;
                }
            };
            if ended {
                sse.fault.get_or_insert("an event came after [DONE]".to_owned());
            }
            if let Some(message) = error_of(&chunk) {
                answer.fault.get_or_insert(format!("the server reports an error: {message}"));
            }
            chunks += 1;
            let choice = &chunk["choices"][0];
            let piece = content(&choice["delta"]).unwrap_or_default();
            // A first chunk often names the role only, and the last ones the reason
            // and the usage: no token has come with those.
            let reasoning = choice["delta"]["reasoning_content"].as_str().unwrap_or_default();
            if !piece.is_empty() || !reasoning.is_empty() {
                answer.content_at.push(event.at);
                sse.content_chunks += 1;
            }
            text.push_str(&piece);
            if let Some(reason) = choice["finish_reason"].as_str() {
                answer.finish_reason = Some(reason.to_owned());
            }
            answer.usage = usage(&chunk).or(answer.usage);
            answer.timings = crate::backend::timings(&chunk).or(answer.timings);
            for key in ["id", "model", "created", "system_fingerprint", "usage", "timings"] {
                if let Some(value) = chunk.get(key).filter(|value| !value.is_null()) {
                    assembled.insert(key.to_owned(), value.clone());
                }
            }
        }
        if !ended {
            sse.fault.get_or_insert("the stream ended without [DONE]".to_owned());
        }
        if chunks == 0 {
            answer.fault.get_or_insert("the stream had no events".to_owned());
        } else if !ended && answer.finish_reason.is_none() {
            answer.fault.get_or_insert("the stream ended early".to_owned());
        }
        let choice = json!({
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": answer.finish_reason,
        });
        assembled.insert("choices".to_owned(), json!([choice]));
        answer.body = Some(Value::Object(assembled));
        answer.text = Some(text);
        answer.sse = Some(sse);
        answer
    }
}

/// The content of a message or delta: a text, or a list of parts with texts.
fn content(message: &Value) -> Option<String> {
    match &message["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part["text"].as_str()).collect())
        }
        _ => None,
    }
}

/// What an error body says, in OpenAI's shape or a simpler one.
pub(crate) fn error_of(body: &Value) -> Option<String> {
    let error = body.get("error").filter(|error| !error.is_null())?;
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
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::{Answer, Event, Usage};

    fn streamed(data: &[&str]) -> Answer {
        let start = Instant::now();
        let events: Vec<Event> = data
            .iter()
            .zip(0..)
            .map(|(data, n)| Event {
                at: start + Duration::from_millis(n * 10),
                data: (*data).to_owned(),
            })
            .collect();
        Answer::streamed(&events)
    }

    const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#;
    const HI: &str = r#"{"choices":[{"delta":{"content":"Hi"}}],"id":"x"}"#;
    const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    const USAGE: &str =
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

    #[test]
    fn a_stream_is_put_together_and_only_content_counts_as_tokens() {
        let answer = streamed(&[
            ROLE,
            HI,
            r#"{"choices":[{"delta":{"content":"!"}}]}"#,
            STOP,
            USAGE,
            "[DONE]",
        ]);
        assert_eq!(answer.text.as_deref(), Some("Hi!"));
        assert_eq!(answer.content_at.len(), 2);
        assert_eq!(answer.content_at[1] - answer.content_at[0], Duration::from_millis(10));
        assert_eq!(
            answer.usage,
            Some(Usage { prompt: Some(3), completion: Some(2), total: Some(5), cached: None })
        );
        let body = answer.body.unwrap();
        assert_eq!(body["choices"][0]["message"]["content"], "Hi!");
        assert_eq!(body["usage"]["completion_tokens"], 2);
        let sse = answer.sse.unwrap();
        assert_eq!((sse.content_chunks, sse.fault, answer.fault), (2, None, None));
    }

    #[test]
    fn half_a_stream_is_no_answer() {
        let answer = streamed(&[ROLE, HI]);
        assert_eq!(answer.fault.as_deref(), Some("the stream ended early"));
        assert_eq!(answer.text.as_deref(), Some("Hi"));
        assert_eq!(streamed(&[]).fault.as_deref(), Some("the stream had no events"));
    }

    #[test]
    fn an_error_inside_a_stream_is_no_answer() {
        let answer = streamed(&[HI, r#"{"error":{"message":"out of memory"}}"#, "[DONE]"]);
        assert_eq!(answer.fault.as_deref(), Some("the server reports an error: out of memory"));
    }

    #[test]
    fn a_missing_done_or_garbage_is_a_fault_of_the_stream_alone() {
        let answer = streamed(&[HI, STOP]);
        assert_eq!(answer.fault, None);
        assert_eq!(answer.sse.unwrap().fault.as_deref(), Some("the stream ended without [DONE]"));
        let answer = streamed(&[HI, "{garbage", STOP, "[DONE]"]);
        assert!(answer.sse.unwrap().fault.unwrap().starts_with("an event is not JSON"));
    }

    #[test]
    fn an_answer_in_one_piece_is_read_and_garbage_is_none() {
        let body = json!({
            "choices": [{"message": {"content": "4"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}},
            "timings": {"prompt_n": 1},
        });
        let answer = Answer::whole(body.to_string().as_bytes());
        assert_eq!((answer.text.as_deref(), answer.fault), (Some("4"), None));
        assert_eq!(answer.usage.unwrap().cached, Some(1));
        assert_eq!(answer.timings.unwrap()["prompt_n"], 1);
        assert!(Answer::whole(b"<html>").fault.unwrap().starts_with("the answer is not JSON"));
        assert_eq!(Answer::whole(b"{}").fault.as_deref(), Some("the answer has no choices"));
    }
}
