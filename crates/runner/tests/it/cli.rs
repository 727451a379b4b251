//! The command line: selection, exit codes, bad input.

use crate::common::Folder;

const SUITE: &str = r#"
suite = 1
name = "s"
marks = { fast = "quick", slow = "not" }
[[case]]
name = "good"
marks = ["fast"]
command = { argv = ["printf", "out"] }
expect = [{ exit = 0 }, { stdout = { equals = "out" } }]
[[case]]
name = "bad"
command = { argv = ["sh", "-c", "echo why >&2; exit 3"] }
[[case]]
name = "off"
skip = "needs a GPU"
command = { argv = ["true"] }
[[case]]
name = "known"
xfail = "not fixed yet"
command = { argv = ["false"] }
[[case]]
name = "mended"
xfail = "not fixed yet"
command = { argv = ["true"] }
"#;

#[test]
fn every_outcome_is_told_and_counted_and_the_exit_code_says_that_one_failed() {
    let run = Folder::with(SUITE).run(&[]);
    assert_eq!(run.code, Some(1));
    let outcomes: Vec<_> =
        run.tests().iter().map(|t| t["outcome"].as_str().unwrap().to_owned()).collect();
    assert_eq!(outcomes, ["passed", "failed", "skipped", "xfailed", "xpassed"]);
    assert_eq!(run.test("bad")["reason"], "expected {\"exit\":0}, found 3");
    assert_eq!(run.test("off")["reason"], "needs a GPU");
    assert_eq!(run.lines.first().unwrap()["record"], "run_start");
    assert_eq!(run.lines.last().unwrap()["record"], "run_end");
    let counts = &run.end()["counts"];
    for outcome in ["passed", "failed", "skipped", "xfailed", "xpassed"] {
        assert_eq!(counts[outcome], 1, "{outcome}");
    }
    assert!(
        run.stderr.contains("1 passed, 1 failed, 1 skipped, 1 xfailed, 1 xpassed in"),
        "{}",
        run.stderr
    );
}

#[test]
fn all_that_passes_skips_or_fails_as_expected_is_success() {
    let run = Folder::with(SUITE).run(&["-k", "not bad"]);
    assert_eq!((run.code, run.tests().len()), (Some(0), 4));
}

#[test]
fn a_run_stops_after_the_first_failure_when_asked_to() {
    let run = Folder::with(SUITE).run(&["-x"]);
    assert_eq!((run.code, run.tests().len()), (Some(1), 2));
    assert_eq!(run.end()["not_run"], 3);
    assert_eq!(run.end()["interrupted"], false);
}

#[test]
fn collecting_prints_ids_and_runs_nothing() {
    let folder = Folder::with(SUITE);
    let output =
        folder.runner().args(["--collect-only", "-m", "fast or slow", "s.toml"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "s::good\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_case_can_be_named_after_the_file() {
    let folder = Folder::with(SUITE);
    let output = folder.runner().args(["s.toml::good", "s.toml::off"]).output().unwrap();
    let run = crate::common::Run::of(output);
    assert_eq!((run.code, run.tests().len()), (Some(0), 2));
}

#[test]
fn what_cannot_be_understood_is_one_line_and_exits_4() {
    let folder = Folder::with(SUITE);
    std::fs::write(
        folder.path().join("bad.toml"),
        "suite = 1\n[[case]]\nname = 'x'\ncomand = {}\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("empty.toml"), "").unwrap();
    for (arguments, what) in [
        (&["no.toml"][..], "runner: no.toml: cannot read: No such file"),
        (
            &["bad.toml"],
            "runner: bad.toml:4:1: case[0].comand: unknown key \"comand\": did you mean \"command\"?",
        ),
        (&["empty.toml"], "runner: empty.toml"),
        (&["s.toml", "--colect-only"], "did you mean --collect-only?"),
        (&["s.toml", "-k", "a and"], "a word is missing at the end"),
        (&["s.toml", "--emit", "xml"], "for '--emit <FORMAT>' (known: mlx-knife)"),
        (&["s.toml::good", "s.toml::god"], "s.toml::god: there is no such case"),
        (&["s.toml", "-o", "s.toml"], "is both an input and the output"),
        (&["s.toml", "bad.toml"], "one suite in a run"),
        (&[], "missing argument: <SUITE[::CASE[params]]>..."),
    ] {
        let output = folder.runner().args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {stderr}");
        assert!(stderr.contains(what), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn nothing_selected_is_said_and_exits_5() {
    let run = Folder::with(SUITE).run(&["-k", "nonsense"]);
    assert_eq!(run.code, Some(5));
    assert_eq!(run.stderr, "runner: s.toml: nothing is selected\n");
}

#[test]
fn results_that_were_measured_survive_a_run_that_runs_nothing() {
    let folder = Folder::with(SUITE);
    let old = folder.path().join("old.jsonl");
    std::fs::write(&old, "{}\n").unwrap();
    assert_eq!(folder.run(&["-k", "nonsense", "-o", "old.jsonl"]).code, Some(5));
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "{}\n");
}

#[test]
fn an_output_that_cannot_be_made_is_found_before_anything_runs() {
    let folder =
        Folder::with("suite = 1\n[[case]]\nname = 'a'\ncommand = { argv = ['touch', 'ran'] }\n");
    let run = folder.run(&["-o", "/nonexistent/x"]);
    assert_eq!(run.code, Some(74), "{}", run.stderr);
    assert!(!folder.path().join("ran").exists());
}

#[test]
fn the_run_of_memmon_is_taken_over() {
    let folder = Folder::with(SUITE);
    let output = folder.runner().arg("s.toml").env("MEMMON_RUN", "r-1").output().unwrap();
    let run = crate::common::Run::of(output);
    assert!(run.lines.iter().all(|line| line["run"] == "r-1"));
}

#[test]
fn help_has_examples_and_completions_are_printed() {
    let folder = Folder::with(SUITE);
    let help = folder.runner().arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("Examples:") && text.contains("Exit codes:"), "{text}");
    let script = folder.runner().args(["--completions", "bash"]).output().unwrap();
    assert!(String::from_utf8(script.stdout).unwrap().contains("complete -F _runner"));
}
