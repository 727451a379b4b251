//! What servers answer, and what becomes of it: tools, turns, pictures, sound, embeddings,
//! datasets, targets. The server gives the answers that each test scripts.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Folder, Run};

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

/// The shortest sound there is: a second of silence.
fn silence() -> Vec<u8> {
    let mut wav = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x7d\0\0".to_vec();
    wav.extend([0; 32_000]);
    wav
}

#[test]
fn transcriptions_are_read_in_the_format_that_was_asked_for() {
    let format = |name: &str| format!("name=\"response_format\"\r\n\r\n{name}\r\n");
    let answers = json!([
        {"if": format("srt"), "body": "1\n00:00:00,000 --> 00:00:01,000\nThe quick\n\n2\n00:00:01,000 --> 00:00:02,000\nbrown fox\n"},
        {"if": format("vtt"), "body": "WEBVTT\n\n00:00.000 --> 00:02.000\nThe quick brown fox\n"},
        {"if": format("text"), "body": "The quick brown fox\n"},
        {"if": format("verbose_json"), "body": {"text": "The quick brown fox", "duration": 99.0, "segments": [{"start": 0, "end": 1}]}},
        {"if": "stubborn", "body": {"text": "hi"}},
        {"path": "/v1/audio/transcriptions", "body": {"text": "The quick brown fox"}},
    ]);
    let case = |name: &str, more: &str| {
        format!(
            "[[case]]\nname = '{name}'\nneeds = ['audio']\n\
             expect = [{{ status = 200 }}, {{ text = {{ wer = {{ reference = 'the quick brown fox', max = 0.0 }} }} }}]\n\
             request = {{ api = 'transcription', file = 'a.wav', language = 'en'{more} }}\n"
        )
    };
    let mut cases: String = ["srt", "vtt", "text", "verbose_json"]
        .map(|f| case(f, &format!(", response_format = '{f}'")))
        .concat();
    cases += &case("json", "");
    cases +=
        &case("oversize", "").replace("file = 'a.wav', language = 'en'", "body_bytes = '11MB'");
    let folder = Folder::scripted(&answers, &cases);
    fs::write(folder.path().join("a.wav"), silence()).unwrap();
    let run = folder.run(&[]);
    has(
        &run,
        &["srt", "vtt", "text", "verbose_json", "json", "oversize"].map(|name| (name, "passed")),
    );
    for case in ["srt", "verbose_json"] {
        let metrics = &run.test(case)["metrics"];
        // The server's own "duration" of 99 s is not believed.
        assert_eq!(metrics["audio_s"], 1);
        let (rtfx, e2e) = (metrics["rtfx"].as_f64().unwrap(), metrics["e2e_s"].as_f64().unwrap());
        assert!((rtfx * e2e - 1.0).abs() < 0.01, "{metrics}");
    }
    assert!(run.test("oversize")["metrics"].get("rtfx").is_none());
    let requests = folder.requests();
    assert_eq!(requests.last().unwrap()["bytes"], 11_000_000);
    assert_eq!(requests[0]["path"], "/v1/audio/transcriptions");
    assert!(requests[0]["type"].as_str().unwrap().starts_with("multipart/form-data; boundary="));
}

#[test]
fn a_server_that_answers_in_another_format_is_an_error() {
    let answers = json!([{"body": {"text": "hi"}}]);
    let cases = "[[case]]\nname = 'c'\nrequest = { api = 'transcription', file = 'a.wav', response_format = 'srt' }\n";
    let folder = Folder::scripted(&answers, cases);
    fs::write(folder.path().join("a.wav"), silence()).unwrap();
    let run = folder.run(&[]);
    has(&run, &[("c", "error")]);
    assert_eq!(reason(&run, "c"), "the answer is JSON, and srt was asked for");
    assert_eq!(run.test("c")["error"]["kind"], "bad_answer");
}

