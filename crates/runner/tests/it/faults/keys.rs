//! Keys, which are sent and never written.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::{CHAT, nothing_left};
use crate::common::{Folder, Run};

#[test]
fn a_key_is_sent_and_never_written_anywhere() {
    let folder = Folder::faulty("echo-key", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    let suite = suite
        .replace(
            "ready =",
            "api_key_env = \"TEST_KEY\"\nenv = { SECRET = \"${TEST_KEY}\" }\nready =",
        )
        .replace("{port}\"]", "{port}\", \"--key=${TEST_KEY}\"]")
        .replace("not_empty = true", "contains = \"Bearer s3cr3t\"");
    fs::write(&path, suite).unwrap();
    let missing = folder.run(&[]);
    assert!(missing.test("chat")["reason"].as_str().unwrap().contains("TEST_KEY is not set"));

    let output = folder.runner().arg("s.toml").env("TEST_KEY", "s3cr3t").output().unwrap();
    let run = Run::of(output);
    // The mock answers with the header, so that it passes shows that the key was sent.
    assert_eq!(run.test("chat")["outcome"], "passed", "{}", run.stderr);
    let command = run.test("chat")["backend"]["command"].to_string();
    assert!(command.contains("--key=${TEST_KEY}"), "{command}");
    for line in run.lines.iter().filter(|line| line["record"] != "run_start") {
        // The expectation that the suite itself states is the only place for it.
        let mut line = line.clone();
        line["checks"] = serde_json::Value::Null;
        assert!(!line.to_string().contains("s3cr3t"), "{line}");
    }
    assert_eq!(run.test("chat")["sample_output"], "Bearer ${TEST_KEY}");
    assert!(!run.stderr.contains("s3cr3t"), "{}", run.stderr);
}

#[test]
fn a_key_that_a_server_sends_back_with_an_error_is_not_written_either() {
    let folder = Folder::faulty("echo-401", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    fs::write(&path, suite.replace("ready =", "api_key_env = \"TEST_KEY\"\nready =")).unwrap();
    let output = folder.runner().arg("s.toml").env("TEST_KEY", "s3cr3t").output().unwrap();
    let everything = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(everything.contains("bad key Bearer ${TEST_KEY}"), "{everything}");
    assert!(!everything.contains("s3cr3t"), "{everything}");
}

#[test]
fn a_wrong_key_is_asked_with_once_and_not_for_three_minutes() {
    let folder = Folder::faulty("echo-401", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    fs::write(&path, suite.replace("llama-server", "openai")).unwrap();
    let start = Instant::now();
    let run = folder.run(&[]);
    assert!(start.elapsed() < Duration::from_secs(10));
    let error = &run.test("chat")["error"];
    assert_eq!(error["kind"], "not_ready");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("will not be ready") && message.contains("401"), "{message}");
    nothing_left(&run);
}
