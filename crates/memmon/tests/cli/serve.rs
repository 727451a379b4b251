//! The last sample over HTTP.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Running, errors, memmon, run, run_script, written};

/// memmon, and the address that it says it serves at.
fn serving(args: &[&str]) -> (Running, String) {
    let mut running = Running::start(&mut memmon(&[&["--prometheus", ":0"], args].concat()));
    let mut said = String::new();
    BufReader::with_capacity(1, running.0.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().strip_prefix("memmon: serving http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap().to_owned();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    (running, address)
}

/// Sends `request`; the head and the body of the answer.
fn ask(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn get(address: &str, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

#[test]
fn metrics_are_the_last_sample_in_the_text_format() {
    let (running, address) = serving(&["-i", "20"]);
    thread::sleep(Duration::from_millis(300));
    let (head, body) = get(&address, "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");

    // The grammar: HELP, TYPE, then the values of that name; each name once.
    let mut seen = BTreeSet::new();
    let mut current = String::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(seen.insert(name.to_owned()) && !help.is_empty(), "{line}");
            current = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next().unwrap(), current);
            assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
        }
    }
    for name in ["memmon_ram_free_bytes", "memmon_cpu_user_ratio", "memmon_samples_total"] {
        assert!(seen.contains(name), "{name} in {body}");
    }

    // A second look is at a later sample, and is the line that is written.
    let seq = |body: &str| serde_json::from_str::<Value>(body).unwrap()["seq"].as_u64().unwrap();
    let (_, first) = get(&address, "/json");
    thread::sleep(Duration::from_millis(200));
    let (head, second) = get(&address, "/json?pretty");
    assert!(head.contains("application/json") && seq(&second) > seq(&first), "{head}");
    running.signal(Signal::SIGTERM);
    let (_, out) = running.end();
    assert!(String::from_utf8(out).unwrap().contains(&second), "the line itself");
}

#[test]
fn what_is_not_there_or_not_asked_for_with_get_is_refused() {
    let (running, address) = serving(&["-i", "1000"]);
    thread::sleep(Duration::from_millis(100));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("GET /metricsx HTTP/1.1\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405"),
        ("DELETE /json HTTP/1.0\r\n\r\n", "405"),
        ("no request at all\r\n\r\n", "400"),
    ] {
        let (head, _) = ask(&address, request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {head}");
    }
    let (head, body) = ask(&address, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("Content-Length: 0"), "{head}");
    assert!(body.is_empty());
    // One who says nothing is not waited for.
    let silent = TcpStream::connect(&address).unwrap();
    assert!(get(&address, "/json").0.starts_with("HTTP/1.1 200 "));
    drop(silent);
    running.signal(Signal::SIGINT);
    assert_eq!(running.end().0.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_one_error_before_the_command_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("started");
    let file = dir.path().join("out.jsonl");
    std::fs::write(&file, "kept").unwrap();
    let output = run_script(
        &["--prometheus", &address, "-o", file.to_str().unwrap()],
        &format!("touch {}", marker.display()),
    );
    assert_eq!(output.status.code(), Some(125));
    let said = errors(&output);
    assert!(said.starts_with(&format!("memmon: cannot serve: {address}: ")), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert!(!marker.exists() && output.stdout.is_empty());
    assert_eq!(std::fs::read(&file).unwrap(), b"kept", "no output was made anew");
}

#[test]
fn one_who_asks_without_end_does_not_disturb_the_sampling() {
    let (running, address) = serving(&["-i", "10"]);
    let asking = thread::spawn(move || {
        let mut answers = 0;
        // Until memmon ends, and the address with it.
        while let Ok(mut stream) = TcpStream::connect(&address) {
            let mut answer = String::new();
            let asked = stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
            if asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && !answer.is_empty()
            {
                answers += 1;
            }
        }
        answers
    });
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGTERM);
    let (status, out) = running.end();
    let answers = asking.join().unwrap();
    assert_eq!(status.code(), Some(0));
    let lines = written(&out);
    assert!(answers > 50, "{answers}");
    assert!(lines.samples.len() > 50, "{} samples beside {answers} answers", lines.samples.len());
}

#[test]
fn the_command_does_not_inherit_the_port() {
    let script = r#"
import os, stat
sockets = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")
           and stat.S_ISSOCK(os.fstat(fd).st_mode)]
assert not sockets, sockets
"#;
    let output = run(&["--prometheus", "0", "--", "python3", "-c", script]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
}
