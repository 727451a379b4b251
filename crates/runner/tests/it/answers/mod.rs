//! What servers answer, and what becomes of it. The server gives the answers that each
//! test scripts.

mod datasets;
mod judged;
mod media;
mod tools;

use serde_json::{Value, json};

use crate::common::Run;

fn says(text: &str) -> Value {
    json!({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
           "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
}

fn calls(name: &str, arguments: &str) -> Value {
    let call =
        json!({"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}});
    json!({"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [call]},
                        "finish_reason": "tool_calls"}]})
}

fn outcomes(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    run.tests().iter().map(|test| (text(&test["case"]), text(&test["outcome"]))).collect()
}

fn has(run: &Run, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(case, outcome)| (case.to_string(), outcome.to_string())).collect();
    let reasons: Vec<&Value> = run.tests().iter().map(|test| &test["reason"]).collect();
    assert_eq!(outcomes(run), expected, "{}\n{reasons:#?}", run.stderr);
}

fn reason<'a>(run: &'a Run, case: &str) -> &'a str {
    run.test(case)["reason"].as_str().unwrap()
}

/// The shortest sound there is: a second of silence.
fn silence() -> Vec<u8> {
    let mut wav = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x7d\0\0".to_vec();
    wav.extend([0; 32_000]);
    wav
}
