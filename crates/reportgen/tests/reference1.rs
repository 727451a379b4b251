//! The report that others made of 251 tests on 25 models, made anew from lines that have its
//! figures: what it printed is printed, and what it got wrong is right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

/// Its table of models, figure by figure.
const TABLE: &str = include_str!("reference1.tsv");

/// Its table of tests that used the GPU most: test, model, device and renderer in percent.
const GPU: [(&str, &str, f64, f64); 6] = [
    ("test_chess_position_e6", "pixtral-12b-4bit", 83.6, 82.5),
    ("test_contract_name_extraction", "pixtral-12b-4bit", 81.6, 80.1),
    ("test_mug_color_identification", "pixtral-12b-4bit", 80.8, 77.0),
    ("test_single_image_chat_completion", "pixtral-12b-8bit", 71.1, 67.1),
    ("test_streaming_graceful_degradation", "pixtral-12b-4bit", 70.3, 56.0),
    ("test_run_command", "DeepHermes-3-Mistral-24B-Preview-8bit", 14.4, 12.5),
];

const TEXT: [&str; 7] = [
    "test_run_command",
    "test_run_json_output",
    "test_chat_completions_batch",
    "test_chat_completions_streaming",
    "test_json_interactive_error_path",
    "test_pipe_from_list_json",
    "test_stdin_dash_appends_trailing_text",
];
const VISION: [&str; 7] = [
    "test_single_image_chat_completion",
    "test_streaming_graceful_degradation",
    "test_chart_axis_label_reading",
    "test_chess_position_e6",
    "test_contract_name_extraction",
    "test_large_image_support",
    "test_mug_color_identification",
];
const AUDIO: [&str; 11] = [
    "test_audio_output_not_empty",
    "test_segment_metadata_optional",
    "test_transcribe_longer_audio_wav",
    "test_transcribe_mp3_format",
    "test_transcribe_short_audio_wav",
    "test_transcription_endpoint_json",
    "test_transcription_endpoint_mp3",
    "test_transcription_endpoint_rejects_oversized_audio",
    "test_transcription_endpoint_text_format",
    "test_transcription_endpoint_verbose_json",
    "test_transcription_endpoint_with_language",
];

/// A row of the table.
struct Row<'a> {
    model: &'a str,
    mode: &'a str,
    tests: usize,
    size_gb: f64,
    time_s: f64,
    old_s: f64,
    ram_gb: (f64, f64),
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        Row {
            model: cells[0],
            size_gb: number(1),
            mode: cells[2],
            tests: cells[3].parse().unwrap(),
            time_s: number(4),
            old_s: number(5),
            ram_gb: (number(6), number(7)),
        }
    };
    lines.map(row).collect()
}

/// The lines of a run.
struct Run {
    lines: Vec<String>,
    ts: f64,
    new: bool,
}

impl Run {
    fn test(&mut self, case: &str, seconds: f64, more: Value) {
        let file = "tests_2.0/live/test_live.py";
        let mut test = json!({
            "record": "test", "v": 1, "ts": self.ts, "run": if self.new { "2026-02-11" } else { "2026-02-06" },
            "host": "unknown", "suite": "test_live", "case": case, "id": format!("{file}::{case}"),
            "outcome": "passed", "duration_s": seconds,
            "metadata": {"mlx_knife_version": "2.0.4", "schema_version": "0.2.2",
                "system": {"hardware_profile": {"model": "Mac14,13", "cores_physical": 12, "cores_logical": 12}}},
            "system_health": {"swap_used_mb": 1524.0, "ram_free_gb": 20.0, "zombie_processes": 0, "quality_flags": ["clean"]},
        });
        test.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.lines.push(test.to_string());
        self.ts += seconds + 0.05;
    }

    fn row(&mut self, row: &Row<'_>) {
        let cases: &[&str] = match (row.mode, row.tests) {
            ("text", 1) => &["test_text_request_still_works_on_vision_model"],
            ("text", n) => &TEXT[..n],
            ("vision", n) => &VISION[..n],
            (_, n) => &AUDIO[..n],
        };
        // The earlier run had two of the seven; theirs is the time that was printed.
        let fewer = !self.new && (row.model, row.mode) == ("pixtral-12b-4bit", "vision");
        let cases = if fewer { &cases[..2] } else { cases };
        let total = if self.new { row.time_s } else { row.old_s };
        let shares: usize = (1..=cases.len()).sum();
        for (at, case) in cases.iter().enumerate() {
            let seconds = total * (at + 1) as f64 / shares as f64;
            let free = if at == 0 { row.ram_gb.0 } else { row.ram_gb.1 };
            let mut more = json!({
                "params": {"model": row.model}, "modality": row.mode,
                "model": {"id": row.model, "size_gb": row.size_gb},
                "system_health": {"swap_used_mb": 1524.0, "ram_free_gb": free, "zombie_processes": 0, "quality_flags": ["clean"]},
            });
            let gpu = GPU.iter().find(|(test, model, ..)| test == case && *model == row.model);
            if let Some((_, _, device, renderer)) = gpu {
                let series = |mean: f64| json!({"min": 0.0, "mean": mean, "p50": mean, "p95": mean, "max": mean});
                more["resources"] = json!({"samples": 20, "coverage": 1.0, "gpu_device_util": series(*device), "gpu_renderer_util": series(*renderer)});
                more["cold_start"] = json!(*case == "test_run_command");
            }
            self.test(case, seconds, more);
        }
    }
}

