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
            self.answer.finish_reason = Some(reason.into_owned());
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
                self.answer.finish_reason = Some(reason.to_owned());
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
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Answer, put_together};
    use crate::http::{Event, Events, Usage};

    fn streamed(data: &[&str]) -> Answer {
        let start = Instant::now();
        let events: Events = data
            .iter()
            .zip(0..)
            .map(|(data, n)| Event { at: start + Duration::from_millis(n * 10), data })
            .collect();
        let answer = put_together(&events, true);
        let in_full = put_together(&events, false);
        assert_eq!(format!("{answer:?}"), format!("{in_full:?}"));
        answer
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

    /// Values that servers send, and values that none should.
    fn value() -> impl Strategy<Value = Value> + Clone {
        let part = json!([{"type": "text", "text": "part"}]);
        let call = json!([{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]);
        prop_oneof![
            4 => Just(Value::Null),
            6 => "[a-z \\\\\"\u{e9}\n]{0,6}".prop_map(Value::from),
            2 => (0u64..3).prop_map(Value::from),
            1 => any::<f64>().prop_map(Value::from),
            1 => prop_oneof![Just(json!([])), Just(json!({})), Just(part), Just(call), Just(json!(true))],
        ]
    }

    fn object(keys: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
        let field = (proptest::sample::select(keys), value());
        proptest::collection::vec(field, 0..4)
            .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    /// A chunk as text: of the usual shape mostly, and with whatever in it.
    fn chunk() -> impl Strategy<Value = String> {
        let delta =
            object(&["content", "reasoning", "reasoning_content", "tool_calls", "role", "odd"]);
        let choice = (object(&["index", "text", "finish_reason", "logprobs", "index"]), delta)
            .prop_map(|(mut choice, delta)| {
                choice["delta"] = delta;
                choice
            });
        let choices = prop_oneof![
            8 => choice.clone().prop_map(|choice| json!([choice])),
            1 => proptest::collection::vec(choice, 0..3).prop_map(Value::from),
            1 => value(),
        ];
        let keys = &["id", "model", "created", "system_fingerprint", "object", "usage", "error"];
        let rest = prop_oneof![
            8 => Just(json!({"id": "x", "model": "m", "created": 1, "usage": null})),
            4 => object(keys),
            1 => object(&["timings", "stats", "eval_duration", "detail", "message", "usage"]),
        ];
        let usage = json!({"prompt_tokens": 3, "completion_tokens": 2});
        (choices, rest, any::<u8>(), 0usize..200).prop_map(move |(choices, mut rest, n, cut)| {
            rest["choices"] = choices;
            if n % 16 == 0 {
                rest["usage"] = usage.clone();
            }
            let mut text = rest.to_string();
            match n % 24 {
                1 => text = text.chars().take(cut).collect(),
                2 => text = text.replace("null", "1e999"),
                3 => text = text.replace("\"index\"", "\"text\""),
                4 => text = text.replace('a', "\\ud800"),
                5 => text = "[DONE]".to_owned(),
                6 => text = format!("[{text}]"),
                7 => text = text.replace('{', "[").replace('}', "]").replace(':', ","),
                _ => {}
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_lean_way_of_reading_and_the_full_one_say_the_same(
            chunks in proptest::collection::vec(chunk(), 0..6),
        ) {
            // Both are compared there.
            streamed(&chunks.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn usual_chunks_are_read_the_lean_way() {
        for usual in [
            HI,
            ROLE,
            STOP,
            r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","usage":null,
                "choices":[{"index":0,"delta":{"content":"a\nb","tool_calls":[]},
                "logprobs":{"token_logprobs":[-0.1]},"finish_reason":null}]}"#,
            r#"{"choices":[{"text":"Once","index":0}],"error":null}"#,
        ] {
            assert!(super::Chunk::read(usual).is_some(), "{usual}");
        }
        for other in [USAGE, "[]", "{", r#"{"choices":[["x"]]}"#, r#"{"choices":[{"index":1}]}"#] {
            assert!(super::Chunk::read(other).is_none(), "{other}");
        }
    }
}
