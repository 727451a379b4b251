//! Questions with answers: one result for many rows.

use std::fs;

use serde_json::{Value, json};

use super::{has, reason, says};
use crate::common::Folder;

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