/// 251 tests: 119 of the table, three short ones that it lacks, 57 without a model, 72 skipped.
fn run(new: bool) -> String {
    let ts = if new { 1_770_811_206.0 } else { 1_770_379_206.0 };
    let mut run = Run { lines: Vec::new(), ts, new };
    let rows = rows();
    rows.iter().for_each(|row| run.row(row));
    for row in &rows[26..28] {
        let more = json!({"params": {"model": row.model}, "modality": row.mode, "model": {"id": row.model, "size_gb": row.size_gb},
            "system_health": {"ram_free_gb": row.ram_gb.0}});
        run.test("test_refuses_an_empty_file", 0.004, more.clone());
        if row.model.ends_with("4bit") {
            run.test("test_refuses_a_text_file", 0.003, more);
        }
    }
    (0..57)
        .for_each(|n| run.test(&format!("test_infrastructure_{n:02}"), 140.689 / 57.0, json!({})));
    for n in 0..72 {
        let more = json!({"outcome": "skipped", "reason": "needs more memory than there is", "system_health": null, "params": {}});
        run.test(&format!("test_skipped_{n:02}"), 0.0, more);
    }
    assert_eq!(run.lines.len(), if new { 251 } else { 246 });
    run.lines.join("\n") + "\n"
}

fn reportgen(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("2026-02-11.jsonl"), run(true)).unwrap();
    fs::write(dir.path().join("2026-02-06.jsonl"), run(false)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_reportgen"))
        .current_dir(dir.path())
        .args(["2026-02-11.jsonl", "--compare", "2026-02-06.jsonl"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_report_of_251_tests() {
    let got = reportgen(&[]);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reference1.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &got).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap();
    assert!(got == want, "{} differs: BLESS=1 writes it anew\n{got}", path.display());
}

#[test]
fn what_was_printed_per_model_is_printed_but_where_it_was_wrong() {
    let report: Value = serde_json::from_str(&reportgen(&["-f", "json"])).unwrap();
    let table = |name: &str| report["tables"][name].as_array().unwrap().clone();
    let (models, speeds) = (table("models"), table("model_speeds"));
    let tenth = |value: &Value| (value.as_f64().unwrap() * 10.0).round() / 10.0;
    for row in rows() {
        let of = |rows: &[Value]| {
            let own = |r: &&Value| r["model"] == row.model && r["mode"] == row.mode;
            rows.iter().find(own).unwrap().clone()
        };
        let (model, speed) = (of(&models), of(&speeds));
        assert_eq!(tenth(&model["time_s"]), row.time_s, "{}", row.model);
        assert_eq!(speed["size_gb"], row.size_gb);
        assert_eq!(tenth(&speed["free_memory_gb_min"]), row.ram_gb.0);
        assert_eq!(
            tenth(&speed["free_memory_gb_max"]),
            if row.tests > 1 { row.ram_gb.1 } else { row.ram_gb.0 }
        );
        let short = match row.model {
            "whisper-large-v3-turbo-4bit" => 2,
            "whisper-large-v3-turbo-8bit" => 1,
            _ => 0,
        };
        assert_eq!(model["tests"], row.tests + short, "{}", row.model);
        if (row.model, row.mode) == ("pixtral-12b-4bit", "vision") {
            // Two tests of both runs, and not seven against two.
            assert_eq!(model["same_tests"], 2);
            assert!(model["change_pct"].as_f64().unwrap() < 0.0);
        } else {
            assert_eq!(tenth(&model["then_s"]), row.old_s, "{}", row.model);
            let printed = 100.0 * (row.time_s - row.old_s) / row.old_s;
            // The printed times are rounded, and so is what follows from them.
            let error = 100.0 * 0.1 / row.old_s * 1.2;
            assert!((model["change_pct"].as_f64().unwrap() - printed).abs() <= error);
        }
    }
    let all = models.last().unwrap();
    assert_eq!((&all["tests"], tenth(&all["time_s"])), (&json!(251), 1157.1));
    let sum: u64 =
        models[..models.len() - 1].iter().map(|row| row["tests"].as_u64().unwrap()).sum();
    assert_eq!(sum, 251, "the rows add up");
}
