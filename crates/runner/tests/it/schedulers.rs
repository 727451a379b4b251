//! The examples for schedulers: what can be tried here is tried, the rest is read.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use crate::common::Folder;

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/schedulers").join(name)
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("not tried: there is no {program} {arguments:?} here");
    }
    there
}

#[test]
fn gnu_parallel_runs_every_cell_once() {
    if !has("parallel", &["--version"]) {
        return;
    }
    let cases: String = (0..9)
        .map(|n| format!("[[case]]\nname = 'c{n}'\ncommand = {{ argv = ['true'] }}\n"))
        .collect();
    let folder = Folder::with(&format!("suite = 1\n{cases}"));
    let bin = PathBuf::from(env!("CARGO_BIN_EXE_runner"));
    let path = format!("{}:{}", bin.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .arg(example("parallel.sh"))
        .args(["s.toml", "results"])
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("HOSTS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut ids = Vec::new();
    for share in 1..=4 {
        let text =
            fs::read_to_string(folder.path().join(format!("results/{share}.jsonl"))).unwrap();
        let lines =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let tests = lines.filter(|line| line["record"] == "test");
        let own: Vec<String> = tests.map(|test| test["id"].as_str().unwrap().to_owned()).collect();
        assert!((2..=3).contains(&own.len()), "{own:?}");
        ids.extend(own);
    }
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (9, 9));
}

#[test]
fn the_job_array_is_a_script_and_asks_for_as_many_shares_as_it_has_tasks() {
    let script = example("array.sbatch");
    let checked = Command::new("bash").arg("-n").arg(&script).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let text = fs::read_to_string(script).unwrap();
    assert!(text.contains("--array=0-3\n") && text.contains("--shard auto/4 "), "{text}");
}

#[test]
fn the_indexed_job_asks_for_as_many_shares_as_it_has_pods() {
    if !has("python3", &["-c", "import yaml"]) {
        return;
    }
    let script = "import sys, yaml\n\
        job = yaml.safe_load(open(sys.argv[1]))\n\
        spec = job['spec']\n\
        args = spec['template']['spec']['containers'][0]['args']\n\
        assert (job['apiVersion'], job['kind']) == ('batch/v1', 'Job')\n\
        assert spec['completionMode'] == 'Indexed'\n\
        assert args[args.index('--shard') + 1] == f\"auto/{spec['completions']}\", args\n";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(example("indexed-job.yaml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
