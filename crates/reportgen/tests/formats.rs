//! The same report as HTML, for GitHub, as JSON and as CSV.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::Path, process::Command};

use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn reportgen(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    let output = command.current_dir(DATA).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The inputs of all golden reports.
fn inputs() -> Vec<String> {
    let names = fs::read_dir(DATA).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_html_page_has_no_markup_but_ours_and_fetches_nothing() {
    // What Markdown without HTML, and the frame around it, can consist of.
    const TAGS: [&str; 32] = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3",
        "h4", "h5", "p", "ul", "li", "strong", "code", "pre", "table", "thead", "tbody", "tr",
        "th", "td", "details", "summary", "div", "ol", "hr", "br", "em",
    ];
    for input in inputs() {
        let page = reportgen(&["-f", "html", &input]);
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        let body = &page[page.find("<body>").unwrap()..];
        for tag in body.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split(|c: char| !c.is_alphanumeric()).next();
            assert!(TAGS.contains(&name.unwrap()), "{input}: <{tag}");
            let inside = &tag[..tag.find('>').expect("a tag ends")];
            assert!(!inside.contains(" on") && !inside.contains("href"), "{input}: <{inside}>");
        }
        assert!(page.contains("default-src 'none'"), "{input}");
    }
}

#[test]
fn for_github_details_are_folded_and_what_needs_attention_is_not() {
    let summary = reportgen(&["-f", "github", "failing.jsonl"]);
    let opened = summary.matches("<details>").count();
    let closed = summary.lines().filter(|line| *line == "</details>").count();
    assert!(opened > 3 && opened == closed, "{summary}");
    let shown = |heading: &str| summary.contains(&format!("\n## {heading}\n"));
    assert!(shown("Summary") && shown("Failures and errors") && !shown("Models"), "{summary}");
    assert!(summary.contains("<details><summary>Models</summary>"));
}

#[test]
fn what_github_would_refuse_is_left_out_and_named() {
    let test = |n: u32| {
        let case = format!("case-{n}-{}", "x".repeat(60));
        format!(
            r#"{{"record":"test","v":1,"ts":1,"run":"r","host":"h","id":"s::{case}","suite":"s","case":"{case}","outcome":"failed","error":{{"kind":"died","message":"gone","log_tail":["{}"]}}}}"#,
            vec!["y".repeat(300); 60].join("\",\"")
        )
    };
    let lines: Vec<String> = (0..99).map(test).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    let output = testing::fed(command.args(["-f", "github"]), lines.join("\n").as_bytes());
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.len() <= 1 << 20, "{}", summary.len());
    for part in ["## Summary", "### 1. `s::case-0-", "GitHub takes 1 MiB"] {
        assert!(summary.contains(part), "{part}");
    }
}

#[test]
fn json_and_csv_hold_the_same_tables_with_plain_numbers() {
    for input in inputs() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tables");
        let json = reportgen(&["-f", "json", "--csv", folder.to_str().unwrap(), &input]);
        let report: Value = serde_json::from_str(&json).unwrap();
        let tables = report["tables"].as_object().unwrap();
        for (name, rows) in tables.iter().filter(|(_, rows)| rows[0].is_object()) {
            same_rows(&folder.join(format!("{name}.csv")), rows.as_array().unwrap());
        }
    }
}

/// Every value of `rows` stands in the file, and nothing else does.
fn same_rows(path: &Path, rows: &[Value]) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let fields = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len(), "{}", path.display());
    for (record, row) in records.iter().zip(rows) {
        let row = row.as_object().unwrap();
        assert!(row.keys().all(|key| fields.iter().any(|field| field == key)));
        for (field, cell) in fields.iter().zip(record) {
            match row.get(field) {
                None => assert_eq!(cell, "", "{field}"),
                Some(Value::Number(n)) => {
                    // serde_json may read the last bit of a number otherwise.
                    let (n, cell) = (n.as_f64().unwrap(), cell.parse::<f64>().unwrap());
                    assert!((n - cell).abs() <= 4.0 * f64::EPSILON * n.abs(), "{field}");
                }
                Some(Value::String(text)) => {
                    assert_eq!(
                        cell.strip_prefix('\'').unwrap_or(cell),
                        text.strip_prefix('\'').unwrap_or(text)
                    );
                }
                Some(other) => panic!("{field} is {other}"),
            }
        }
    }
}

#[test]
fn a_number_is_as_exact_as_in_the_stream_and_its_field_names_its_unit() {
    let json = reportgen(&["-f", "json", "passing.jsonl"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let all = report["tables"]["outcomes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(all["outcome"], "All");
    assert!(all["tests"].is_u64() && all["time_s"].is_f64(), "{all}");
    assert!(report["tables"]["model_speeds"][0]["load_s"].is_number());
    let facts = report["tables"]["facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["fact"] == "Quality"));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    let output =
        command.current_dir(DATA).args(["--csv", "/dev/null/x", "passing.jsonl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/dev/null/x"));
    assert!(output.stdout.is_empty(), "it is known before the work");
}
