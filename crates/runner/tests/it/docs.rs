//! That what docs/suites.md shows of requests and expectations is a suite.

use std::fs;

use serde_json::json;

use crate::common::Folder;

const DOCS: &str = include_str!("../../../../docs/suites.md");

/// The blocks of TOML below the heading `title`.
fn examples(title: &str) -> String {
    let from = DOCS.split(&format!("\n## {title}\n")).nth(1).unwrap();
    let section = from.split("\n## ").next().unwrap();
    let blocks = section.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

#[test]
fn every_example_of_a_request_and_of_an_expectation_is_right() {
    let cases = examples("Requests") + &examples("Batches") + &examples("Expectations");
    let folder = Folder::scripted(&json!([]), &cases);
    for (name, text) in [
        ("weather-tools.json", r#"[{"type":"function","function":{"name":"get_weather"}}]"#),
        ("fox.wav", "RIFF"),
        ("requests.jsonl", "{\"custom_id\":\"a\"}"),
        (
            "sums.jsonl",
            "{\"sum\":\"1+1\",\"is\":2}\n{\"sum\":\"2+2\",\"is\":4}\n{\"sum\":\"2+3\",\"is\":5}\n{\"sum\":\"3+3\",\"is\":6}\n",
        ),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let output = folder.runner().args(["--collect-only", "s.toml"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{cases}\n{stderr}");
    let ids = String::from_utf8(output.stdout).unwrap();
    assert_eq!(ids.lines().count(), cases.matches("[[case]]").count(), "{ids}");
    assert!(cases.matches("[[case]]").count() >= 10);
}

#[test]
fn every_expectation_that_the_table_names_can_be_written_like_that() {
    let from = DOCS.split("\n| expectation | holds when |").nth(1).unwrap();
    let rows = from.split("\n\n").next().unwrap().lines().filter(|row| row.starts_with("| `{"));
    let written: Vec<String> = rows
        .flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2))
        // A text or call that meets every rule needs one.
        .map(|example| {
            let rule = if example.contains("tool_calls") { "name = 'f'" } else { "contains = 'a'" };
            example.replace('…', rule)
        })
        .collect();
    assert!(written.len() >= 13, "{written:?}");
    let of_command =
        |text: &String| ["exit", "stdout", "stderr"].iter().any(|key| text.contains(key));
    let of_rows = |text: &String| text.contains("accuracy");
    let (command, request): (Vec<_>, Vec<_>) = written.into_iter().partition(of_command);
    let (rows, request): (Vec<_>, Vec<_>) = request.into_iter().partition(of_rows);
    let cases = format!(
        "[[case]]\nname = 'a'\nrequest = {{ api = 'chat', prompt = 'hi' }}\nexpect = [{}]\n\
         [[case]]\nname = 'b'\ncommand = {{ argv = ['true'] }}\nexpect = [{}]\n\
         [[case]]\nname = 'c'\ndataset = 'rows.jsonl'\nrequest = {{ api = 'chat', prompt = '{{q}}' }}\nexpect = [{}]\n",
        request.join(", "),
        command.join(", "),
        rows.join(", ")
    );
    let folder = Folder::scripted(&json!([]), &cases);
    fs::write(folder.path().join("rows.jsonl"), "{\"q\": \"hi\"}\n").unwrap();
    let output = folder.runner().args(["--collect-only", "s.toml"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{cases}\n{stderr}");
}
