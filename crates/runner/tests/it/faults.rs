//! When things break: each fault is provoked with a real process, and the run
//! survives it, says what it was, and leaves nothing behind.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::common::{Folder, Run};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const CHAT: &str = r#"
[[case]]
name = "chat"
request = { api = "chat", prompt = "hi" }
expect = [{ text = { not_empty = true } }]
"#;

const TWO: &str = r#"
[[case]]
name = "first"
request = { api = "chat", prompt = "hi" }
[[case]]
name = "second"
request = { api = "chat", prompt = "hi" }
"#;

fn lives(pid: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), None).is_ok() && !stat.contains(") Z ")
}

/// No process that the run started is left.
fn nothing_left(run: &Run) {
    for span in run.of_kind("span") {
        if let Some(pid) = span["pid"].as_i64() {
            assert!(!lives(pid), "process {pid} outlived the run");
        }
    }
}

fn error_of(fault: &str, cases: &str) -> (Run, String, String) {
    let run = Folder::faulty(fault, cases).run(&[]);
    nothing_left(&run);
    let test = run.tests()[0].clone();
    assert_eq!(test["outcome"], "error", "{}", run.stderr);
    let text = |key: &str| test["error"][key].as_str().unwrap().to_owned();
    assert_eq!(run.code, Some(1));
    (run, text("kind"), text("message"))
}

