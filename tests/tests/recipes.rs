//! Every recipe of docs/recipes.md is run, on runs whose answers are known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

const START: f64 = 1_770_000_000.0;

/// The root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// `correlate`, built.
fn correlate() -> PathBuf {
    // This test is target/PROFILE/deps/recipes-…; the tools lie two folders up.
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "-p", "correlate"]).current_dir(root());
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.stderr(Stdio::null()).status().unwrap().success(), "correlate does not build");
    folder.join("correlate")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A recipe: its heading, its language and its text.
struct Recipe {
    heading: String,
    language: String,
    text: String,
}

fn recipes() -> Vec<Recipe> {
    let document = fs::read_to_string(root().join("docs/recipes.md")).unwrap();
    let (mut heading, mut found) = (String::new(), Vec::new());
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("### ") {
            text.clone_into(&mut heading);
        } else if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let (language, text) = (language.to_owned(), text.join("\n"));
            found.push(Recipe { heading: heading.clone(), language, text });
        }
    }
    found
}

/// A run on a host: two models, one of them loaded twice, cold and warm; five tests, one
/// of which fails in the first run; a zombie all the time.
fn run(run: &str, host: &str, slower: f64) -> String {
    let line = |record: &str, ts: f64, rest: Value| {
        let mut line =
            json!({"record": record, "v": 1, "ts": START + ts, "run": run, "host": host});
        line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        (ts, line)
    };
    let params = |model: &str| json!({"backend": "llama", "model": model});
    let mut lines = vec![line("stream", 0.0, json!({"interval_ms": 500}))];
    let memory = |ts: f64| match ts {
        ts if ts < 2.0 => 8.0,
        ts if ts < 10.0 => 11.0,
        ts if ts < 12.0 => 8.0,
        ts if ts < 25.0 => 18.0,
        ts if (27.0..34.0).contains(&ts) => 11.0,
        _ => 8.0,
    };
    for seq in 0..80 {
        let ts = f64::from(seq) * 0.5;
        lines.push(line("sample", ts, json!({
            "seq": seq, "elapsed_s": ts, "ram_used_gb": memory(ts), "ram_free_gb": 32.0 - memory(ts),
            "tree_rss_gb": memory(ts) - 8.0, "cpu_user": if memory(ts) > 8.0 { 80.0 } else { 5.0 },
            "swap_used_mb": 0.0, "zombies": 1,
        })));
    }
    for (model, load, stop, cache, gb) in [
        ("small", 1.0, 10.0, "cold", 2.8),
        ("large", 11.0, 25.0, "warm", 9.5),
        ("small", 26.0, 34.0, "warm", 2.8),
    ] {
        lines.push(line(
            "span",
            load,
            json!({"phase": "load", "params": params(model),
            "end_ts": START + load + 1.5, "duration_s": 1.5, "page_cache": cache}),
        ));
        lines.push(line(
            "span",
            stop - 0.1,
            json!({"phase": "stop", "params": params(model),
            "end_ts": START + stop, "duration_s": 0.1}),
        ));
        let first = [("chat", load + 2.0, 2.0), ("bench", load + 4.5, 3.0)];
        let again = [("later", load + 2.0, 4.0)];
        for &(case, at, takes) in if load < 20.0 { &first[..] } else { &again } {
            let takes: f64 = takes + slower;
            let failed = case == "chat" && model == "large" && slower == 0.0;
            let mut test = json!({"id": format!("suite::{case}[llama,{model}]"), "suite": "suite", "case": case,
                "params": params(model), "outcome": if failed { "failed" } else { "passed" },
                "end_ts": START + at + takes, "duration_s": takes, "model": {"id": model, "size_gb": gb},
                "metrics": {"generation_tps": 40.0}});
            if failed {
                test["reason"] = json!("the answer lacks \"Paris\"");
            }
            if case == "bench" {
                test["metrics"]["generation_tps"] =
                    json!({"mean": 50.0, "n": 3, "min": 49.0, "median": 50.0, "max": 51.0});
            }
            lines.push(line("test", at, test));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.iter().map(|(_, line)| line.to_string() + "\n").collect()
}

/// A folder with all that the recipes read.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("runs")).unwrap();
    let correlate = correlate();
    for (name, host, slower) in [("run-1", "mac", 0.0), ("run-2", "linux", 0.25)] {
        let raw = path(&format!("{name}.raw"));
        fs::write(&raw, run(name, host, slower)).unwrap();
        let (out, rows) = (path(&format!("runs/{name}.jsonl")), path("tests.csv"));
        let output = Command::new(&correlate)
            .arg(raw)
            .arg("-o")
            .arg(out)
            .arg("--csv")
            .arg(rows)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    fs::copy(path("runs/run-1.jsonl"), path("run.jsonl")).unwrap();
    folder
}

fn printed(output: &Output, what: &str) -> String {
    assert!(output.status.success(), "{what}: {}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The rows that each query gives, in the order of the queries, all in one session.
fn by_duckdb(queries: &[&Recipe], folder: &Path) -> Vec<String> {
    let setup = Command::new(root().join("tests/duckdb/setup.sh")).output().unwrap();
    assert!(setup.status.success(), "{}", stderr(&setup));
    let script = "import duckdb, json, sys\n\
        session = duckdb.connect()\n\
        for query in json.load(sys.stdin):\n    \
            rows = session.sql(query) if query.startswith('SELECT') else session.execute(query)\n    \
            print(json.dumps(rows.fetchall(), default=str))\n";
    let texts: Vec<&str> = queries.iter().map(|recipe| recipe.text.as_str()).collect();
    let mut python = Command::new(root().join("target/recipes/bin/python"));
    python.args(["-c", script]).current_dir(folder);
    let output = testing::fed(&mut python, json!(texts).to_string().as_bytes());
    printed(&output, "DuckDB").lines().map(str::to_owned).collect()
}

#[test]
fn every_recipe_gives_the_answer_that_it_promises() {
    let folder = folder();
    let recipes = recipes();
    let mut answers: BTreeMap<&str, String> = BTreeMap::new();
    for recipe in recipes.iter().filter(|recipe| recipe.language == "sh") {
        let mut bash = Command::new("bash");
        bash.args(["-c", &format!("set -o pipefail; {}", recipe.text)]).env("LC_ALL", "C");
        let output = bash.current_dir(folder.path()).output().unwrap();
        // Whether a whole number keeps its ".0" depends on the version of jq.
        let answer = printed(&output, &recipe.heading).replace(".0\t", "\t").replace(".0\n", "\n");
        answers.insert(&recipe.heading, answer);
    }
    let queries: Vec<&Recipe> = recipes.iter().filter(|recipe| recipe.language == "sql").collect();
    for (recipe, answer) in queries.iter().zip(by_duckdb(&queries, folder.path())) {
        answers.insert(&recipe.heading, answer);
    }
    assert_eq!(answers.len(), recipes.len(), "each heading has one recipe, in sh or sql");

    for (heading, want) in expected() {
        let have = answers.remove(heading).unwrap_or_else(|| panic!("no recipe {heading:?}"));
        assert_eq!(have.trim_end(), want, "{heading}");
    }
    let rest: Vec<&&str> = answers.keys().collect();
    assert!(rest.is_empty(), "recipes without an expectation: {rest:?}");
}

/// What each recipe prints.
fn expected() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "The slowest tests",
            "4\tpassed\tsuite::later[llama,small]\n3\tpassed\tsuite::bench[llama,small]\n3\tpassed\tsuite::bench[llama,large]\n2\tpassed\tsuite::chat[llama,small]\n2\tfailed\tsuite::chat[llama,large]",
        ),
        ("What failed, and why", "failed\tsuite::chat[llama,large]\tthe answer lacks \"Paris\""),
        (
            "Tests that took the machine over some memory",
            "18\tsuite::chat[llama,large]\n18\tsuite::bench[llama,large]",
        ),
        ("The most memory that each model's tests saw", "large\t10\nsmall\t3"),
        ("The samples taken during one test", "0\t11\t80\n0.5\t11\t80\n1\t11\t80\n1.5\t11\t80"),
        (
            "What went wrong with the machine, in sentences",
            "info: zombies: 1 zombie process for 39.5 s, there from the beginning",
        ),
        (
            "Each model: on disk, after loading, at its peak, and how long the load took",
            "small\t2.8\t3\t3\t1.5\tcold\nlarge\t9.5\t10\t10\t1.5\twarm\nsmall\t2.8\t3\t3\t1.5\twarm",
        ),
        (
            "What loading cost",
            "3 loads of 2 models in 4.5 s: loading each once would have saved 1.5 s",
        ),
        (
            "The order that would have loaded each model once",
            "suite::chat[llama,small]\nsuite::bench[llama,small]\nsuite::later[llama,small]\nsuite::chat[llama,large]\nsuite::bench[llama,large]",
        ),
        ("Once per session", "[]"),
        (
            "Tests by machine and model",
            r#"[["linux", "large", 2, 2, 2.75, 18.0], ["linux", "small", 3, 3, 3.25, 11.0], ["mac", "large", 2, 1, 2.5, 18.0], ["mac", "small", 3, 3, 3.0, 11.0]]"#,
        ),
        (
            "Each model on each machine: disk, memory, cold and warm loads",
            r#"[["linux", "large", 9.5, 10.0, 10.0, null, 1.5, 1], ["linux", "small", 2.8, 3.0, 3.0, 1.5, 1.5, 2], ["mac", "large", 9.5, 10.0, 10.0, null, 1.5, 1], ["mac", "small", 2.8, 3.0, 3.0, 1.5, 1.5, 2]]"#,
        ),
        (
            "Tests that left less than some memory to others",
            r#"[["linux", "suite::bench[llama,large]", 18.0], ["linux", "suite::chat[llama,large]", 18.0], ["mac", "suite::bench[llama,large]", 18.0], ["mac", "suite::chat[llama,large]", 18.0]]"#,
        ),
        (
            "How long tests take, as a histogram",
            r#"[[2, 8, "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588    "], [4, 2, "\u2588\u2588\u2588\u2588                "]]"#,
        ),
        (
            "Two runs compared, like with like",
            r#"[["suite::chat[llama,large]", 2.0, 2.25, 12.5], ["suite::chat[llama,small]", 2.0, 2.25, 12.5], ["suite::bench[llama,large]", 3.0, 3.25, 8.3], ["suite::bench[llama,small]", 3.0, 3.25, 8.3], ["suite::later[llama,small]", 4.0, 4.25, 6.3]]"#,
        ),
        (
            "Samples by the minute",
            r#"[["linux", "2026-02-02 02:40:00", 80, 57.5, 18.0], ["mac", "2026-02-02 02:40:00", 80, 57.5, 18.0]]"#,
        ),
        (
            "Samples joined to tests by the engine",
            r#"[["suite::bench[llama,large]", 6, 80.0], ["suite::bench[llama,small]", 6, 80.0], ["suite::chat[llama,large]", 4, 80.0], ["suite::chat[llama,small]", 4, 80.0], ["suite::later[llama,small]", 8, 80.0], ["suite::bench[llama,large]", 7, 80.0], ["suite::bench[llama,small]", 7, 80.0], ["suite::chat[llama,large]", 5, 80.0], ["suite::chat[llama,small]", 5, 80.0], ["suite::later[llama,small]", 9, 80.0]]"#,
        ),
        ("What went wrong, over all machines", r#"[["zombies", "info", 2, 2]]"#),
        ("Parquet, for what has grown too large", "[[160]]"),
        ("And from there", r#"[["linux", 80], ["mac", 80]]"#),
        (
            "The rows of `correlate --csv`",
            r#"[["large", 2, 14.0, 45.0], ["small", 3, 21.0, 43.3]]"#,
        ),
    ]
}
