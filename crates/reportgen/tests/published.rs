//! Figures that others measured and published: every one that our tables show of them, computed
//! again from the values of their single runs, and beside what was printed of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
/// What is said of printed figures that differ from ours.
const DIFFERENCES: &str = include_str!("../../../docs/reports.md");

fn published(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(format!("{TESTS}/published/{name}")).unwrap()).unwrap()
}

/// The rows of the table called `name` in the report on `args`.
fn rows(args: &[&str], name: &str) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reportgen"));
    let output =
        command.current_dir(format!("{TESTS}/data")).args(["-f", "json"]).args(args).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["tables"][name].as_array().unwrap_or_else(|| panic!("no table {name}")).clone()
}

/// The one row whose fields have these values.
fn row<'a>(rows: &'a [Value], fields: &[(&str, &str)]) -> &'a Value {
    let is = |row: &&Value| fields.iter().all(|(name, value)| row[name] == *value);
    let found: Vec<&Value> = rows.iter().filter(is).collect();
    let [one] = found[..] else { panic!("{} rows with {fields:?}", found.len()) };
    one
}

/// The records have six decimals of what was published.
#[track_caller]
fn close(ours: &Value, computed: f64) {
    let ours = ours.as_f64().unwrap_or_else(|| panic!("{ours} is no number, but {computed}"));
    assert!((ours - computed).abs() <= 2e-6 * computed.abs().max(1.0), "{ours} {computed}");
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// `1m30s` in seconds.
fn load_s(text: &str) -> f64 {
    let (minutes, seconds) = text.split_once('m').unwrap_or(("0", text));
    60.0 * minutes.parse::<f64>().unwrap() + seconds.trim_end_matches('s').parse::<f64>().unwrap()
}

/// The values of a metric in the runs of a published bench.
fn values(bench: &Value, metric: &str) -> Vec<f64> {
    bench["runs"].as_array().unwrap().iter().map(|run| run[metric].as_f64().unwrap()).collect()
}

const SPEEDS: [(&str, &str, &str); 2] =
    [("prompt_tps", "PP", "pp_tok_s"), ("generation_tps", "TG", "tg_tok_s")];

#[test]
fn every_speed_of_the_backends_is_that_of_its_runs() {
    let published = published("backend-comparison.json");
    let input = ["backends-reference.jsonl"];
    let (tables, summary) = (rows(&input, "benches"), rows(&input, "bench_summary"));
    let published = published.as_array().unwrap();
    assert_eq!((published.len(), tables.len(), summary.len()), (27, 27, 27));
    for bench in published {
        let (model, backend) =
            (bench["model"].as_str().unwrap(), bench["backend"].as_str().unwrap());
        let one = row(&summary, &[("model", model), ("backend", backend)]);
        // The tables of each model stand below one another, in the order of the input.
        let at = published.iter().position(|other| other == bench).unwrap();
        assert_eq!(tables[at]["backend"], *backend);
        for row in [one, &tables[at]] {
            close(&row["load_s"], load_s(bench["load"].as_str().unwrap()));
            for (metric, _, field) in SPEEDS {
                let (mean, sd) = mean_and_sd(&values(bench, metric));
                close(&row[format!("{field}_mean")], mean);
                close(&row[format!("{field}_sd")], sd);
            }
        }
        let notes = tables[at]["notes"].as_str().unwrap_or_default();
        assert_eq!(notes, bench["notes"].as_str().unwrap());
    }
    let speeds: Vec<f64> =
        summary.iter().map(|row| row["tg_tok_s_mean"].as_f64().unwrap()).collect();
    assert!(speeds.is_sorted_by(|a, b| a >= b), "the fastest comes first: {speeds:?}");
}

#[test]
fn the_winner_on_each_model_has_the_greatest_mean() {
    let published = published("backend-comparison.json");
    let fastest = rows(&["backends-reference.jsonl"], "fastest");
    let mut models: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for bench in published.as_array().unwrap() {
        models.entry(bench["model"].as_str().unwrap()).or_default().push(bench);
    }
    assert_eq!((models.len(), fastest.len()), (9, 18));
    for (model, benches) in models {
        for (metric, name, _) in SPEEDS {
            let mut means: Vec<(f64, &str)> = benches
                .iter()
                .map(|bench| {
                    (mean_and_sd(&values(bench, metric)).0, bench["backend"].as_str().unwrap())
                })
                .collect();
            means.sort_by(|a, b| b.0.total_cmp(&a.0));
            let row = row(&fastest, &[("model", model), ("speed", name)]);
            assert_eq!(
                (row["fastest"].as_str(), row["next"].as_str()),
                (Some(means[0].1), Some(means[1].1))
            );
            close(&row["factor"], means[0].0 / means[1].0);
        }
    }
}

/// A mean and a deviation as they are printed: `172.8 ±2.9`.
fn as_printed(values: (f64, f64)) -> String {
    format!("{:.1} ±{:.1}", values.0, values.1)
}

/// What no runs that round to the printed ones have: of 11.88, 11.49 and 11.39 the deviation is
/// 0.259, and of 196.36, 205.13 and 205.58 the mean is 202.357.
const MISPRINTED: [&str; 2] = ["11.6 ±0.2", "202.3 ±5.2"];

#[test]
fn printed_speeds_are_ours_or_listed_with_the_reason() {
    let mut all = 0;
    for file in ["backends-reference.jsonl", "backends-again-reference.jsonl"] {
        let lines = fs::read_to_string(format!("{TESTS}/data/{file}")).unwrap();
        for line in lines.lines() {
            let test: Value = serde_json::from_str(line).unwrap();
            let Some(reported) = test["metadata"]["reported"].as_object() else {
                assert_eq!(test["error"]["message"], "server died");
                continue;
            };
            for (metric, name, _) in SPEEDS {
                let printed = reported[metric].as_str().unwrap();
                let (mean, sd) = mean_and_sd(&values(&test, metric));
                let ours = as_printed((mean, sd));
                let (model, backend) = (
                    test["model"]["id"].as_str().unwrap(),
                    test["params"]["backend"].as_str().unwrap(),
                );
                let listed = format!("| {model} | {backend} | {name} | {printed} | {ours} |");
                assert_eq!(ours != printed, DIFFERENCES.contains(&listed), "{listed}");
                // The single runs were printed with two decimals, so they are off by up to
                // 0.005 each, and what was printed of them by up to 0.05.
                let (their_mean, their_sd) = printed.split_once(" ±").unwrap();
                let off = |ours: f64, theirs: &str, most: f64| {
                    (ours - theirs.parse::<f64>().unwrap()).abs() > most + 1e-9
                };
                let rounding = 0.05 + 0.005 * 1.5f64.sqrt();
                let misprint = off(mean, their_mean, 0.055) || off(sd, their_sd, rounding);
                assert_eq!(misprint, MISPRINTED.contains(&printed), "{listed}");
                all += 1;
            }
        }
    }
    assert_eq!(all, 54 + 34);
}

const FIGURES: [(&str, &str); 4] = [
    ("memory_gb", "memory_gb"),
    ("load_time_s", "load_s"),
    ("warmup_time_s", "warm_up_s"),
    ("steady_state_avg_s", "steady_s"),
];

#[test]
fn every_figure_of_the_baselines_is_the_published_one() {
    let input = ["baselines-reference.jsonl", "baseline-runs-reference.jsonl"];
    let (three, second) = (published("baseline-3way.json"), published("baseline-run2.json"));
    let ours = rows(&input, "baselines");
    let least = three.as_array().unwrap().iter();
    let least = least.map(|one| one["steady_state_avg_s"].as_f64().unwrap()).fold(9.9, f64::min);
    // The second run of its model is one of its own.
    let runs = three.as_array().unwrap().iter().map(|one| (one, "b", &one["accuracy_pct"]));
    for (theirs, run, accuracy) in runs.chain([(&second, "e", &second["accuracy_percent"])]) {
        let is = |row: &&Value| {
            row["model"] == theirs["model"] && row["run"].as_str().unwrap().ends_with(run)
        };
        let row = ours.iter().find(is).expect("each has a row");
        for (name, field) in FIGURES {
            close(&row[field], theirs[name].as_f64().unwrap());
        }
        close(&row["accuracy_pct"], accuracy.as_f64().unwrap());
        close(&row["against_fastest"], theirs["steady_state_avg_s"].as_f64().unwrap() / least);
    }
}

#[test]
fn the_change_from_the_first_published_run_to_the_second_is_computed_from_both() {
    let second = published("baseline-run2.json");
    // The first run was only printed.
    let first = [19.55, 6.46, 8.24, 2.36];
    let ours = rows(&["baseline-runs-reference.jsonl"], "consistency");
    let names = ["Memory after load", "Load time", "Warm-up", "Steady state"];
    let verdicts = ["stable", "unstable", "unstable", "excellent"];
    for (at, (name, _)) in FIGURES.iter().enumerate() {
        let (old, new) = (first[at], second[name].as_f64().unwrap());
        let row = row(&ours, &[("figure", names[at])]);
        let unit = if at == 0 { "gb" } else { "s" };
        close(&row[format!("first_{unit}")], old);
        close(&row[format!("last_{unit}")], new);
        close(&row[format!("change_{unit}")], new - old);
        let percent = |field: &str, computed: f64| {
            assert!((row[field].as_f64().unwrap() - computed).abs() < 1e-4, "{row} {computed}");
        };
        percent("relative_change_pct", 100.0 * (new - old) / old);
        percent("spread_pct", 100.0 * (new - old).abs() / f64::midpoint(old, new));
        assert_eq!(row["verdict"], verdicts[at], "{row}");
    }
    let accuracy = row(&ours, &[("figure", "Accuracy")]);
    close(&accuracy["last_pct"], second["accuracy_percent"].as_f64().unwrap());
    assert_eq!(accuracy["verdict"], "unchanged");
}

/// Dollars for a million tokens of prompts and of answers: with these the printed cost of one of
/// the two batches follows from its tokens.
const PRICE: (f64, f64) = (0.04, 0.20);

#[test]
fn every_figure_of_the_batches_follows_from_the_published_counts() {
    let screen = published("llama32-1b-5k-2025-10-28.json");
    let evaluate = published("vllm-native-gemma3-4b-5000-2025-10-28.json");
    let hybrid = "meta-llama/Llama-3.2-1B-Instruct,google/gemma-3-4b-it,20";
    let args = ["batches-reference.jsonl", "--hybrid", hybrid];
    let mut computed = Vec::new();
    for theirs in [&screen, &evaluate] {
        let get = |name: &str| theirs["results"][name].as_f64().unwrap();
        let model = theirs["model"].as_str().unwrap();
        let (n, time) = (get("success_count"), get("inference_time_seconds"));
        let (prompt, answer) = (get("prompt_tokens"), get("completion_tokens"));
        let requests = n + get("failure_count");
        let (rate, speed) = (requests / time, (prompt + answer) / time);
        let cost = (prompt * PRICE.0 + answer * PRICE.1) / n / 1e6;
        let batches = rows(&args, "batches");
        let one = row(&batches, &[("model", model)]);
        // Rates are in the records with three decimals.
        let near = |ours: &Value, computed: f64| {
            assert!((ours.as_f64().unwrap() - computed).abs() < 2e-3, "{ours} {computed}");
        };
        close(&one["requests"], requests);
        close(&one["success_pct"], 100.0 * n / requests);
        close(&one["time_s"], time);
        near(&one["requests_s"], rate);
        near(&one["output_tok_s"], answer / time);
        near(&one["total_tok_s"], speed);
        let all = rows(&args, "batch_figures");
        let id = format!("batch::candidates[vllm,{model}]");
        for (name, value) in [
            ("Average prompt tokens", prompt / n),
            ("Average completion tokens", answer / n),
            ("Average total tokens", (prompt + answer) / n),
            ("Input tok/s", prompt / time),
        ] {
            near(&row(&all, &[("test", &id), ("figure", name)])["value"], value);
        }
        near(
            &row(&rows(&args, "batch_costs_ranked"), &[("model", model)])["100k_requests"],
            1e5 * cost,
        );
        // They printed what they had measured, rounded.
        assert!((speed - get("throughput_tokens_per_sec")).abs() < 1.5);
        assert!((rate - get("throughput_requests_per_sec")).abs() < 0.005);
        computed.push((rate, speed, 1e5 * cost));
    }
    let [(fast, speed, cheap), (slow, slow_speed, dear)] = computed[..] else { panic!() };
    let near = |ours: &Value, computed: f64| {
        assert!((ours.as_f64().unwrap() / computed - 1.0).abs() < 1e-3, "{ours} {computed}");
    };
    let ranking = rows(&args, "batch_speeds");
    near(&ranking[0]["as_fast_as_the_next"], speed / slow_speed);
    near(&ranking[0]["requests_as_fast"], fast / slow);
    let costs = rows(&args, "batch_costs_ranked");
    near(&costs[0]["cheaper_than_the_next_pct"], 100.0 * (dear - cheap) / dear);
    let steps = rows(&args, "hybrid");
    let saved = row(&steps, &[("step", "saved")]);
    let (time, alone) = (1e5 / fast + 2e4 / slow, 1e5 / slow);
    near(&row(&steps, &[("step", "together")])["time_s"], time);
    near(&saved["time_pct"], 100.0 * (1.0 - time / alone));
    near(&saved["usd_by_gpt_oss_20b_pct"], 100.0 * (1.0 - (cheap + 0.2 * dear) / dear));
}

#[test]
fn a_batch_under_way_is_estimated_from_its_requests_alone() {
    let lines = fs::read_to_string(format!("{TESTS}/data/batches-reference.jsonl")).unwrap();
    let requests: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["record"] == "request")
        .collect();
    let time = |name: &'static str| requests.iter().map(move |line| line[name].as_f64().unwrap());
    let took = time("end_ts").fold(0.0, f64::max) - time("ts").fold(f64::INFINITY, f64::min);
    let tokens: f64 =
        requests.iter().map(|line| line["metrics"]["completion_tokens"].as_f64().unwrap()).sum();
    let unfinished = rows(&["batches-reference.jsonl"], "batches_unfinished");
    let states: Vec<&str> = unfinished.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["under way", "pending", "pending", "pending"]);
    let one = &unfinished[0];
    close(&one["done"], requests.len() as f64);
    close(&one["requests_s"], requests.len() as f64 / took);
    close(&one["output_tok_s"], tokens / took);
    close(&one["left_s"], (5000.0 - requests.len() as f64) * took / requests.len() as f64);
    assert!(unfinished[1..].iter().all(|row| row["of"] == 5000 && row["left_s"].is_null()));
}
