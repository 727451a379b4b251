//! What fails an answer, and what is said of it.

use std::fs;

use serde_json::json;

use super::{has, reason, says, silence};
use crate::common::Folder;

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