#[test]
fn a_server_that_works_passes_so_that_the_faults_below_mean_something() {
    let run = Folder::faulty("none", CHAT).run(&[]);
    assert_eq!((run.code, run.test("chat")["outcome"].as_str()), (Some(0), Some("passed")));
    let phases: Vec<_> = run.of_kind("span").map(|span| span["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["spawn", "load", "test", "stop"]);
    assert_eq!(run.end()["counts"]["passed"], 1);
    nothing_left(&run);
}

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
fn a_request_that_is_never_answered_times_out() {
    let cases = CHAT.replace("name = \"chat\"", "name = \"chat\"\ntimeout = \"300ms\"");
    let (_, kind, message) = error_of("hang", &cases);
    assert_eq!((kind.as_str(), message.as_str()), ("timeout", "no complete answer within 300ms"));
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error_and_not_a_failure() {
    let stream = CHAT.replace("prompt = \"hi\"", "prompt = \"hi\", stream = true");
    for (fault, cases, kind, what) in [
        ("garbage", CHAT, "bad_answer", "the answer is not JSON"),
        ("no-choices", CHAT, "bad_answer", "the answer has no choices"),
        ("500", CHAT, "http_status", "HTTP status 500: cuda went away"),
        ("half", stream.as_str(), "bad_answer", "the stream ended early"),
        ("reset", CHAT, "connection", "connection"),
    ] {
        let (_, got, message) = error_of(fault, cases);
        assert_eq!(got, kind, "{fault}: {message}");
        assert!(message.contains(what), "{fault}: {message}");
    }
}

#[test]
fn an_expected_status_is_no_error() {
    let run = Folder::faulty("500", "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ status = 500 }]").run(&[]);
    assert_eq!(run.test("c")["outcome"], "passed");
}

#[test]
fn a_metric_that_is_not_reported_makes_an_error_and_not_a_pass() {
    let cases = "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ completion_tokens = { max = 9 } }]";
    let (run, kind, _) = error_of("no-usage", cases);
    assert_eq!(kind, "missing_metric");
    assert!(run.test("c")["metrics"].get("completion_tokens").is_none());
}

#[test]
fn the_first_token_is_the_first_with_content_and_comments_are_nothing() {
    let cases = "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi', stream = true }\nexpect = [{ sse = true }, { chunks = { min = 2, max = 2 } }, { text = { equals = 'hello' } }]";
    let run = Folder::faulty("role-first", cases).run(&[]);
    let test = run.test("c");
    assert_eq!(test["outcome"], "passed", "{test}");
    // 50 ms, a comment, the role and a comment more at 20 ms each come before it.
    assert!(test["metrics"]["ttft_s"].as_f64().unwrap() > 0.105, "{}", test["metrics"]);
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

#[test]
fn a_key_is_sent_and_never_written_anywhere() {
    let folder = Folder::faulty("echo-key", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    let suite = suite
        .replace(
            "ready =",
            "api_key_env = \"TEST_KEY\"\nenv = { SECRET = \"${TEST_KEY}\" }\nready =",
        )
        .replace("{port}\"]", "{port}\", \"--key=${TEST_KEY}\"]")
        .replace("not_empty = true", "contains = \"Bearer s3cr3t\"");
    fs::write(&path, suite).unwrap();
    let missing = folder.run(&[]);
    assert!(missing.test("chat")["reason"].as_str().unwrap().contains("TEST_KEY is not set"));

    let output = folder.runner().arg("s.toml").env("TEST_KEY", "s3cr3t").output().unwrap();
    let run = Run::of(output);
    // The mock answers with the header, so that it passes shows that the key was sent.
    assert_eq!(run.test("chat")["outcome"], "passed", "{}", run.stderr);
    let command = run.test("chat")["backend"]["command"].to_string();
    assert!(command.contains("--key=${TEST_KEY}"), "{command}");
    for line in run.lines.iter().filter(|line| line["record"] != "run_start") {
        // The expectation that the suite itself states is the only place for it.
        let mut line = line.clone();
        line["checks"] = serde_json::Value::Null;
        assert!(!line.to_string().contains("s3cr3t"), "{line}");
    }
    assert_eq!(run.test("chat")["sample_output"], "Bearer ${TEST_KEY}");
    assert!(!run.stderr.contains("s3cr3t"), "{}", run.stderr);
}

#[test]
fn a_key_that_a_server_sends_back_with_an_error_is_not_written_either() {
    let folder = Folder::faulty("echo-401", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    fs::write(&path, suite.replace("ready =", "api_key_env = \"TEST_KEY\"\nready =")).unwrap();
    let output = folder.runner().arg("s.toml").env("TEST_KEY", "s3cr3t").output().unwrap();
    let everything = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(everything.contains("bad key Bearer ${TEST_KEY}"), "{everything}");
    assert!(!everything.contains("s3cr3t"), "{everything}");
}

#[test]
fn a_wrong_key_is_asked_with_once_and_not_for_three_minutes() {
    let folder = Folder::faulty("echo-401", CHAT);
    let path = folder.path().join("s.toml");
    let suite = fs::read_to_string(&path).unwrap();
    fs::write(&path, suite.replace("llama-server", "openai")).unwrap();
    let start = Instant::now();
    let run = folder.run(&[]);
    assert!(start.elapsed() < Duration::from_secs(10));
    let error = &run.test("chat")["error"];
    assert_eq!(error["kind"], "not_ready");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("will not be ready") && message.contains("401"), "{message}");
    nothing_left(&run);
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
fn a_status_that_is_not_the_expected_one_is_an_error() {
    let (run, kind, _) = error_of(
        "500",
        "[[case]]\nname = 'c'\nrequest = { api = 'chat', prompt = 'hi' }\nexpect = [{ status = 200 }]",
    );
    assert_eq!(kind, "http_status");
    assert!(run.test("c")["metrics"].is_null());
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

/// A server that runs already: nobody's but the test's.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ollama(fault: &str) -> (Running, Folder) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = std::process::Command::new("python3")
        .arg(crate::common::server())
        .args([fault, &port.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let folder = Folder::with(&format!(
        "suite = 1\n[backend.o]\nkind = 'ollama'\nurl = 'http://127.0.0.1:{port}'\n\
         ready = {{ timeout = '5s' }}\n\
         [[model]]\nid = 'm'\nmodality = ['text']\non.o = {{ tag = 'm:8b' }}\n{CHAT}"
    ));
    (Running(child), folder)
}

#[test]
fn an_attached_server_is_asked_to_load_the_model_and_left_running() {
    let (mut server, folder) = ollama("none");
    let run = folder.run(&[]);
    let test = run.test("chat");
    assert_eq!(test["outcome"], "passed", "{}", run.stderr);
    assert_eq!(test["backend"]["version"], "0.32.5");
    let model = &test["model"];
    assert_eq!(
        (model["params_b"].as_f64(), model["context"].as_u64()),
        (Some(8.030_261), Some(8192))
    );
    assert_eq!(model["quantization"], "Q4_0");
    let phases: Vec<_> = run.of_kind("span").map(|span| span["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["load", "test"], "it was neither started nor stopped");
    let load = run.of_kind("span").next().unwrap();
    assert!(load["duration_s"].as_f64().unwrap() >= 0.2, "{load}");
    assert!(server.0.try_wait().unwrap().is_none());
}

#[test]
fn a_model_that_an_attached_server_cannot_load_is_an_error_that_names_the_reason() {
    let (_server, folder) = ollama("no-model");
    let run = folder.run(&[]);
    let error = &run.test("chat")["error"];
    assert_eq!(error["kind"], "not_ready", "{}", run.stderr);
    assert!(error["message"].as_str().unwrap().contains("model 'm' not found"), "{error}");
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
    assert!(!lives(server), "the server is gone");
}
