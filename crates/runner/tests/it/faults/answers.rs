//! Answers that are late, broken, refused, or none.

use super::{CHAT, error_of};
use crate::common::Folder;

#[test]
fn a_request_that_is_never_answered_times_out() {
    let cases = CHAT.replace("name = \"chat\"", "name = \"chat\"\ntimeout = \"300ms\"");
    let (_, kind, message) = error_of("hang", &cases);
    assert_eq!((kind.as_str(), message.as_str()), ("timeout", "no complete answer within 300ms"));
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error_and_not_a_failure() {
    let stream = CHAT.replace("prompt = \"hi\"", "prompt = \"hi\", stream = true");
    for (fault, cases, kind, what) in [
        ("garbage", CHAT, "bad_answer", "the answer is not JSON"),
        ("no-choices", CHAT, "bad_answer", "the answer has no choices"),
        ("500", CHAT, "http_status", "HTTP status 500: cuda went away"),
        ("half", stream.as_str(), "bad_answer", "the stream ended early"),
        ("reset", CHAT, "connection", "connection"),
    ] {
        let (_, got, message) = error_of(fault, cases);
        assert_eq!(got, kind, "{fault}: {message}");
        assert!(message.contains(what), "{fault}: {message}");
    }
}

#[test]
fn an_expected_status_is_no_error() {
    let run = Folder::faulty("500", "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ status = 500 }]").run(&[]);
    assert_eq!(run.test("c")["outcome"], "passed");
}

#[test]
fn a_status_that_is_not_the_expected_one_is_an_error() {
    let (run, kind, _) = error_of(
        "500",
        "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ status = 200 }]",
    );
    assert_eq!(kind, "http_status");
    assert!(run.test("c")["metrics"].is_null());
}

#[test]
fn a_metric_that_is_not_reported_makes_an_error_and_not_a_pass() {
    let cases = "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ completion_tokens = { max = 9 } }]";
    let (run, kind, _) = error_of("no-usage", cases);
    assert_eq!(kind, "missing_metric");
    assert!(run.test("c")["metrics"].get("completion_tokens").is_none());
}

#[test]
fn the_first_token_is_the_first_with_content_and_comments_are_nothing() {
    let cases = "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi', stream = true }\nexpect = [{ sse = true }, { chunks = { min = 2, max = 2 } }, { text = { equals = 'hello' } }]";
    let run = Folder::faulty("role-first", cases).run(&[]);
    let test = run.test("c");
    assert_eq!(test["outcome"], "passed", "{test}");
    // 50 ms, a comment, the role and a comment more at 20 ms each come before it.
    assert!(test["metrics"]["ttft_s"].as_f64().unwrap() > 0.105, "{}", test["metrics"]);
}
