//! Servers that run already.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::Stdio,
};

use super::CHAT;
use crate::common::Folder;

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
