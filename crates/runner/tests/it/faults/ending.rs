//! The end of a run: by a signal, by a reader that leaves, by a full disk.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{CHAT, TWO, lives, nothing_left};
use crate::common::{Folder, Run};

#[test]
fn an_interrupt_stops_the_request_the_server_and_the_run_in_good_order() {
    let folder = Folder::faulty("hang", TWO);
    let mut child =
        folder.runner().arg("s.toml").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Wait for the test to begin, so that the signal hits a request in flight.
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let begun = line.contains("\"record\":\"begin\"") && line.contains("first");
        seen.push(line);
        if begun {
            break;
        }
    }
    let start = Instant::now();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    seen.extend(lines.map(Result::unwrap));
    let code = child.wait().unwrap().code();
    assert!(start.elapsed() < Duration::from_secs(8));
    let run = Run {
        code,
        stderr: String::new(),
        lines: seen.iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    assert_eq!(run.code, Some(2));
    assert_eq!(run.test("first")["error"]["kind"], "interrupted");
    assert_eq!(run.tests().len(), 1);
    assert_eq!(run.end()["interrupted"], true);
    assert_eq!((run.end()["not_run"].as_u64(), run.end()["exit"].as_u64()), (Some(1), Some(2)));
    nothing_left(&run);
}

#[test]
fn a_second_interrupt_ends_a_run_whose_reader_has_stopped_reading() {
    // More than a pipe holds, and nobody takes it.
    let case = "[[case]]\nname = 'print'\nparametrize.n = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nneeds = ['text']\n\
                metadata = { filler = 'FILLER' }\nrequest = { api = 'chat', prompt = 'hi {n}' }\n";
    let folder = Folder::faulty("none", &case.replace("FILLER", &"x".repeat(20_000)));
    let mut child =
        folder.runner().arg("s.toml").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let log = || {
        let files = fs::read_dir(folder.path().join(".runner/logs")).ok()?;
        let path =
            files.flatten().find(|f| f.path().extension().is_some_and(|e| e == "log"))?.path();
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("started ")?.parse::<i64>().ok())
    };
    let server = loop {
        assert!(started.elapsed() < Duration::from_secs(20));
        match log() {
            Some(pid) => break pid,
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    thread::sleep(Duration::from_secs(2));
    let signal = || kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    signal();
    thread::sleep(Duration::from_millis(500));
    signal();
    let second = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(second.elapsed() < Duration::from_secs(20), "it did not end");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(2));
    // It was killed, and whoever inherits it may take a moment to bury it.
    while lives(server) {
        assert!(second.elapsed() < Duration::from_secs(20), "the server is gone");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_runner_that_is_killed_takes_its_server_along() {
    let folder = Folder::faulty("hang", CHAT);
    let mut child =
        folder.runner().arg("s.toml").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let span = lines
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
        .find(|line| line["record"] == "span" && line["phase"] == "load")
        .unwrap();
    let server = span["pid"].as_i64().unwrap();
    assert!(lives(server));
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while lives(server) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!lives(server), "server {server} outlived the runner");
}

#[test]
fn when_nobody_reads_the_results_the_server_is_stopped_and_it_is_said() {
    let folder = Folder::faulty("none", TWO);
    let mut child = folder
        .runner()
        .arg("s.toml")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    // The reader is dropped here; the next record meets a closed pipe.
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{stderr}");
    assert!(stderr.contains("runner: cannot write: standard output"), "{stderr}");
}

#[test]
fn a_disk_that_is_full_is_said_once_and_nothing_is_left() {
    let folder = Folder::faulty("none", CHAT);
    let run = folder.run(&["-o", "/dev/full"]);
    assert_eq!(run.code, Some(74), "{}", run.stderr);
    assert_eq!(run.stderr.matches("runner: cannot write: /dev/full").count(), 1, "{}", run.stderr);
}
