//! Answers with embeddings.

use serde_json::Value;

use super::{Answer, error_of, usage};

/// Embeddings of `inputs` texts, each a list of numbers (or packed as base64 where that
/// was asked for).
pub(super) fn read(bytes: &[u8], inputs: Option<usize>) -> Answer {
    let body = match super::json(bytes) {
        Ok(body) => body,
        Err(fault) => return Answer::fault(fault),
    };
    let fault = fault(&body, inputs);
    Answer { usage: usage(&body), fault, body: Some(body), ..Answer::default() }
}

fn fault(body: &Value, inputs: Option<usize>) -> Option<String> {
    let Some(data) = body["data"].as_array().filter(|data| !data.is_empty()) else {
        return Some(match error_of(body) {
            Some(error) => format!("the server reports an error: {error}"),
            None => "the answer has no embeddings".to_owned(),
        });
    };
    if let Some(inputs) = inputs.filter(|inputs| *inputs != data.len()) {
        return Some(format!("the answer has {} embeddings of {inputs} texts", data.len()));
    }
    for (item, n) in data.iter().zip(0..) {
        match &item["embedding"] {
            Value::String(packed) if !packed.is_empty() => {}
            Value::Array(numbers) if numbers.is_empty() => {
                return Some(format!("embedding {n} is empty"));
            }
            // What is no number (NaN) cannot be written in JSON and becomes null.
            Value::Array(numbers) => {
                if let Some(other) = numbers.iter().find(|number| !number.is_number()) {
                    return Some(format!("embedding {n} has {other} among its numbers"));
                }
            }
            _ => return Some(format!("embedding {n} is no list of numbers")),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn embeddings_are_lists_of_numbers_one_for_each_text() {
        let two =
            br#"{"data":[{"embedding":[1,0.5]},{"embedding":[0,1]}],"usage":{"prompt_tokens":4}}"#;
        let answer = read(two, Some(2));
        assert_eq!((answer.fault, answer.text), (None, None));
        assert_eq!(answer.usage.unwrap().prompt, Some(4));
        for (body, inputs, fault) in [
            (two.as_slice(), 3, "the answer has 2 embeddings of 3 texts"),
            (br#"{"data":[]}"#, 1, "the answer has no embeddings"),
            (br#"{"error":"no"}"#, 1, "the server reports an error: no"),
            (br#"{"data":[{"embedding":[]}]}"#, 1, "embedding 0 is empty"),
            (br#"{"data":[{"embedding":[1,null]}]}"#, 1, "embedding 0 has null among its numbers"),
            (br#"{"data":[{}]}"#, 1, "embedding 0 is no list of numbers"),
        ] {
            assert_eq!(read(body, Some(inputs)).fault.as_deref(), Some(fault));
        }
    }
}
