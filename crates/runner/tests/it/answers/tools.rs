//! Tools that are called, and turns of a conversation.

use serde_json::{Value, json};

use super::{calls, has, reason, says};
use crate::common::Folder;

const TOOLS: &str = r#"tools = [{ type = "function", function = { name = "weather", parameters = { type = "object", properties = { city = { type = "string" } } } } }]"#;

#[test]
fn calls_of_tools_are_judged_wherever_they_stand() {
    let answers = json!([
        {"if": "native", "body": calls("weather", "{\"city\": \"Paris\"}")},
        {"if": "text", "body": says("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>")},
        {"if": "broken", "body": calls("weather", "{\"city\": ")},
        {"if": "none", "body": says("It is sunny.")},
        {"if": "streamed", "events": [
            {"choices": [{"delta": {"role": "assistant", "content": null}}]},
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "weather", "arguments": ""}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{\"city\": \"Pa"}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "ris\"}"}}]}}]},
            {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
            "data: [DONE]\n\n",
        ]},
    ]);
    let case = |name: &str, prompt: &str, more: &str, expect: &str| {
        format!(
            "[[case]]\nname = '{name}'\nneeds = ['tools']\nexpect = [{{ tool_calls = {{ {expect} }} }}]\n\
             [case.request]\napi = 'chat'\nprompt = '{prompt}'\n{more}\n{TOOLS}\n"
        )
    };
    let paris = "name = 'weather', arguments = { city = { icontains = 'paris' } }";
    let cases = [
        case(
            "native",
            "native",
            "tool_choice = 'required'",
            &format!("{paris}, native = true, count = 1"),
        ),
        case("text", "text", "", paris),
        case("text-is-not-native", "text", "", &format!("{paris}, native = true")),
        case("broken", "broken", "", "name = 'weather'"),
        case("none", "none", "", "name = 'weather'"),
        case("none-wanted", "none", "", "count = 0"),
        case("wrong-city", "native", "", "arguments = { city = 'Rome' }"),
        case("streamed", "streamed", "stream = true", &format!("{paris}, native = true")),
    ];
    let folder = Folder::scripted(&answers, &cases.concat());
    let run = folder.run(&[]);
    has(
        &run,
        &[
            ("native", "passed"),
            ("text", "passed"),
            ("text-is-not-native", "failed"),
            ("broken", "failed"),
            ("none", "failed"),
            ("none-wanted", "passed"),
            ("wrong-city", "failed"),
            ("streamed", "passed"),
        ],
    );
    let sources = |case: &str| run.test(case)["checks"][0]["actual"][0]["source"].clone();
    assert_eq!((sources("native"), sources("text")), (json!("native"), json!("text")));
    assert!(reason(&run, "text-is-not-native").contains("the backend left it in the text"));
    assert!(reason(&run, "broken").contains("the arguments are no JSON object"));
    assert!(reason(&run, "none").contains("It is sunny. (no tool is called)"));
    assert!(reason(&run, "wrong-city").contains("argument \"city\" is \"Paris\""));
    assert!(run.test("streamed")["metrics"]["ttft_s"].is_number(), "a piece of a call is a token");
    let sent: Value = serde_json::from_str(folder.requests()[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(sent["tool_choice"], "required");
    assert_eq!(sent["tools"][0]["function"]["name"], "weather");
    assert_eq!(run.test("native")["modality"], "tools");
}

#[test]
fn turns_are_said_one_after_another_with_the_real_answers_between() {
    let answers = json!([
        {"if": "unanswered", "status": 500, "body": "gone"},
        {"if": "18 degrees", "body": says("It is 18 degrees in Paris.")},
        {"if": "And in Paris?", "body": calls("weather", "{\"city\":\"Paris\"}")},
        {"if": "Hello", "body": says("Hi, how can I help?")},
    ]);
    let cases = format!(
        r#"
[[case]]
name = "round"
expect = [{{ text = {{ contains = "18" }} }}]
[case.request]
api = "chat"
system = "Be brief."
{TOOLS}
turns = [
  {{ prompt = "Hello", expect = [{{ text = {{ icontains = "hi" }} }}] }},
  {{ prompt = "And in Paris?", expect = [{{ tool_calls = {{ name = "weather" }} }}] }},
  {{ tool_results = {{ weather = "18 degrees" }} }},
]
[[case]]
name = "not-called"
request = {{ api = "chat", turns = ["Hello", {{ tool_results = {{ weather = "x" }} }}] }}
[[case]]
name = "first-fails"
request = {{ api = "chat", turns = [{{ prompt = "Hello", expect = [{{ text = {{ contains = "Bye" }} }}] }}, "Hello again"] }}
[[case]]
name = "second-errs"
request = {{ api = "chat", turns = ["Hello", "unanswered"] }}
"#
    );
    let folder = Folder::scripted(&answers, &cases);
    let run = folder.run(&[]);
    has(
        &run,
        &[
            ("round", "passed"),
            ("not-called", "failed"),
            ("first-fails", "failed"),
            ("second-errs", "error"),
        ],
    );
    let sent: Vec<Value> = folder.requests()[..3]
        .iter()
        .map(|request| serde_json::from_str(request["text"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(sent[0]["messages"].as_array().unwrap().len(), 2);
    let last = sent[2]["messages"].as_array().unwrap();
    let roles: Vec<&str> = last.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "tool"]);
    assert_eq!(last[2]["content"], "Hi, how can I help?");
    assert_eq!(last[4]["tool_calls"][0]["function"]["arguments"], "{\"city\":\"Paris\"}");
    assert_eq!(
        (&last[5]["tool_call_id"], &last[5]["content"]),
        (&json!("c1"), &json!("18 degrees"))
    );
    let round = run.test("round");
    assert_eq!(round["checks"][0]["expect"], json!({"text": {"icontains": "hi"}, "turn": 1}));
    let turns = round["metadata"]["turns"].as_array().unwrap();
    assert_eq!((turns.len(), &turns[0]["answer"]), (3, &json!("Hi, how can I help?")));
    assert!(reason(&run, "not-called").contains("turn 1 calls the tools that turn 2 answers"));
    assert!(reason(&run, "first-fails").contains("\"turn\":1"));
    assert_eq!(reason(&run, "second-errs"), "turn 2: HTTP status 500: gone");
}
