//! The command as people call it: by path, by pipe, and wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use common::{HOSTILE, Kind, run};
use serde_json::Value;

/// Runs memplot in `folder`, with `input` on its standard input.
fn memplot(folder: &Path, args: &[&str], input: &str) -> Output {
    testing::fed(
        Command::new(env!("CARGO_BIN_EXE_memplot")).args(args).current_dir(folder),
        input.as_bytes(),
    )
}

/// What `input` gives on standard output; its data, and what was said.
fn page_of(input: &str) -> (String, Value, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = memplot(dir.path(), &["-o", "-"], input);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let page = String::from_utf8(output.stdout).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    (page.clone(), serde_json::from_str(data).unwrap(), said)
}

fn fact(data: &Value, label: &str) -> Option<String> {
    let facts = data["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact[0] == label)?;
    Some(fact[1].as_str().unwrap().to_owned())
}

fn trace<'a>(data: &'a Value, name: &str) -> &'a Value {
    let traces = data["figure"]["data"].as_array().unwrap();
    // A filled curve has its area before it, under the same name.
    traces.iter().rfind(|trace| trace["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_path_a_pipe_and_several_files_give_the_same_page() {
    let dir = tempfile::tempdir().unwrap();
    let all = run(Kind { gpu: true, whole: true });
    let (tests, samples): (String, String) =
        all.split_inclusive('\n').partition(|line| line.contains("\"record\":\"test\""));
    fs::write(dir.path().join("run.jsonl"), &all).unwrap();
    fs::write(dir.path().join("tests.jsonl"), tests).unwrap();
    fs::write(dir.path().join("samples.jsonl"), samples).unwrap();

    let by_path = memplot(dir.path(), &["run.jsonl"], "");
    assert_eq!((by_path.status.code(), by_path.stdout.len()), (Some(0), 0));
    let page = fs::read_to_string(dir.path().join("timeline.html")).unwrap();
    assert_eq!(page_of(&all).0, page);

    let of_two = memplot(dir.path(), &["tests.jsonl", "samples.jsonl", "-o", "two.html"], "");
    assert_eq!(of_two.status.code(), Some(0));
    assert_eq!(fs::read_to_string(dir.path().join("two.html")).unwrap(), page);
}

#[test]
fn the_header_says_what_was_run_and_on_what() {
    let (page, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    assert_eq!(data["title"], "nightly");
    assert!(page.contains("<title>nightly</title>"));
    assert_eq!(fact(&data, "Tests").unwrap(), "5 passed, 1 failed, 1 error, 1 skipped, 1 xfailed");
    assert_eq!(fact(&data, "Exit").unwrap(), "1");
    assert_eq!(fact(&data, "Started").unwrap(), "2026-02-11 12:00:05 UTC");
    assert_eq!(fact(&data, "Duration").unwrap(), "59.8 s");
    assert_eq!(fact(&data, "Command").unwrap(), "runner nightly.toml");
    assert_eq!(fact(&data, "Chip").unwrap(), "Apple M2 Max, 12 cores");
    assert_eq!(fact(&data, "Samples").unwrap(), "285");
    assert_eq!(fact(&data, "Interval").unwrap(), "median 200.0 ms (200 ms asked for)");
}

#[test]
fn the_achieved_interval_is_the_samplers_own_when_it_says_one() {
    let summary = r#"{"record":"summary","v":1,"ts":1770811205.0,"run":"r1","host":"studio","end_ts":1770811265.0,
        "duration_s":60.0,"samples":285,"missed":15,"achieved":{"mean_ms":210.5,"median_ms":200.1,"p99_ms":203.0,"max_ms":3200.0},
        "series":{},"child":{"signal":9},"self":{}}"#
        .replace('\n', " ");
    let input = run(Kind { gpu: true, whole: false }) + &summary + "\n";
    let (_, data, _) = page_of(&input);
    assert_eq!(
        fact(&data, "Interval").unwrap(),
        "median 200.1 ms, p99 203 ms, longest 3200 ms (200 ms asked for)"
    );
    assert_eq!(fact(&data, "Exit").unwrap(), "killed by signal 9");
}

#[test]
fn what_is_not_whole_is_said() {
    let (_, data, _) = page_of(&run(Kind::default()));
    let warnings: Vec<&str> =
        data["warnings"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert_eq!(
        warnings,
        [
            "Run of nightly was cut off: no run_end.",
            "Sampling was cut off: no summary.",
            "nightly::cut began at 0:00:59.2 and has no end.",
            "1 gap in the samples, the longest 3.2 s: curves break there.",
        ]
    );
    let titles = data["figure"]["layout"]["annotations"].to_string();
    assert!(titles.contains("GPU: not measured (no GPU is visible to this process)"), "{titles}");
    assert_eq!(data["figure"]["rows"], 2);
    assert_eq!(data["table"]["note"], "Not measured: Least free, Max GPU.");
}

#[test]
fn values_are_exact_and_missing_time_is_a_break() {
    let (_, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    let free = trace(&data, "free")["y"].as_array().unwrap();
    assert_eq!(free.len(), 286, "285 samples and one break");
    assert_eq!(free.iter().filter(|y| y.is_null()).count(), 1);
    assert_eq!(free[0], 52.0);
    // The line of system time stands on user time, and says its own value.
    let (system, user) = (trace(&data, "system"), trace(&data, "user"));
    let sum = user["y"][20].as_f64().unwrap() + system["customdata"][20].as_f64().unwrap();
    assert!((system["y"][20].as_f64().unwrap() - sum).abs() < 0.11);
    assert_eq!(trace(&data, "used")["visible"], "legendonly");
    assert_eq!(data["figure"]["layout"]["hoversubplots"], "axis");
}

#[test]
fn curves_and_tests_share_one_zero() {
    let (_, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    let zero = data["figure"]["layout"]["xaxis"]["range"][0].as_i64().unwrap();
    assert_eq!(trace(&data, "free")["x"][0].as_i64().unwrap(), zero);
    let chat = &trace(&data, "with model")["base"][0];
    assert_eq!(chat.as_i64().unwrap() - zero, 5000);
    assert_eq!(data["table"]["rows"][0]["zoom"][0], *chat);
}

#[test]
fn every_outcome_has_its_bars_and_overlapping_tests_their_rows() {
    let (_, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    assert_eq!(data["figure"]["bars"], 11);
    let lengths = |name| trace(&data, name)["x"].as_array().unwrap().len();
    let bars = ["with model", "without model", "failed", "error", "skipped", "load"].map(lengths);
    assert_eq!(bars, [5, 1, 1, 1, 1, 2]);
    let model = trace(&data, "with model");
    assert_eq!(model["x"][2], 10, "10 ms are drawn as 10 ms, shorter than a sample or not");
    assert!(model["customdata"][2].as_str().unwrap().contains("10 ms"), "and read as it was");
    assert_eq!(model["y"], serde_json::json!([0, 0, 0, 0, 1]));
    assert_eq!(trace(&data, "failed")["text"][0], "F decode");
    assert_eq!(trace(&data, "failed")["marker"]["pattern"]["shape"], "x");
}

#[test]
fn one_sample_under_pressure_has_a_width() {
    let (_, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    let shapes = data["figure"]["layout"]["shapes"].as_array().unwrap();
    let bands: Vec<i64> = shapes
        .iter()
        .filter(|shape| shape["type"] == "rect")
        .map(|shape| shape["x1"].as_i64().unwrap() - shape["x0"].as_i64().unwrap())
        .collect();
    assert_eq!(bands, [200, 7200]);
    let lines: Vec<&Value> =
        shapes.iter().filter(|s| s["type"] == "line").map(|s| &s["y0"]).collect();
    assert_eq!(lines, [68.7 / 2.0, 68.7 / 4.0]);
    let names = data["figure"]["layout"]["annotations"].to_string();
    assert!(names.contains("half of 68.7 GB") && names.contains("a quarter of 68.7 GB"));
}

#[test]
fn hostile_names_stay_text() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("run.jsonl"), run(Kind::default())).unwrap();
    let args = ["run.jsonl", "-o", "-", "--title", HOSTILE];
    let page = String::from_utf8(memplot(dir.path(), &args, "").stdout).unwrap();
    assert!(!page.contains("<img src=x") && !page.contains("{{title}}<!--"));
    assert_eq!(page.matches("</script>").count(), 3);
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert!(data["table"]["rows"][2]["cells"][0].as_str().unwrap().contains("<img src=x"));
    assert!(!trace(&data, "error")["text"][0].as_str().unwrap().contains('<'));
}

#[test]
fn lines_that_cannot_be_read_are_named_counted_and_survived_unless_strict() {
    let mut input = String::from("loading model\n{\"record\":\"sample\",\"v\":1}\n");
    input += &run(Kind { gpu: true, whole: true });
    input += "{\"record\":\"sample\",\"ts\":17";
    let (_, data, said) = page_of(&input);
    assert!(said.contains("loading model"), "{said}");
    assert!(said.contains("memplot: bad line: standard input:2: missing field `ts`"), "{said}");
    assert!(said.contains("the last line is cut off"), "{said}");
    let warnings = data["warnings"].to_string();
    assert!(warnings.contains("2 lines could not be read and are missing here."), "{warnings}");
    assert_eq!(fact(&data, "Samples").unwrap(), "285");

    let dir = tempfile::tempdir().unwrap();
    let strict = memplot(dir.path(), &["--strict"], &input);
    assert_eq!(strict.status.code(), Some(65));
    assert!(!dir.path().join("timeline.html").exists());
}

#[test]
fn nothing_to_draw_is_a_page_that_says_so() {
    for input in ["", "just text\n", "{\"hello\":1}\n"] {
        let (page, data, said) = page_of(input);
        assert!(said.contains("memplot: no samples and no tests in the input"), "{said}");
        assert!(data["figure"].is_null() && page.contains("there is nothing to draw"));
        assert_eq!(data["warnings"][0], "No samples: nothing was measured.");
    }
}

#[test]
fn tests_without_samples_are_drawn_alone() {
    let input: String = run(Kind::default())
        .split_inclusive('\n')
        .filter(|line| line.contains("\"record\":\"test\""))
        .collect();
    let (_, data, said) = page_of(&input);
    assert!(said.contains("memplot: no samples in the input"), "{said}");
    assert_eq!((&data["figure"]["rows"], &data["figure"]["bars"]), (&0.into(), &9.into()));
}

#[test]
fn each_mistake_has_its_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let code = |args: &[&str]| {
        let output = memplot(dir.path(), args, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("memplot: ") && said.lines().count() == 1, "{said}");
        (output.status.code().unwrap(), said)
    };
    assert_eq!(code(&["missing.jsonl"]).0, 66);
    assert_eq!(code(&["-o", "no/such/folder/x.html"]).0, 74);
    assert_eq!(code(&["--wrong"]).0, 2);
    let (trace, said) = code(&["--trace", "x.json"]);
    assert!(trace == 2 && said.contains("not in this version yet"), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no page, no leftovers");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_memplot"))
        .args(["-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(run(Kind::default()).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
