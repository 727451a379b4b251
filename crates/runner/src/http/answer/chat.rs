//! Answers of chat and completion in one piece.

use serde_json::Value;

use super::{Answer, error_of, tool_call, usage};
use crate::backend::timings;

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

/// The content of a message or delta: a text, or a list of parts with texts.
pub(super) fn content(message: &Value) -> Option<String> {
    match &message["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|part| part["text"].as_str()).collect())
        }
        _ => None,
    }
}

/// What the model thought, by the two names that servers have for it.
pub(super) fn reasoning(message: &Value) -> Option<&str> {
    ["reasoning_content", "reasoning"].iter().find_map(|key| message[*key].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::whole;

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