#[test]
fn a_body_that_is_refused_by_its_length_has_an_answer_and_takes_no_memory() {
    let cases = r#"
[[case]]
name = "refused"
request = { api = "chat", body_bytes = "4GB" }
expect = [{ status = 413 }, { text = { equals = "too large" } }]
[[case]]
name = "read"
request = { api = "chat", prompt = "Summarise: ", body_bytes = "11MB" }
"#;
    let folder = Folder::scripted(&json!([{"body": says("ok")}]), cases);
    let run = folder.run(&[]);
    has(&run, &[("refused", "passed"), ("read", "passed")]);
    assert!(run.test("refused")["duration_s"].as_f64().unwrap() < 5.0);
    let requests = folder.requests();
    assert_eq!((requests.len(), &requests[0]["bytes"]), (1, &json!(11_000_000)));
}

#[test]
fn pictures_completions_embeddings_and_other_paths_have_their_requests() {
    let answers = json!([
        {"path": "/v1/embeddings", "body": {"data": [{"embedding": [0.1, 0.2, 0.3]}, {"embedding": [1, 2, 3]}], "usage": {"prompt_tokens": 4}}},
        {"path": "/v1/completions", "body": {"choices": [{"text": " there was", "finish_reason": "length"}]}},
        {"path": "/v1/models", "body": {"data": [{"id": "m"}]}},
        {"path": "/v1/chat/completions", "if": "data:image/png;base64,", "body": says("A red circle.")},
    ]);
    let cases = r#"
[[case]]
name = "embedding"
request = { api = "embedding", input = ["a", "b"] }
expect = [
  { path = "$.data[0].embedding", length = 3 },
  { path = "$.data[1].embedding[2]", equals = 3, type = "integer" },
  { prompt_tokens = { min = 4 } },
]
[[case]]
name = "completion"
request = { api = "completion", prompt = "Once upon a time", max_tokens = 8 }
expect = [{ text = { starts_with = "there" } }, { finish_reason = "length" }]
[[case]]
name = "models"
request = { api = "http", path = "/v1/models" }
expect = [{ status = 200 }, { path = "$.data[*].id", equals = "m" }]
[[case]]
name = "picture"
needs = ["vision"]
request = { api = "chat", prompt = "What is it?", images = ["a.png"] }
expect = [{ text = { icontains = "red" } }]
[[case]]
name = "wrong-number"
request = { api = "embedding", prompt = "a" }
"#;
    let folder = Folder::scripted(&answers, cases);
    fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let run = folder.run(&[]);
    has(
        &run,
        &[
            ("embedding", "passed"),
            ("completion", "passed"),
            ("models", "passed"),
            ("picture", "passed"),
            ("wrong-number", "error"),
        ],
    );
    assert!(run.test("embedding").get("sample_output").is_none());
    assert_eq!(reason(&run, "wrong-number"), "the answer has 2 embeddings of 1 texts");
    let requests = folder.requests();
    let of = |path: &str| requests.iter().find(|request| request["path"] == path).unwrap();
    assert_eq!(of("/v1/models")["method"], "GET");
    let sent: Value =
        serde_json::from_str(of("/v1/chat/completions")["text"].as_str().unwrap()).unwrap();
    let parts = &sent["messages"][0]["content"];
    assert_eq!((&parts[0]["type"], &parts[1]["type"]), (&json!("text"), &json!("image_url")));
}

#[test]
fn a_stop_token_in_an_answer_fails_the_case_unless_it_was_asked_for() {
    let answers = json!([{"body": says("Hello!<|im_end|>\n")}]);
    let cases = r#"
[[case]]
name = "leaks"
request = { api = "chat", prompt = "hi" }
[[case]]
name = "allowed"
request = { api = "chat", prompt = "hi", allow_stop_tokens = true }
[[case]]
name = "asked-for"
request = { api = "chat", prompt = "How does ChatML end a message? With <|im_end|>?" }
[[case]]
name = "every-turn"
request = { api = "chat", turns = ["hi", "ho"] }
"#;
    let run = Folder::scripted(&answers, cases).run(&[]);
    has(
        &run,
        &[
            ("leaks", "failed"),
            ("allowed", "passed"),
            ("asked-for", "passed"),
            ("every-turn", "failed"),
        ],
    );
    assert_eq!(reason(&run, "leaks"), "expected no stop token in the answer, found <|im_end|>");
}

