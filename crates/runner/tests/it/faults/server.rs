//! The life of a server: not started, not ready, dead, stubborn, chatty, left over.

use std::{fs, net::TcpListener};

use nix::unistd::Pid;
use serde_json::Value;

use super::{CHAT, TWO, error_of, lives, nothing_left};
use crate::common::Folder;

#[test]
fn a_command_that_does_not_exist_is_an_error_of_each_case_and_the_run_goes_on() {
    let folder = Folder::with(&format!(
        "suite = 1\n[backend.b]\nkind = 'llama-server'\ncommand = ['no-such-server']\n\
         [[model]]\nid = 'm'\nmodality = ['text']\non.b = {{}}\n{TWO}\n\
         [[case]]\nname = 'alone'\ncommand = {{ argv = ['true'] }}\n"
    ));
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(1));
    for case in ["first", "second"] {
        assert_eq!(run.test(case)["error"]["kind"], "backend_not_started");
        assert!(run.test(case)["reason"].as_str().unwrap().contains("cannot start no-such-server"));
        // It did not run, so there is no duration to be averaged into anything.
        assert!(run.test(case).get("duration_s").is_none());
    }
    assert_eq!(run.test("alone")["outcome"], "passed");
    assert_eq!(run.end()["counts"]["error"], 2);
}

#[test]
fn a_server_that_exits_while_loading_is_told_with_code_and_log() {
    let (run, kind, message) = error_of("exit", CHAT);
    assert_eq!(kind, "backend_died");
    assert_eq!(message, "the backend ended with exit code 7 before it was ready");
    let error = &run.test("chat")["error"];
    assert_eq!(
        (error["exit"].as_i64(), error["log_tail"][0].as_str()),
        (Some(7), Some("no such model"))
    );
    assert!(error["memory"]["ram_free_gb"].as_f64().unwrap() > 0.0);
    let load = run.of_kind("span").find(|span| span["phase"] == "load").unwrap();
    assert_eq!(load["error"]["kind"], "backend_died");
}

#[test]
fn a_server_that_never_becomes_ready_is_stopped() {
    for fault in ["never-ready", "deaf"] {
        let folder = Folder::faulty(fault, CHAT);
        let suite = fs::read_to_string(folder.path().join("s.toml")).unwrap();
        fs::write(folder.path().join("s.toml"), suite.replace("\"15s\"", "\"3s\"")).unwrap();
        let run = folder.run(&[]);
        nothing_left(&run);
        let error = &run.test("chat")["error"];
        assert_eq!(error["kind"], "not_ready");
        let why =
            if fault == "deaf" { "it never took a connection" } else { "/health answers 503" };
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
}

#[test]
fn a_server_that_dies_during_a_request_is_started_again_for_the_next_case() {
    let (run, kind, message) = error_of("die", TWO);
    assert_eq!(kind, "backend_died");
    assert_eq!(message, "the backend died during the request, with exit code 3");
    assert_eq!(
        run.test("first")["error"]["log_tail"].as_array().unwrap().last().unwrap(),
        "about to die"
    );
    assert!(run.test("first")["error"]["memory"]["ram_free_gb"].as_f64().is_some());
    // The second case had a server of its own, and met the same fault.
    assert_eq!(run.test("second")["error"]["exit"], 3);
    assert_eq!(run.of_kind("span").filter(|span| span["phase"] == "load").count(), 2);

    let (run, ..) = error_of("kill", CHAT);
    assert_eq!(run.test("chat")["error"]["signal"], 9);
}

#[test]
fn a_server_that_ends_between_cases_is_started_again_for_the_next() {
    let between =
        "[[case]]\nname = 'between'\ncommand = { argv = ['sleep', '0.5'] }\nneeds = ['text']\n";
    let second = "[[case]]\nname = 'second'\nrequest = { api = 'chat', prompt = 'hi' }\n";
    let run = Folder::faulty("die-after", &[CHAT, between, second].concat()).run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let loads: Vec<&Value> = run.of_kind("span").filter(|span| span["phase"] == "load").collect();
    assert_eq!(loads.len(), 2);
    assert_ne!(loads[0]["pid"], loads[1]["pid"]);
    nothing_left(&run);
}

#[test]
fn a_port_that_somebody_has_is_said_and_nothing_is_started_on_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = Folder::faulty("none", CHAT);
    let suite = fs::read_to_string(folder.path().join("s.toml")).unwrap();
    fs::write(
        folder.path().join("s.toml"),
        suite
            .replace("[[model]]", &format!("port = {port}\n[[model]]"))
            .replace("stop = { grace = \"1s\" }\nport", "port"),
    )
    .unwrap();
    let run = folder.run(&[]);
    assert_eq!(run.test("chat")["error"]["kind"], "port_in_use", "{}", run.stderr);
    assert!(run.test("chat")["reason"].as_str().unwrap().contains(&port.to_string()));
}

