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
    let answer =
        streamed(&[ROLE, HI, r#"{"choices":[{"delta":{"content":"!"}}]}"#, STOP, USAGE, "[DONE]"]);
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
    assert_eq!((answer.reasoning.as_deref(), answer.text.as_deref()), (Some("Hmm."), Some("Hi")));
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
        &piece(0, r#""id":"c0","type":"function","function":{"name":"weather","arguments":""}"#),
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
    let delta = object(&["content", "reasoning", "reasoning_content", "tool_calls", "role", "odd"]);
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
