//! Sound, pictures, large bodies, and other interfaces than chat.

use std::fs;

use serde_json::{Value, json};

use super::{has, reason, says, silence};
use crate::common::Folder;

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
