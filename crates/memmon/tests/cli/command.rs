//! How the command is started, and what memmon exits with.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::{errors, memmon, run, run_script, written};

#[test]
fn the_exit_code_is_that_of_the_command() {
    for code in [0, 3, 255] {
        let output = run_script(&[], &format!("exit {code}"));
        assert_eq!(output.status.code(), Some(code));
        let child = written(&output.stdout).summary.child.unwrap();
        assert_eq!((child.exit, child.signal), (Some(code), None));
        assert!(child.rusage.unwrap().max_rss_gb > 0.0);
    }
}

#[test]
fn a_command_killed_by_signal_9_gives_137() {
    let output = run_script(&[], "kill -9 $$");
    assert_eq!(output.status.code(), Some(137));
    let child = written(&output.stdout).summary.child.unwrap();
    assert_eq!((child.exit, child.signal), (None, Some(9)));
}

#[test]
fn a_command_that_is_not_there_gives_127_and_one_that_cannot_be_executed_126() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plain");
    fs::write(&file, "x").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for (command, code) in [("no-such-command", 127), (file.to_str().unwrap(), 126)] {
        let output = run(&["--", command]);
        assert_eq!(output.status.code(), Some(code));
        assert!(errors(&output).starts_with(&format!("memmon: cannot run: {command}: ")));
        assert_eq!(errors(&output).lines().count(), 1);
        let child = written(&output.stdout).summary.child.unwrap();
        assert!(child.error.is_some() && child.exit.is_none());
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error_of_one_line() {
    for args in [
        &["-i", "0"][..],
        &["-i", "0.5"],
        &["-i", "60001"],
        &["-d", "0"],
        &["--pid", "1", "--", "true"],
        &["--no-such-option"],
        &["--emit", "yaml"],
        &["--doctor", "--", "true"],
        &["--dump"],
        &["--prometheus", "nowhere"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(errors(&output).starts_with("memmon: ") && errors(&output).lines().count() == 1);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_shows_examples_signals_and_exit_codes() {
    let output = run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for part in ["memmon -- runner suite.toml", "Signals:", "Exit codes:", "MEMMON_RUN"] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn an_output_that_cannot_be_made_is_found_before_the_command_starts() {
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("started");
    let missing = dir.path().join("missing/out.jsonl");
    let output = run_script(
        &["-o", missing.to_str().unwrap()],
        &format!("touch {}", marker.to_str().unwrap()),
    );
    assert_eq!(output.status.code(), Some(125));
    assert!(errors(&output).starts_with("memmon: cannot write: "));
    assert!(!marker.exists());
}

#[test]
fn with_o_the_commands_output_is_its_own_and_the_lines_are_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("samples.jsonl");
    let output =
        run_script(&["-o", file.to_str().unwrap()], r#"echo text; echo '{"a":1}'; printf end"#);
    assert_eq!(output.stdout, b"text\n{\"a\":1}\nend");
    assert!(output.stderr.is_empty());
    let lines = written(&fs::read(&file).unwrap());
    assert!(lines.samples.len() >= 2 && lines.others.is_empty());
}

#[test]
fn the_command_gets_the_id_of_this_run_also_under_another_memmon() {
    let output = memmon(&["--", "sh", "-c", r#"echo "{\"run\":\"$MEMMON_RUN\"}""#])
        .env(pipe::RUN_VARIABLE, "outer")
        .output()
        .unwrap();
    let lines = written(&output.stdout);
    let run = &lines.stream.run;
    assert_eq!(lines.others, format!("{{\"run\":\"{run}\"}}\n").as_bytes());
    assert_eq!(uuid::Uuid::parse_str(run).unwrap().get_version_num(), 7);
    assert!(lines.samples.iter().all(|sample| sample.run == *run));
    assert_eq!(lines.summary.run, *run);
}

#[test]
fn standard_input_is_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in");
    fs::write(&input, "{\"from\":\"stdin\"}\n").unwrap();
    let output = memmon(&["--", "cat"]).stdin(fs::File::open(&input).unwrap()).output().unwrap();
    assert_eq!(written(&output.stdout).others, b"{\"from\":\"stdin\"}\n");
}
