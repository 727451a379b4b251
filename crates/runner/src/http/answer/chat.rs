//! Answers of chat and completion, and streams of them.

use serde_json::{Map, Value, json};

use super::{Answer, error_of, tool_call, usage};
use crate::{backend::timings, expect::Sse, http::Event};

/// An answer in one piece.
pub(super) fn whole(bytes: &[u8]) -> Answer {
    let body = match super::json(bytes) {
        Ok(body) => body,
        Err(fault) => return Answer::fault(fault),
    };
    let choice = &body["choices"][0];
    let message = &choice["message"];
    // A completion has its text where a chat has a message.
    let text = content(message).or_else(|| choice["text"].as_str().map(str::to_owned));
    let fault = match (error_of(&body), choice.is_null()) {
        (Some(error), true) => Some(format!("the server reports an error: {error}")),
        (None, true) => Some("the answer has no choices".to_owned()),
        _ if text.is_none() && !message.is_object() => {
            Some("the answer has neither a message nor a text".to_owned())
        }
        _ => None,
    };
    Answer {
        text: text.or_else(|| message.is_object().then(String::new)),
        reasoning: reasoning(message).map(str::to_owned),
        tool_calls: tool_call::native(message),
        finish_reason: choice["finish_reason"].as_str().map(str::to_owned),
        usage: usage(&body),
        timings: timings(&body),
        fault,
        body: Some(body),
        ..Answer::default()
    }
}

/// A stream of any events: each JSON or not, with an end or without.
pub(super) fn events(events: &[Event]) -> Answer {
    let mut answer = streamed(events);
    answer.fault = None;
    answer.text =
        Some(events.iter().map(|event| event.data.as_str()).collect::<Vec<_>>().join("\n"));
    answer
}

/// A stream of chunks, put together.
pub(super) fn streamed(events: &[Event]) -> Answer {
    let mut answer = Answer::default();
    let mut sse = Sse::default();
    let mut pieces = Pieces::default();
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
        if let Some(message) = chunk.get("error").and_then(|_| error_of(&chunk)) {
            answer.fault.get_or_insert(format!("the server reports an error: {message}"));
        }
        chunks += 1;
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            // We ask for one choice, and judge the first of those who give more.
            if choice["index"].as_u64().unwrap_or(0) > 0 {
                continue;
            }
            // A first chunk often names the role only, and the last ones the reason
            // and the usage: no token has come with those.
            if pieces.add(choice) {
                answer.content_at.push(event.at);
                sse.content_chunks += 1;
            }
            if let Some(reason) = choice["finish_reason"].as_str() {
                answer.finish_reason = Some(reason.to_owned());
            }
        }
        answer.usage = usage(&chunk).or(answer.usage);
        answer.timings = timings(&chunk).or(answer.timings);
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
    let choice = pieces.choice(answer.finish_reason.as_deref());
    answer.tool_calls = tool_call::native(&choice["message"]);
    assembled.insert("choices".to_owned(), json!([choice]));
    answer.body = Some(Value::Object(assembled));
    answer.reasoning = Some(pieces.reasoning).filter(|text| !text.is_empty());
    answer.text = Some(pieces.text);
    answer.sse = Some(sse);
    answer
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

/// What the model thought, by the two names that servers have for it.
fn reasoning(message: &Value) -> Option<&str> {
    ["reasoning_content", "reasoning"].iter().find_map(|key| message[*key].as_str())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::{Answer, whole};
    use crate::http::{Event, Usage};

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
        super::streamed(&events)
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
    fn thoughts_are_content_and_stand_apart_under_both_names() {
        let answer = streamed(&[
            r#"{"choices":[{"delta":{"reasoning_content":"Hm"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning":"m."}}]}"#,
            HI,
            STOP,
            "[DONE]",
        ]);
        assert_eq!(answer.content_at.len(), 3);
        assert_eq!(
            (answer.reasoning.as_deref(), answer.text.as_deref()),
            (Some("Hmm."), Some("Hi"))
        );
        let message = &answer.body.unwrap()["choices"][0]["message"];
        assert_eq!(message["reasoning_content"], "Hmm.");
    }

    #[test]
    fn calls_of_tools_are_put_together_from_their_pieces() {
        let piece = |index: u64, rest: &str| {
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{index},{rest}}}]}}}}]}}"#)
        };
        let answer = streamed(&[
            ROLE,
            &piece(
                0,
                r#""id":"c0","type":"function","function":{"name":"weather","arguments":""}"#,
            ),
            &piece(0, r#""function":{"arguments":"{\"city\":"}"#),
            &piece(1, r#""id":"c1","function":{"name":"time","arguments":"{}"}"#),
            &piece(0, r#""function":{"arguments":" \"Paris\"}"}"#),
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            "[DONE]",
        ]);
        assert_eq!(answer.fault, None);
        assert_eq!(answer.content_at.len(), 4, "a piece of a call is content");
        let calls = &answer.tool_calls;
        assert_eq!((calls[0].name.as_str(), calls[1].name.as_str()), ("weather", "time"));
        assert_eq!(calls[0].arguments, Ok(json!({"city": "Paris"})));
        let body = answer.body.unwrap();
        let call = &body["choices"][0]["message"]["tool_calls"][0];
        assert_eq!((&call["id"], &call["function"]["name"]), (&json!("c0"), &json!("weather")));
        assert_eq!(call["function"]["arguments"], r#"{"city": "Paris"}"#);
    }

    #[test]
    fn completions_are_put_together_to_their_own_shape() {
        let answer = streamed(&[
            r#"{"choices":[{"text":"Once","index":0}]}"#,
            r#"{"choices":[{"text":" more","index":0},{"text":"other","index":1}]}"#,
            r#"{"choices":[{"text":"","finish_reason":"length"}]}"#,
            "[DONE]",
        ]);
        assert_eq!(answer.text.as_deref(), Some("Once more"));
        assert_eq!(answer.content_at.len(), 2);
        assert_eq!(answer.body.unwrap()["choices"][0]["text"], "Once more");
        let answer = whole(br#"{"choices":[{"text":"Once"}]}"#);
        assert_eq!((answer.text.as_deref(), answer.fault), (Some("Once"), None));
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
        let answer = whole(body.to_string().as_bytes());
        assert_eq!((answer.text.as_deref(), answer.fault), (Some("4"), None));
        assert_eq!(answer.usage.unwrap().cached, Some(1));
        assert_eq!(answer.timings.unwrap()["prompt_n"], 1);
        assert!(whole(b"<html>").fault.unwrap().starts_with("the answer is not JSON"));
        assert_eq!(whole(b"{}").fault.as_deref(), Some("the answer has no choices"));
        let fault = whole(br#"{"error":{"message":"gone"}}"#).fault;
        assert_eq!(fault.as_deref(), Some("the server reports an error: gone"));
        let fault = whole(br#"{"choices":[{}]}"#).fault;
        assert_eq!(fault.as_deref(), Some("the answer has neither a message nor a text"));
    }
}
