//! What suites can say, from the file to the records.

use std::fs;

use crate::common::{Folder, Run};

fn collected(folder: &Folder, arguments: &[&str]) -> (Vec<String>, String) {
    let output =
        folder.runner().arg("s.toml").arg("--collect-only").args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    (stdout.lines().map(str::to_owned).collect(), stderr)
}

/// The one line that is said of what cannot be done.
fn refused(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.runner().args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[test]
fn each_thing_that_is_wrong_has_a_line() {
    let folder = Folder::with(
        "suite = 1\n[[case]]\nname = 'a'\ncomand = {}\n[[case]]\nname = 'b'\ntimeout = 3\n",
    );
    let output = folder.runner().arg("s.toml").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(
        lines[0],
        "runner: s.toml:4:1: case[0].comand: unknown key \"comand\": did you mean \"command\"?"
    );
    assert!(lines[1].starts_with("runner: s.toml:7:11: case[1].timeout: invalid type"), "{stderr}");
    assert_eq!(lines.len(), 2);
}

const AXES: &str = r#"
suite = 1
name = "s"
[[case]]
name = "say"
command = { argv = ["echo", "{lang.word}"] }
expect = [{ stdout = { equals = "{lang.word}" } }]
parametrize.lang = [{ id = "de", word = "ja" }, { id = "fr", word = "oui" }]
parametrize.n = [1, 2]
"#;

#[test]
fn a_case_with_parameters_runs_for_each_and_records_them() {
    let folder = Folder::with(AXES);
    let run = folder.run(&[]);
    assert_eq!((run.code, run.tests().len()), (Some(0), 4));
    let last = run.tests()[3].clone();
    assert_eq!(last["id"], "s::say[lang=fr,n=2]");
    assert_eq!(last["params"], serde_json::json!({"lang": "fr", "n": 2}));
    assert_eq!(last["sample_output"], "oui\n");
    let output = folder.runner().args(["s.toml::say[de]", "--repeat", "2"]).output().unwrap();
    let ids: Vec<_> = Run::of(output).tests().iter().map(|test| test["id"].clone()).collect();
    assert_eq!(
        ids,
        [
            "s::say[lang=de,n=1,repeat=1]",
            "s::say[lang=de,n=1,repeat=2]",
            "s::say[lang=de,n=2,repeat=1]",
            "s::say[lang=de,n=2,repeat=2]"
        ]
    );
    assert!(refused(&folder, &["s.toml::say[it]"]).contains("has no such cell"));
}

#[test]
fn what_is_included_runs_in_its_own_folder() {
    let folder = Folder::with("suite = 1\ninclude = ['common/c.toml']\n");
    fs::create_dir(folder.path().join("common")).unwrap();
    fs::write(folder.path().join("common/tool"), "#!/bin/sh\necho here\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.path().join("common/tool"), fs::Permissions::from_mode(0o755))
        .unwrap();
    fs::write(
        folder.path().join("common/c.toml"),
        "suite = 1\n[[case]]\nname = 'tool'\ncommand = { argv = ['./tool'] }\n",
    )
    .unwrap();
    let run = folder.run(&[]);
    assert_eq!(run.test("tool")["outcome"], "passed", "{}", run.stderr);
    assert_eq!(run.test("tool")["id"], "s::tool");
}

#[test]
fn conditions_say_what_is_skipped_and_what_may_fail() {
    let run = Folder::with(
        r#"
suite = 1
budget = { ram = "10GB" }
[backend.cli]
kind = "command"
[[model]]
id = "huge"
modality = ["text"]
on.cli = { size_gb = 20 }
[[case]]
name = "elsewhere"
only = { program = "no-such-program" }
command = { argv = ["false"] }
[[case]]
name = "too-large"
command = { argv = ["echo", "{model.id}"] }
[[case]]
name = "skipped-elsewhere"
skip = { reason = "broken there", on = { env = "NO_SUCH_VARIABLE" } }
command = { argv = ["true"] }
[[case]]
name = "strict"
xfail = { reason = "not fixed yet", strict = true }
command = { argv = ["true"] }
[[case]]
name = "fails-elsewhere"
xfail = { reason = "broken there", on = { env = "NO_SUCH_VARIABLE" } }
command = { argv = ["false"] }
"#,
    )
    .run(&[]);
    let told = |case: &str| {
        let test = run.test(case);
        (test["outcome"].as_str().unwrap().to_owned(), test["reason"].as_str().map(str::to_owned))
    };
    let is = |outcome: &str, reason: &str| (outcome.to_owned(), Some(reason.to_owned()));
    assert_eq!(told("elsewhere"), is("skipped", "only where no-such-program is on the path"));
    assert_eq!(
        told("too-large"),
        is("skipped", "needs 26.0 GB (20.0 GB × 1.3), the budget is 10.0 GB")
    );
    assert_eq!(told("skipped-elsewhere").0, "passed");
    assert_eq!(told("strict"), is("failed", "[strict] expected to fail: not fixed yet"));
    assert_eq!(told("fails-elsewhere").0, "failed");
    assert_eq!(run.code, Some(1));
}

const UNSET: &str = r#"
suite = 1
[backend.lab]
kind = "openai"
url = "${NO_SUCH_LAB}"
[[model]]
id = "m"
modality = ["text"]
on.lab = {}
[[case]]
name = "chat"
xfail = "not fixed yet"
request = { api = "chat", prompt = "hi" }
[[case]]
name = "here"
command = { argv = ["echo", "${NO_SUCH_WORD:-word}"] }
[[case]]
name = "nowhere"
command = { argv = ["echo", "${NO_SUCH_WORD}"] }
"#;

#[test]
fn a_variable_that_is_not_set_is_named_first_and_is_an_error_of_its_cells_alone() {
    let folder = Folder::with(UNSET);
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(1));
    let lab = "environment variable NO_SUCH_LAB is not set, which backend \"lab\" needs";
    assert!(run.stderr.starts_with(&format!("runner: s.toml: {lab}\n")), "{}", run.stderr);
    // That is not what it was expected to fail for.
    let test = run.test("chat");
    assert_eq!((&test["outcome"], &test["reason"]), (&"error".into(), &lab.into()));
    assert_eq!(test["error"]["kind"], "unset_variable");
    assert_eq!(run.test("here")["outcome"], "passed");
    assert_eq!(run.test("nowhere")["outcome"], "error");

    let (ids, stderr) = collected(&folder, &[]);
    assert_eq!(ids, ["s::here", "s::nowhere", "s::chat[lab,m]"]);
    assert!(stderr.contains(&format!("  1 cell error: {lab}")), "{stderr}");
}

const MATRIX: &str = r#"
suite = 1
name = "s"
marks = { smoke = "quick" }
[backend.a]
kind = "command"
[backend.b]
kind = "command"
[[model]]
id = "qwen-small"
modality = ["text"]
on = { a = {}, b = {} }
[[model]]
id = "qwen-large"
modality = ["text"]
on = { a = {} }
[[model]]
id = "smollm"
modality = ["text"]
on = { b = {} }
[[case]]
name = "version"
command = { argv = ["true"] }
[[case]]
name = "say"
marks = ["smoke"]
command = { argv = ["echo", "{model.id}"] }
[[case]]
name = "again"
needs = ["text"]
command = { argv = ["echo", "{model.id}"] }
[profile.quick]
description = "before each commit"
marks = "smoke"
backend = "a"
repeat = 2
"#;

#[test]
fn backends_and_models_are_picked_by_name_and_pattern() {
    let folder = Folder::with(MATRIX);
    let ids = |arguments: &[&str]| collected(&folder, arguments).0;
    assert_eq!(ids(&[]).len(), 9);
    assert_eq!(
        ids(&["--model", "qwen*", "-k", "say"]),
        ["s::say[a,qwen-small]", "s::say[a,qwen-large]", "s::say[b,qwen-small]"]
    );
    assert_eq!(
        ids(&["--backend", "b", "--model", "smollm,qwen-large"]),
        ["s::say[b,smollm]", "s::again[b,smollm]"]
    );
    assert_eq!(ids(&["--backend", "a", "--backend", "b"]).len(), 8);
    assert!(
        refused(&folder, &["s.toml", "--backend", "c"])
            .contains("--backend: there is no backend \"c\"")
    );
    assert!(
        refused(&folder, &["s.toml", "--model", "smolm"])
            .contains("\"smolm\": did you mean \"smollm\"?")
    );
    assert!(refused(&folder, &["s.toml::sya"]).contains("no such case: did you mean \"say\"?"));
}

#[test]
fn a_profile_stands_in_for_what_the_command_line_does_not_say() {
    let folder = Folder::with(MATRIX);
    let ids = |arguments: &[&str]| collected(&folder, arguments).0;
    assert_eq!(ids(&["--profile", "quick"]).len(), 4);
    assert_eq!(ids(&["--profile", "quick"])[1], "s::say[a,qwen-small,repeat=2]");
    assert_eq!(
        ids(&["--profile", "quick", "--repeat", "1", "--backend", "b"]),
        ["s::say[b,qwen-small,repeat=1]", "s::say[b,smollm,repeat=1]"]
    );
    assert!(refused(&folder, &["s.toml", "--profile", "quik"]).contains("did you mean \"quick\"?"));
}

#[test]
fn a_mark_that_nobody_declares_is_why_nothing_is_selected() {
    let run = Folder::with(MATRIX).run(&["-m", "smok"]);
    assert_eq!(run.code, Some(5));
    assert_eq!(
        run.stderr,
        "runner: s.toml: nothing is selected: mark \"smok\" is not declared: did you mean \"smoke\"?\n"
    );
}

#[test]
fn shares_are_the_whole_and_a_model_lies_in_one() {
    let folder = Folder::with(MATRIX);
    let mut found = Vec::new();
    let mut of_model = std::collections::BTreeMap::new();
    for share in ["1/3", "2/3", "3/3"] {
        let (ids, stderr) = collected(&folder, &["--shard", share]);
        assert!(stderr.starts_with(&format!("shard {} of 3: ", &share[..1])), "{stderr}");
        for id in &ids {
            if let Some(model) = id.split(',').nth(1) {
                assert_eq!(of_model.entry(model.to_owned()).or_insert(share), &share);
            }
        }
        found.extend(ids);
    }
    found.sort();
    let mut all = collected(&folder, &[]).0;
    all.sort();
    assert_eq!(found, all);
}

#[test]
fn an_empty_share_is_a_run_of_nothing() {
    let folder = Folder::with(MATRIX);
    let output = folder
        .runner()
        .args(["s.toml", "-k", "version", "--shard", "auto/2"])
        .env("JOB_COMPLETION_INDEX", "1")
        .output()
        .unwrap();
    let run = Run::of(output);
    assert_eq!((run.code, run.lines.len()), (Some(0), 2), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("shard 2 of 2: 0 of 1 cells, 0 of 0 models\n"),
        "{}",
        run.stderr
    );
    assert_eq!(run.lines[0]["record"], "run_start");
    assert_eq!(run.lines[0]["selected"], serde_json::json!([]));
    assert_eq!(run.end()["exit"], 0);
    assert!(refused(&folder, &["s.toml", "--shard", "auto/2"]).contains("no scheduler says"));
    assert!(refused(&folder, &["s.toml", "--shard", "3/2"]).contains("no share 3 of 2"));
}

#[test]
fn what_is_isolated_has_a_server_of_its_own() {
    let run = Folder::faulty(
        "none",
        r#"
[[case]]
name = "apart"
isolate = true
request = { api = "chat", prompt = "hi" }
[[case]]
name = "one"
request = { api = "chat", prompt = "hi" }
[[case]]
name = "two"
request = { api = "chat", prompt = "hi" }
"#,
    )
    .run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let cases: Vec<_> = run.tests().iter().map(|test| test["case"].clone()).collect();
    assert_eq!(cases, ["one", "two", "apart"]);
    let loads: Vec<_> = run
        .of_kind("span")
        .filter(|span| span["phase"] == "load")
        .map(|span| span["pid"].clone())
        .collect();
    assert_eq!(loads.len(), 2);
    assert_ne!(loads[0], loads[1]);
}
