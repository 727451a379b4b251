//! The command as people call it: by path, by pipe, and wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{HOSTILE, Kind, run};
use flate2::read::DeflateDecoder;
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
    let data = data_in(&page);
    (page, data, said)
}

/// What the page's script reads.
fn data_in(page: &str) -> Value {
    let packed = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let packed = STANDARD.decode(packed).unwrap();
    serde_json::from_reader(DeflateDecoder::new(&packed[..])).unwrap()
}

fn fact(data: &Value, label: &str) -> Option<String> {
    let facts = data["runs"][0]["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact[0] == label)?;
    Some(fact[1].as_str().unwrap().to_owned())
}

fn warnings(data: &Value) -> Vec<String> {
    let warnings = data["runs"][0]["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

/// The names of the curves of each row, by its title.
fn rows(view: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names =
        |row: &Value| row["curves"].as_array().unwrap().iter().map(|c| text(&c["name"])).collect();
    view["rows"].as_array().unwrap().iter().map(|row| (text(&row["title"]), names(row))).collect()
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
fn the_figures_of_the_header_are_those_of_the_summary() {
    let run = run(Kind { gpu: true, whole: true });
    let (_, measured, _) = page_of(&run);
    assert_eq!(fact(&measured, "Least free").unwrap(), "18.000 GB");
    assert_eq!(fact(&measured, "Swap peak").unwrap(), "640.0 MB");
    let summary = r#"{"record":"summary","v":1,"ts":1770811205.0,"run":"r1","host":"studio","end_ts":1770811265.0,
        "duration_s":60.0,"samples":285,"missed":15,"series":{"ram_free_gb":{"min":17.125,"mean":30.5,"max":52.0},
        "tree_rss_gb":{"min":0.4,"mean":20.0,"max":32.401},"gpu_device_util":{"min":0,"mean":50.5,"max":99.9}},"self":{}}"#
        .replace('\n', " ");
    let (_, data, _) = page_of(&(run + &summary + "\n"));
    for (label, text) in
        [("Least free", "17.125 GB"), ("Tree peak", "32.401 GB"), ("GPU peak", "99.9 %")]
    {
        assert_eq!(fact(&data, label).unwrap(), text);
    }
}

#[test]
fn what_is_not_whole_is_said() {
    let (_, data, _) = page_of(&run(Kind::default()));
    assert_eq!(
        warnings(&data),
        [
            "Run of nightly was cut off: no run_end.",
            "Sampling was cut off: no summary.",
            "nightly::cut began at 0:00:59.2 and has no end.",
            "1 gap in the samples, the longest 3.2 s: curves break there.",
        ]
    );
    let gpu = &data["views"][0]["rows"][2];
    assert_eq!(gpu["missing"], "not measured (no GPU is visible to this process)");
    assert_eq!(gpu["curves"], serde_json::json!([]));
}

#[test]
fn each_measured_series_has_its_curve_and_its_column() {
    let (page, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    let view = &data["views"][0];
    let want = [
        ("Memory", vec!["free", "tree RSS", "used", "swap"]),
        ("CPU", vec!["system", "user", "load, 1 min"]),
        ("GPU", vec!["device", "renderer"]),
        ("GPU memory, power", vec!["memory", "power"]),
    ];
    let want: Vec<(String, Vec<String>)> = want
        .into_iter()
        .map(|(t, n)| (t.to_owned(), n.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(rows(view), want);
    assert_eq!((&view["samples"], &view["step"]), (&285.into(), &200_000.into()));
    let columns = view["columns"].as_array().unwrap().len();
    assert_eq!(page.matches("id=\"column-0-").count(), columns + 1, "and one of times");
    assert_eq!(
        view["columns"][view["pressure"].as_u64().unwrap() as usize]["name"],
        "memory_pressure"
    );
    assert_eq!(view["memory"], 68.7);
}

#[test]
fn tests_count_from_the_start_of_the_run_and_overlapping_ones_have_rows() {
    let (_, data, _) = page_of(&run(Kind { gpu: true, whole: true }));
    let tests = data["views"][0]["tests"].as_array().unwrap();
    let starts: Vec<f64> = tests.iter().map(|test| test["start"].as_f64().unwrap()).collect();
    assert_eq!(starts, [5e3, 15e3, 23e3, 28e3, 34e3, 43e3, 44e3, 46e3, 55e3]);
    let lanes: Vec<&Value> = tests.iter().map(|test| &test["lane"]).collect();
    assert_eq!(lanes, [0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(tests[5]["end"], 43_010.0, "10 ms are 10 ms, shorter than a sample or not");
    assert_eq!((&tests[1]["class"], &tests[1]["outcome"]), (&"failed".into(), &"failed".into()));
    assert_eq!(tests[8]["class"], "without_model");
    let models = data["views"][0]["models"].as_array().unwrap();
    assert_eq!((models.len(), &models[0]["class"]), (2, &"load".into()));
}

#[test]
fn what_correlate_found_is_in_the_page() {
    let found = [
        r#"{"record":"model_life","v":1,"ts":1770811206.0,"run":"r1","host":"studio","end_ts":1770811233.0,"params":{"backend":"llama","model":"smollm2-135m"},"memory_series":"tree_rss_gb","before_gb":0.4,"model_delta_gb":29.0,"peak_gb":32.4}"#,
        r#"{"record":"anomaly","v":1,"ts":1770811250.0,"run":"r1","host":"studio","end_ts":1770811257.0,"kind":"swap","severity":"warn","message":"Swap grew by 640 MB."}"#,
        r#"{"record":"span","v":1,"ts":1770811215.0,"run":"r1","host":"studio","phase":"warmup","end_ts":1770811216.0,"duration_s":1.0}"#,
        r#"{"record":"span","v":1,"ts":1770811216.0,"run":"r1","host":"studio","phase":"measure","end_ts":1770811222.0,"duration_s":6.0}"#,
        r#"{"record":"advice","v":1,"ts":1770811265.0,"run":"r1","host":"studio","loads":4,"message":"Two loads could be saved."}"#,
    ];
    let (_, data, _) = page_of(&(run(Kind { gpu: true, whole: true }) + &found.join("\n")));
    let view = &data["views"][0];
    let life =
        view["models"].as_array().unwrap().iter().find(|bar| bar["class"] == "life").unwrap();
    assert_eq!((&life["name"], life["level"].as_f64()), (&"smollm2-135m".into(), Some(29.4)));
    assert_eq!(life["about"][1], "took 29.00 GB, peak 32.40 GB");
    assert_eq!(view["anomalies"][0]["about"][0], "Swap grew by 640 MB.");
    let phases: Vec<&Value> =
        view["phases"].as_array().unwrap().iter().map(|p| &p["class"]).collect();
    assert_eq!(phases, ["warmup", "measure"]);
    assert_eq!(data["runs"][0]["advice"][0], "Two loads could be saved.");
}

#[test]
fn each_host_has_rows_of_its_own_and_each_gpu_a_curve() {
    let sample = |host: &str, ts: f64, more: &str| {
        format!(
            r#"{{"record":"sample","v":1,"ts":{ts},"run":"{host}","host":"{host}","seq":0,"elapsed_s":0.0,"ram_free_gb":5.5{more}}}"#
        )
    };
    let two = r#","gpu_device_util":90.0,"gpus":[{"device_util":90.0},{"device_util":12.5}]"#;
    let stream = r#"{"record":"stream","v":1,"ts":1.0,"run":"b","host":"b","producer":{"name":"memmon","version":"0"},"interval_ms":200.0,"clock":{"wall_s":1.0,"monotonic_s":0.0},"machine":{"gpus":[{"name":"one"},{"name":"two"}]},"sources":{}}"#;
    let lines =
        [sample("a", 1.0, ""), stream.to_owned(), sample("b", 2.0, two), sample("a", 3.0, "")];
    let (_, data, _) = page_of(&lines.join("\n"));
    let views = data["views"].as_array().unwrap();
    let labels: Vec<&Value> = views.iter().map(|view| &view["label"]).collect();
    assert_eq!(labels, ["a", "b"]);
    assert_eq!((&views[0]["samples"], &views[1]["samples"]), (&2.into(), &1.into()));
    assert_eq!(rows(&views[1])[2], ("GPU".to_owned(), vec!["0 device".into(), "1 device".into()]));
}

#[test]
fn hostile_names_stay_text() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("run.jsonl"), run(Kind::default())).unwrap();
    let args = ["run.jsonl", "-o", "-", "--title", HOSTILE];
    let page = String::from_utf8(memplot(dir.path(), &args, "").stdout).unwrap();
    assert!(!page.contains("<img src=x") && !page.contains("{{title}}<!--"));
    let data = data_in(&page);
    assert!(data["views"][0]["tests"][2]["id"].as_str().unwrap().contains("<img src=x"));
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
    let warnings = warnings(&data);
    assert!(warnings.contains(&"2 lines could not be read: missing here.".into()), "{warnings:?}");
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
        assert!(
            data["views"] == serde_json::json!([]) && page.contains("there is nothing to draw")
        );
        assert_eq!(warnings(&data)[0], "No samples: nothing was measured.");
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
    let view = &data["views"][0];
    assert_eq!(
        (&view["rows"], view["tests"].as_array().unwrap().len()),
        (&serde_json::json!([]), 9)
    );
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
    let (same, said) = code(&["-o", "x.html", "--trace", "no/such/folder/x.json"]);
    assert!(same == 74 && said.contains("cannot write: no/such/folder/x.json"), "{said}");
    assert_eq!(code(&["--compare", "missing.jsonl"]).0, 66);
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

#[test]
fn a_picture_without_a_browser_is_refused_before_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_memplot"));
    command.args(["--png", "x.png", "-"]).env("PATH", dir.path()).current_dir(dir.path());
    let output = testing::fed(&mut command, run(Kind::default()).as_bytes());
    let said = String::from_utf8(output.stderr).unwrap();
    if cfg!(not(target_os = "macos")) {
        assert_eq!(output.status.code(), Some(2));
        assert!(said.starts_with("memplot: --png and --svg need Chromium, and none is installed"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_trace_has_every_test_and_every_value() {
    let dir = tempfile::tempdir().unwrap();
    let output = memplot(
        dir.path(),
        &["-o", "x.html", "--trace", "x.json"],
        &run(Kind { gpu: true, whole: true }),
    );
    assert_eq!(output.status.code(), Some(0));
    let trace: Value =
        serde_json::from_slice(&fs::read(dir.path().join("x.json")).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).collect::<Vec<_>>();
    let chat = of("X").into_iter().find(|event| event["name"] == "chat").unwrap();
    assert_eq!((&chat["ts"], &chat["dur"]), (&5_000_000.into(), &10_000_000.into()));
    assert_eq!((&chat["cat"], &chat["args"]["model"]), (&"passed".into(), &"smollm2-135m".into()));
    assert_eq!(of("X").len(), 11, "9 tests and 2 loads");
    // Memory, swap, CPU, load, GPU, its memory, its power: 285 times each.
    assert_eq!(of("C").len(), 7 * 285);
    let memory = of("C").into_iter().find(|event| event["name"] == "Memory").unwrap();
    assert_eq!(
        memory["args"],
        serde_json::json!({ "free GB": 52, "tree RSS GB": 0.4, "used GB": 16.7 })
    );
    let swap = of("C").into_iter().find(|event| event["name"] == "swap").unwrap();
    assert_eq!(swap["args"], serde_json::json!({ "MB": 0 }));
    let names = of("M").iter().map(|event| event["args"]["name"].to_string()).collect::<String>();
    assert!(names.contains("studio") && names.contains("Tests") && names.contains("Models"));
}