#[test]
fn grandchildren_and_stubborn_servers_end_with_the_run() {
    for fault in ["child", "stubborn"] {
        let run = Folder::faulty(fault, CHAT).run(&[]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        nothing_left(&run);
        let pid = run.of_kind("span").find_map(|span| span["pid"].as_i64()).unwrap();
        // The group has the server's id: nobody answers to it any more.
        let group = nix::sys::signal::killpg(Pid::from_raw(i32::try_from(pid).unwrap()), None);
        assert!(group.is_err(), "{fault}: the group of {pid} lives on");
    }
}

#[test]
fn a_server_on_localhost_by_name_has_a_spawn_of_its_own() {
    let folder = Folder::faulty("none", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    fs::write(&path, suite.replace("ready =", "host = \"localhost\"\nready =")).unwrap();
    let run = folder.run(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let length = |phase: &str| {
        let span = run.of_kind("span").find(|span| span["phase"] == phase).unwrap();
        span["duration_s"].as_f64().unwrap()
    };
    assert!(length("spawn") < length("load"));
}

#[test]
fn an_expected_failure_may_be_that_the_backend_does_not_load() {
    let cases = CHAT.replace("name = \"chat\"", "name = \"chat\"\nxfail = \"too large\"");
    let run = Folder::faulty("exit", &cases).run(&[]);
    assert_eq!((run.code, run.test("chat")["outcome"].as_str()), (Some(0), Some("xfailed")));
    assert_eq!(run.test("chat")["error"]["kind"], "backend_died");
}

#[test]
fn a_command_that_needs_no_server_does_not_fail_with_it() {
    let cases = "[[case]]\nname = 'c'\nneeds = ['text']\ncommand = { argv = ['echo', '{model.id}'] }\nexpect = [{ stdout = { equals = 'm' } }]";
    let run = Folder::faulty("exit", &format!("{CHAT}\n{cases}")).run(&[]);
    assert_eq!(run.test("chat")["outcome"], "error");
    assert_eq!(run.test("c")["outcome"], "passed", "{}", run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_daemon_that_left_its_group_and_has_the_port_is_ended_too() {
    let folder = Folder::faulty("daemon", CHAT);
    let run = folder.run(&[]);
    assert_eq!(run.test("chat")["outcome"], "passed", "{}", run.stderr);
    let stop = run.of_kind("span").find(|span| span["phase"] == "stop").unwrap();
    assert!(stop.get("error").is_none(), "the port is free again: {stop}");
    let log = fs::read_to_string(folder.path().join(stop["log"].as_str().unwrap())).unwrap();
    let daemon = log.lines().find_map(|line| line.strip_prefix("daemon ")).unwrap();
    assert!(!lives(daemon.parse().unwrap()));
    nothing_left(&run);
}

#[test]
fn a_port_that_is_not_free_after_the_stop_is_said() {
    let run = Folder::faulty("hidden", CHAT).run(&[]);
    assert_eq!(run.test("chat")["outcome"], "passed", "{}", run.stderr);
    let stop = run.of_kind("span").find(|span| span["phase"] == "stop").unwrap();
    assert_eq!(stop["error"]["kind"], "port_in_use", "{} {stop}", run.stderr);
}

#[test]
fn a_server_that_dies_of_its_first_token_was_not_loaded() {
    let (run, kind, message) = error_of("die-first", TWO);
    assert_eq!(kind, "backend_died");
    assert_eq!(message, "the backend died at its first token, with exit code 9");
    assert_eq!(run.of_kind("span").filter(|span| span["phase"] == "load").count(), 1);
}

#[test]
fn a_server_that_prints_too_much_does_not_fill_the_disk() {
    let folder = Folder::faulty("chatty", CHAT);
    let run = folder.run(&[]);
    assert_eq!(run.test("chat")["outcome"], "passed", "{}", run.stderr);
    let stop = run.of_kind("span").find(|span| span["phase"] == "stop").unwrap();
    let log = fs::read_to_string(folder.path().join(stop["log"].as_str().unwrap())).unwrap();
    assert!(log.len() < 9_000_000, "{}", log.len());
    assert!(log.starts_with("line 0 of") && log.contains("bytes left out by the runner"));
    assert!(log.contains("\nline 399999 of") && log.contains("\nstarted "));
}

#[test]
fn a_load_says_when_the_first_token_came_and_whether_the_file_was_in_memory() {
    let folder = Folder::faulty("none", CHAT);
    let suite = fs::read_to_string(folder.path().join("s.toml")).unwrap();
    fs::write(folder.path().join("m.gguf"), vec![1; 1 << 20]).unwrap();
    let placed = suite.replace("notes = \"a mock\"", "path = \"m.gguf\"");
    fs::write(folder.path().join("s.toml"), placed).unwrap();
    let run = folder.run(&[]);
    let load = run.of_kind("span").find(|span| span["phase"] == "load").unwrap();
    assert!(load["first_token_s"].as_f64().unwrap() > load["duration_s"].as_f64().unwrap());
    assert_eq!(load["page_cache"], "warm");
    assert_eq!(run.test("chat")["backend"]["version"], "b8994-aab68217b");
    assert_eq!(run.test("chat")["model"]["size_gb"], 0.001);
}