#[test]
fn what_a_backend_does_not_support_is_an_error_or_skipped_and_never_passed() {
    let answers = json!([
        {"path": "/v1/embeddings", "status": 501, "body": {"error": {"message": "This server does not support embeddings. Start it with `--embeddings`"}}},
        {"path": "/v1/chat/completions", "status": 500, "body": {"error": {"message": "image input is not supported"}}},
    ]);
    let cases = r#"
[[case]]
name = "embedding"
request = { api = "embedding", prompt = "a" }
[[case]]
name = "embedding-skips"
request = { api = "embedding", prompt = "a", unsupported = "skip" }
[[case]]
name = "sound-skips"
request = { api = "transcription", file = "a.wav", unsupported = "skip" }
[[case]]
name = "picture-skips"
request = { api = "chat", prompt = "a", images = ["a.png"], unsupported = "skip" }
[[case]]
name = "text-errs"
request = { api = "chat", prompt = "a", unsupported = "skip" }
[[case]]
name = "expected"
request = { api = "embedding", prompt = "a", unsupported = "skip" }
expect = [{ status = 501 }, { text = { contains = "--embeddings" } }]
"#;
    let folder = Folder::scripted(&answers, cases);
    fs::write(folder.path().join("a.wav"), silence()).unwrap();
    fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let run = folder.run(&[]);
    has(
        &run,
        &[
            ("embedding", "error"),
            ("embedding-skips", "skipped"),
            ("sound-skips", "skipped"),
            ("picture-skips", "skipped"),
            ("text-errs", "error"),
            ("expected", "passed"),
        ],
    );
    assert_eq!(run.test("embedding")["error"]["kind"], "unsupported");
    assert!(run.test("embedding-skips").get("error").is_none());
    assert!(
        reason(&run, "embedding-skips").contains("HTTP status 501: This server does not support")
    );
    assert_eq!(run.test("text-errs")["error"]["kind"], "http_status");
}

#[test]
fn an_answer_that_was_asked_for_by_a_schema_must_meet_it() {
    let answers = json!([
        {"if": "good", "body": says("{\"city\": \"Paris\"}")},
        {"if": "fenced", "body": says("```json\n{\"city\": \"Paris\"}\n```")},
        {"if": "free", "body": says("Paris, of course.")},
        {"if": "other", "body": says("{\"town\": \"Paris\"}")},
    ]);
    let cases: String = ["good", "fenced", "free", "other"]
        .map(|name| {
            format!(
                "[[case]]\nname = '{name}'\n[case.request]\napi = 'chat'\nprompt = '{name}'\n\
                 response_schema = {{ type = 'object', required = ['city'] }}\n"
            )
        })
        .concat();
    let folder = Folder::scripted(&answers, &cases);
    let run = folder.run(&[]);
    has(&run, &[("good", "passed"), ("fenced", "failed"), ("free", "failed"), ("other", "failed")]);
    assert!(reason(&run, "fenced").contains("is JSON in a code fence"));
    assert!(reason(&run, "free").contains("is not JSON"));
    assert!(reason(&run, "other").contains("\"city\" is a required property"));
    assert!(folder.requests()[0]["text"].as_str().unwrap().contains("\"strict\":true"));
}

