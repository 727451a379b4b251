//! Streams of chat and completion, put together.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Answer,
    chat::{content, reasoning},
    chunk::{Choice, Chunk, Heads, Text},
    error_of, tool_call, usage,
};
use crate::{backend::timings, expect::Sse, http::Events};

/// A stream of any events: each JSON or not, with an end or without.
pub(super) fn events(events: &Events) -> Answer {
    let mut answer = streamed(events);
    answer.fault = None;
    answer.text = Some(events.iter().map(|event| event.data).collect::<Vec<_>>().join("\n"));
    answer
}

/// A stream of chunks, put together.
pub(super) fn streamed(events: &Events) -> Answer {
    put_together(events, true)
}

/// The same; with everything read in full unless it is to be `lean`, which makes no
/// difference but in time.
fn put_together(events: &Events, lean: bool) -> Answer {
    let mut stream = Stream::default();
    for event in events.iter() {
        let usual = lean.then(|| Chunk::read(event.data)).flatten();
        match usual {
            Some(chunk) => stream.usual(chunk, event.at),
            None if event.data.trim() == "[DONE]" => stream.ended = true,
            None => stream.any(event.data, event.at),
        }
    }
    stream.answer()
}

/// What a stream has said so far.
#[derive(Default)]
struct Stream<'a> {
    answer: Answer,
    sse: Sse,
    pieces: Pieces,
    /// The body that an answer in one piece would have had, without its choice.
    body: Map<String, Value>,
    /// What stands in it by the last chunk, as far as that was a usual one.
    heads: Heads<'a>,
    ended: bool,
    chunks: u64,
}

impl<'a> Stream<'a> {
    /// Adds a chunk of the usual shape.
    fn usual(&mut self, chunk: Chunk<'a>, at: Instant) {
        self.begin_chunk();
        let Chunk { heads, choice } = chunk;
        if self.pieces.add_usual(&choice) {
            self.content_came(at);
        }
        if let Some(Text(reason)) = choice.finish_reason {
            self.finished(&reason, at);
        }
        let Stream { body, heads: last, .. } = self;
        say(body, "id", &mut last.id, heads.id);
        say(body, "model", &mut last.model, heads.model);
        say(body, "created", &mut last.created, heads.created);
        let mark = &mut last.system_fingerprint;
        say(body, "system_fingerprint", mark, heads.system_fingerprint);
    }

    /// Adds an event of any kind.
    fn any(&mut self, data: &str, at: Instant) {
        let chunk: Value = match serde_json::from_str(data) {
            Ok(chunk) => chunk,
            Err(error) => {
                self.sse.fault.get_or_insert(format!("an event is not JSON: {error}"));
                return;
            }
        };
        self.begin_chunk();
        if let Some(message) = chunk.get("error").and_then(|_| error_of(&chunk)) {
            let fault = format!("the server reports an error: {message}");
            self.answer.fault.get_or_insert(fault);
        }
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            // We ask for one choice, and judge the first of those who give more.
            if choice["index"].as_u64().unwrap_or(0) > 0 {
                continue;
            }
            if self.pieces.add(choice) {
                self.content_came(at);
            }
            if let Some(reason) = choice["finish_reason"].as_str() {
                self.finished(reason, at);
            }
        }
        let answer = &mut self.answer;
        answer.usage = usage(&chunk).or(answer.usage);
        answer.timings = timings(&chunk).or(answer.timings.take());
        self.heads = Heads::default();
        for key in ["id", "model", "created", "system_fingerprint", "usage", "timings"] {
            if let Some(value) = chunk.get(key).filter(|value| !value.is_null()) {
                self.body.insert(key.to_owned(), value.clone());
            }
        }
    }

    fn finished(&mut self, reason: &str, at: Instant) {
        self.answer.finish_reason = Some(reason.to_owned());
        self.answer.finished_at = Some(at);
    }

    fn begin_chunk(&mut self) {
        if self.ended {
            self.sse.fault.get_or_insert_with(|| "an event came after [DONE]".to_owned());
        }
        self.chunks += 1;
    }

    /// A first chunk often names the role only, and the last ones the reason and the
    /// usage: no token has come with those.
    fn content_came(&mut self, at: Instant) {
        self.answer.content_at.push(at);
        self.sse.content_chunks += 1;
    }

    fn answer(self) -> Answer {
        let Stream { mut answer, mut sse, pieces, mut body, ended, chunks, .. } = self;
        if !ended {
            sse.fault.get_or_insert_with(|| "the stream ended without [DONE]".to_owned());
        }
        if chunks == 0 {
            answer.fault.get_or_insert_with(|| "the stream had no events".to_owned());
        } else if !ended && answer.finish_reason.is_none() {
            answer.fault.get_or_insert_with(|| "the stream ended early".to_owned());
        }
        let choice = pieces.choice(answer.finish_reason.as_deref());
        answer.tool_calls = tool_call::native(&choice["message"]);
        body.insert("choices".to_owned(), json!([choice]));
        answer.body = Some(Value::Object(body));
        answer.reasoning = Some(pieces.reasoning).filter(|text| !text.is_empty());
        answer.text = Some(pieces.text);
        answer.sse = Some(sse);
        answer
    }
}

/// Has `body` say what a chunk says `now`, where the one before did not say the same.
fn say<T: PartialEq + Serialize>(
    body: &mut Map<String, Value>,
    key: &str,
    last: &mut Option<T>,
    now: Option<T>,
) {
    if now.is_some() && now != *last {
        body.insert(key.to_owned(), json!(now));
        *last = now;
    }
}

/// What the deltas of a stream have said so far.
#[derive(Default)]
struct Pieces {
    of_completion: bool,
    text: String,
    reasoning: String,
    calls: tool_call::Pieces,
}

impl Pieces {
    /// Adds one chunk's choice; whether it had content.
    fn add(&mut self, choice: &Value) -> bool {
        let delta = &choice["delta"];
        let mut piece = content(delta).unwrap_or_default();
        if let Some(text) = choice["text"].as_str() {
            self.of_completion = true;
            piece.push_str(text);
        }
        let thought = reasoning(delta).unwrap_or_default();
        self.text.push_str(&piece);
        self.reasoning.push_str(thought);
        let called = self.calls.add(delta);
        !piece.is_empty() || !thought.is_empty() || called
    }

    /// Adds the choice of a usual chunk; whether it had content.
    fn add_usual(&mut self, choice: &Choice<'_>) -> bool {
        let of = |text: &Option<Text<'_>>, all: &mut String| {
            text.as_ref().is_some_and(|Text(text)| {
                all.push_str(text);
                !text.is_empty()
            })
        };
        self.of_completion |= choice.text.is_some();
        let delta = &choice.delta;
        let content = of(&delta.content, &mut self.text);
        let text = of(&choice.text, &mut self.text);
        let thought =
            delta.reasoning_content.as_ref().map_or(&delta.reasoning, |_| &delta.reasoning_content);
        of(thought, &mut self.reasoning) || content || text
    }

    /// The choice that an answer in one piece would have had.
    fn choice(&self, finish_reason: Option<&str>) -> Value {
        if self.of_completion {
            return json!({"index": 0, "text": self.text, "finish_reason": finish_reason});
        }
        let mut message = json!({"role": "assistant", "content": self.text});
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = json!(self.reasoning);
        }
        if let Some(calls) = self.calls.assembled() {
            message["tool_calls"] = calls;
        }
        json!({"index": 0, "message": message, "finish_reason": finish_reason})
    }
}

#[cfg(test)]
mod tests;
