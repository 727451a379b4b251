//! The report's figures, recomputed from the stream by other code than the report's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::tools::{Demo, demo};

type Row = BTreeMap<String, String>;

/// The rows of the tables below the heading `title`.
fn tables(report: &str, title: &str) -> Vec<Row> {
    let heading = format!("## {title}");
    let section = report
        .split("\n## ")
        .find(|part| part.starts_with(&heading[3..]))
        .unwrap_or_else(|| panic!("no section {title}\n{report}"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('*').trim_matches('`').to_owned())
            .collect()
    };
    let mut rows = Vec::new();
    let mut header: Option<Vec<String>> = None;
    for line in section.lines() {
        match (&header, line.starts_with('|')) {
            (_, false) => header = None,
            (None, true) => header = Some(cells(line)),
            (Some(_), true) if line.contains(":--") || line.contains("--:") => {}
            (Some(names), true) => rows.push(names.iter().cloned().zip(cells(line)).collect()),
        }
    }
    rows
}

fn row<'a>(rows: &'a [Row], column: &str, value: &str, with: &str) -> &'a Row {
    rows.iter()
        .find(|row| row.get(column).is_some_and(|cell| cell == value) && row.contains_key(with))
        .unwrap_or_else(|| panic!("no row {value} with {with} in {rows:#?}"))
}

/// That `shown` is `value` (in base units), to the last digit that is shown.
fn is(shown: &str, value: f64, what: &str) {
    let (number, unit) = shown.rsplit_once(' ').unwrap_or((shown, ""));
    let scale = match unit {
        "GB" => 1e9,
        "MB" => 1e6,
        "ms" => 1e-3,
        "min" => 60.0,
        "s" | "tok/s" | "%" | "" => 1.0,
        other => panic!("unit {other:?} of {shown:?}"),
    };
    let sign = number.trim_start_matches('+').replace('−', "-");
    let decimals = sign.split_once('.').map_or(0, |(_, digits)| digits.len());
    let number: f64 = sign.parse().unwrap_or_else(|_| panic!("{what}: {shown:?} is no figure"));
    let tolerance = 0.500_001 * 10f64.powi(-i32::try_from(decimals).unwrap()) * scale;
    assert!(
        (number * scale - value).abs() <= tolerance,
        "{what}: the report shows {shown}, the stream gives {value}"
    );
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn on_model(demo: &Demo) -> Vec<&Value> {
    demo.of_kind("test").filter(|test| test["params"]["model"].is_string()).collect()
}

#[test]
fn the_test_summary_adds_up() {
    let demo = demo();
    let rows = tables(&demo.report, "Test summary");
    let tests: Vec<&Value> = demo.of_kind("test").collect();
    let total: f64 = tests.iter().map(|test| number(&test["duration_s"])).sum();
    for outcome in ["passed", "All"] {
        let row = row(&rows, "Outcome", outcome, "Tests");
        is(&row["Tests"], tests.len() as f64, "tests");
        is(&row["With model"], on_model(demo).len() as f64, "with a model");
        is(&row["Time"], total, "time");
    }
}

#[test]
fn the_table_of_models_is_what_the_tests_give() {
    let demo = demo();
    let rows = tables(&demo.report, "Models");
    let tests = on_model(demo);
    let counts = row(&rows, "Model", "smollm2-135m", "Passed");
    is(&counts["Tests"], tests.len() as f64, "tests");
    is(&counts["Passed"], tests.len() as f64, "passed");
    is(&counts["Time"], tests.iter().map(|t| number(&t["duration_s"])).sum(), "time");

    let facts = row(&rows, "Model", "smollm2-135m", "Load");
    let load = demo.of_kind("span").find(|span| span["phase"] == "load").unwrap();
    is(&facts["Load"], number(&load["duration_s"]), "load");
    is(&facts["Size"], number(&tests[0]["model"]["size_gb"]) * 1e9, "size");
    let metric = |name: &str| -> Vec<f64> {
        tests.iter().filter_map(|t| t["metrics"][name].as_f64()).collect()
    };
    is(&facts["TTFT"], mean(&metric("ttft_s")), "TTFT");
    is(&facts["Generation"], mean(&metric("generation_tps")), "generation");
    let most = tests.iter().map(|test| number(&test["resources"]["tree_rss_gb"]["max"]));
    is(&facts["Process memory"], most.fold(0.0, f64::max) * 1e9, "process memory");
}

#[test]
fn the_tables_of_tests_are_what_the_tests_give() {
    let demo = demo();
    let times = tables(&demo.report, "Tests");
    let resources = tables(&demo.report, "Resources per test");
    for test in demo.of_kind("test") {
        let case = test["case"].as_str().unwrap();
        let about = row(&times, "Test", case, "Median");
        assert_eq!(about["Results"], "1 passed");
        is(&about["Median"], number(&test["duration_s"]), case);

        let row = row(&resources, "Test", case, "Samples");
        let of = &test["resources"];
        let samples = row["Samples"].trim_end_matches(" (b)");
        is(samples, number(&of["samples"]), case);
        is(&row["Coverage"], number(&of["coverage"]) * 100.0, case);
        is(&row["Process memory"], number(&of["tree_rss_gb"]["max"]) * 1e9, case);
        is(&row["Free memory"], number(&of["ram_free_gb"]["min"]) * 1e9, case);
    }
}

#[test]
fn what_was_not_measured_is_said_and_has_no_figure() {
    let demo = demo();
    let stream = demo.of_kind("stream").next().unwrap();
    if stream["machine"]["gpus"].as_array().unwrap().is_empty() {
        assert!(demo.report.contains("gpu_device_util"), "the report names what is missing");
        let rows = tables(&demo.report, "Resources per test");
        assert!(rows.iter().all(|row| row.keys().all(|column| !column.starts_with("GPU"))));
    }
}