#[test]
fn streams_are_read_whatever_their_ends_of_lines_and_comments() {
    let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    let answers = json!([
        {"if": "odd", "events": [
            ": keepalive 1/2\n\n",
            {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
            {"choices": [{"delta": {"reasoning_content": "Hm."}}]},
            "data: {\"choices\": [{\"delta\":\r\ndata: {\"content\": \"hel\"}}]}\r\n\r\n",
            "event: message\r\nid: 7\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\r\n\r\n",
            end, usage, "data: [DONE]\n\n",
        ]},
        {"if": "error", "events": [{"choices": [{"delta": {"content": "he"}}]}, {"error": {"message": "out of memory"}}]},
        {"if": "unended", "events": [{"choices": [{"delta": {"content": "he"}}]}, end]},
        {"if": "whole", "body": says("hello")},
    ]);
    let cases: String = ["odd", "error", "unended", "whole"]
        .map(|name| {
            format!(
                "[[case]]\nname = '{name}'\nrequest = {{ api = 'chat', prompt = '{name}', stream = true }}\n\
                 expect = [{{ sse = true }}, {{ text = {{ equals = 'hello' }} }}]\n"
            )
        })
        .concat();
    let run = Folder::scripted(&answers, &cases).run(&[]);
    has(&run, &[("odd", "passed"), ("error", "error"), ("unended", "failed"), ("whole", "failed")]);
    assert_eq!(run.test("odd")["metrics"]["completion_tokens"], 2);
    assert_eq!(reason(&run, "error"), "the server reports an error: out of memory");
    assert!(reason(&run, "unended").contains("the stream ended without [DONE]"));
    // A server that ignores `stream` is seen, and has no time to a first token.
    assert!(reason(&run, "whole").contains("not a stream of events"));
    assert!(run.test("whole")["metrics"].get("ttft_s").is_none());
}

const ROWS: &str = "{\"question\": \"2+2\", \"answer\": \"4\"}\n\n{\"question\": \"3+3\", \"answer\": \"6\"}\n{\"question\": \"4+4\", \"answer\": \"8\"}\n{\"question\": \"5+5\", \"answer\": \"10\"}\n";

fn with_rows(answers: &Value, cases: &str) -> Folder {
    let folder = Folder::scripted(answers, cases);
    fs::write(folder.path().join("sums.jsonl"), ROWS).unwrap();
    folder
}

const SUMS: &str = r#"
[[case]]
name = "sums"
dataset = "sums.jsonl"
request = { api = "chat", prompt = "What is {question}? Write {a} number." }
expect = [{ text = { regex = '^{answer}$' } }ACCURACY]
"#;

fn sums(accuracy: &str) -> String {
    SUMS.replace("ACCURACY", accuracy)
}

fn three_of_four() -> Value {
    json!([
        {"if": "2+2", "body": says("4")},
        {"if": "3+3", "body": says("6")},
        {"if": "4+4", "body": says("9")},
        {"if": "5+5", "body": says("10")},
    ])
}

#[test]
fn a_dataset_is_one_result_with_its_accuracy_and_the_rows_that_are_wrong() {
    let targets = "[[case.target]]\nmetric = 'accuracy'\nmin = 0.7\non_miss = 'fail'\n\
                   [[case.target]]\nmetric = 'e2e_s'\nstat = 'median'\nmax = 5.0\n";
    let cases = sums(", { accuracy = { min = 0.75 } }, { e2e_s = { max = 5.0 } }") + targets;
    let folder = with_rows(&three_of_four(), &cases);
    let run = folder.run(&[]);
    has(&run, &[("sums", "passed")]);
    let test = run.test("sums");
    assert_eq!(test["metrics"]["accuracy"], json!({"correct": 3, "total": 4}));
    assert_eq!(test["metrics"]["e2e_s"]["n"], 4);
    assert_eq!(test["metadata"]["wrong_rows"][0]["line"], 4);
    let why = test["metadata"]["wrong_rows"][0]["reason"].as_str().unwrap();
    assert!(why.contains("^8$") && why.contains("found 9"), "{why}");
    let targets = test["targets"].as_array().unwrap();
    assert!(targets.iter().all(|target| target["ok"] == true), "{targets:?}");
    let sent = folder.requests();
    assert_eq!(sent.len(), 4);
    // Braces around what is no key of a row stay.
    assert!(sent[0]["text"].as_str().unwrap().contains("What is 2+2? Write {a} number."));
    let start = run.lines.iter().find(|line| line["record"] == "run_start").unwrap();
    assert_eq!(start["selected"][0]["requests"], 4);
}

#[test]
fn without_a_word_on_accuracy_every_row_must_be_right() {
    let run = with_rows(&three_of_four(), &sums("")).run(&[]);
    has(&run, &[("sums", "failed")]);
    let why = reason(&run, "sums");
    assert!(why.starts_with("expected {\"accuracy\":{\"min\":1}}, found 0.75; line 4: "), "{why}");
    let all = json!([
        {"if": "2+2", "body": says("4")}, {"if": "3+3", "body": says("6")},
        {"if": "4+4", "body": says("8")}, {"if": "5+5", "body": says("10")},
    ]);
    has(&with_rows(&all, &sums("")).run(&[]), &[("sums", "passed")]);
}

#[test]
fn a_row_without_an_answer_is_wrong_and_named() {
    let mut answers = three_of_four();
    answers[1] =
        json!({"if": "3+3", "status": 500, "body": {"error": {"message": "cuda went away"}}});
    let run = with_rows(&answers, &sums(", { accuracy = { min = 0.5 } }")).run(&[]);
    has(&run, &[("sums", "passed")]);
    let wrong = &run.test("sums")["metadata"]["wrong_rows"];
    assert_eq!((wrong[0]["line"].as_u64(), wrong[1]["line"].as_u64()), (Some(3), Some(4)));
    assert_eq!(wrong[0]["reason"], "HTTP status 500: cuda went away");
    // No answer at all is an error and not an accuracy of 0.
    let nothing = json!([{"status": 500, "body": "gone"}]);
    let run = with_rows(&nothing, &sums(", { accuracy = { min = 0.0 } }")).run(&[]);
    has(&run, &[("sums", "error")]);
    assert_eq!(reason(&run, "sums"), "HTTP status 500: gone");
}

#[test]
fn a_backend_that_dies_in_a_dataset_is_an_error_that_says_how_far_it_got() {
    let mut answers = three_of_four();
    answers[2] = json!({"if": "4+4", "exit": 3});
    let run = with_rows(&answers, &sums(", { accuracy = { min = 0.1 } }")).run(&[]);
    has(&run, &[("sums", "error")]);
    assert_eq!(
        reason(&run, "sums"),
        "the backend died during the request, with exit code 3 (at row 3 of 4, line 4)"
    );
    assert_eq!(run.test("sums")["metrics"]["accuracy"], json!({"correct": 2, "total": 2}));
}

#[test]
fn n_rows_are_the_first_or_drawn_by_the_seed() {
    let answers = json!([{"body": says("4")}]);
    let asked = |dataset: &str| {
        let cases = sums("").replace("\"sums.jsonl\"", dataset);
        let folder = with_rows(&answers, &cases);
        folder.run(&[]);
        let sent = folder.requests();
        sent.iter()
            .map(|request| {
                request["text"].as_str().unwrap().split("What is ").nth(1).unwrap()[..3].to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(asked("{ file = 'sums.jsonl', n = 2 }"), ["2+2", "3+3"]);
    let drawn = asked("{ file = 'sums.jsonl', n = 3, shuffle = true }");
    assert_eq!(drawn.len(), 3);
    assert_eq!(drawn, asked("{ file = 'sums.jsonl', n = 3, shuffle = true }"));
}

#[test]
fn a_dataset_that_cannot_be_asked_is_found_when_the_suite_is_read() {
    for (rows, dataset, why) in [
        (
            "{\"question\": 1, \"answer\": \"4\"}\nnonsense\n",
            "\"sums.jsonl\"",
            "dataset sums.jsonl:2: no JSON: ",
        ),
        ("{\"question\": 1}\n", "\"sums.jsonl\"", "expect: regex \"^{answer}$\""),
        ("", "\"sums.jsonl\"", "dataset sums.jsonl: there are no rows"),
        ("{\"answer\": 1}\n", "\"sums.jsonl\"", "the request is the same for every row"),
        ("{\"question\": 1, \"answer\": \"(\"}\n", "\"sums.jsonl\"", "expect: regex"),
        (
            "{\"question\": 1, \"answer\": \"4\"}\n",
            "{ file = 'sums.jsonl', n = 9 }",
            "n is 9, and there are 1 rows",
        ),
        (
            "{\"question\": 1, \"answer\": \"4\"}\n",
            "\"no.jsonl\"",
            "dataset no.jsonl: No such file",
        ),
    ] {
        let folder = Folder::scripted(&json!([]), &sums("").replace("\"sums.jsonl\"", dataset));
        fs::write(folder.path().join("sums.jsonl"), rows).unwrap();
        let run = folder.run(&[]);
        assert_eq!(run.code, Some(4), "{rows:?}");
        assert!(run.stderr.contains(why), "{rows:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1);
    }
}

#[test]
fn expectations_of_turns_that_a_row_would_not_reach_are_refused() {
    let cases = sums("").replace(
        "prompt = \"What is {question}? Write {a} number.\"",
        "turns = [{ prompt = \"What is {question}?\", expect = [{ text = { contains = \"{answer}\" } }] }]",
    );
    let run = with_rows(&three_of_four(), &cases).run(&[]);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.stderr.contains("rows do not reach the expectations of turns"), "{}", run.stderr);
}

#[test]
fn a_target_that_is_missed_fails_or_warns_and_one_not_measured_is_an_error() {
    let answers = json!([{"body": says("4")}]);
    let case = |name: &str, target: &str| {
        format!(
            "[[case]]\nname = '{name}'\nrequest = {{ api = 'chat', prompt = 'a' }}\n[[case.target]]\n{target}\n"
        )
    };
    let cases = [
        case("kept", "metric = 'completion_tokens'\nmax = 2\non_miss = 'fail'"),
        case("missed", "metric = 'completion_tokens'\nmin = 3\non_miss = 'fail'"),
        case("warned", "metric = 'completion_tokens'\nmin = 3"),
        case("unmeasured", "metric = 'generation_tps'\nmin = 3"),
    ];
    let run = Folder::scripted(&answers, &cases.concat()).run(&[]);
    has(
        &run,
        &[("kept", "passed"), ("missed", "failed"), ("warned", "passed"), ("unmeasured", "error")],
    );
    let target = &run.test("warned")["targets"][0];
    assert_eq!(
        *target,
        json!({"metric": "completion_tokens", "limit": {"min": 3.0}, "actual": 2.0, "ok": false, "on_miss": "warn"})
    );
    assert!(
        reason(&run, "missed").contains("completion_tokens is 2, and the target is {\"min\":3.0}")
    );
    assert!(reason(&run, "unmeasured").contains("generation_tps was not measured"));
}

#[test]
fn what_the_suite_says_of_a_case_is_in_its_record() {
    let cases =
        "[[case]]\nname = 'a'\nmetadata = { owner = 'ada' }\ncommand = { argv = ['true'] }\n";
    let run = Folder::scripted(&json!([]), cases).run(&[]);
    assert_eq!(run.test("a")["metadata"], json!({"owner": "ada"}));
}

#[test]
fn commands_have_a_folder_an_environment_and_input_from_a_file() {
    let cases = r#"
[[case]]
name = "input"
needs = ["text"]
command = { argv = ["sh", "-c", "pwd; echo $WHO; cat"], cwd = "sub", stdin_file = "sub/in.txt", env = { WHO = "{model.id}" } }
expect = [{ stdout = { regex = "/sub\nm\nfrom a file" } }]
[[case]]
name = "bytes"
command = { argv = ["printf", '\377ok'] }
expect = [{ stdout = { contains = "ok" } }, { stdout = { contains = "�" } }]
[[case]]
name = "program"
command = { argv = ["./sub/tool"], cwd = "sub" }
expect = [{ stdout = { equals = "here" } }]
"#;
    let folder = Folder::scripted(&json!([]), cases);
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/in.txt"), "from a file\n").unwrap();
    let tool = folder.path().join("sub/tool");
    fs::write(&tool, "#!/bin/sh\necho here\n").unwrap();
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{:?}", run.tests());
}
