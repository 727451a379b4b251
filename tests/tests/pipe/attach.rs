//! The kind `openai`, attached to a real server that somebody else runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::tools::{backend, root, stderr, tool};

/// A llama.cpp server of the test's own.
struct Own(Child);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_runs_already_is_used_and_left_running() {
    backend();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let model = root().join("target/backends/models/SmolLM2-135M-Instruct.Q4_1.gguf");
    let mut child = Command::new(root().join("examples/backends/llama-server"))
        .args(["-m", model.to_str().unwrap(), "--port", &port.to_string(), "-c", "1024"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.starts_with("listening on"), "{ready}");
    let mut server = Own(child);

    let folder = tempfile::tempdir().unwrap();
    let suite = folder.path().join("attached.toml");
    fs::write(
        &suite,
        r#"
suite = 1
defaults = { temperature = 0.0, seed = 1 }
[backend.lab]
kind = "openai"
url = "${LAB_URL}/v1"
[[model]]
id = "smollm2"
modality = ["text"]
on.lab = { name = "any" }
[[case]]
name = "sum"
needs = ["text"]
request = { api = "chat", stream = true, prompt = "What is 2+2? Answer with a number.", max_tokens = 16 }
expect = [{ text = { contains = "4" } }, { completion_tokens = { min = 1, max = 16 } }, { sse = true }]
[[case]]
name = "health"
needs = ["text"]
command = { argv = ["python3", "-c", "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).status)", "{url}/health"] }
expect = [{ stdout = { equals = "200" } }]
"#,
    )
    .unwrap();
    let output = tool("runner")
        .arg(&suite)
        .args(["--state-dir", folder.path().to_str().unwrap()])
        .env("LAB_URL", format!("http://127.0.0.1:{port}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let phases: Vec<&Value> =
        lines.iter().filter(|l| l["record"] == "span").map(|l| &l["phase"]).collect();
    // It was neither started nor stopped by us, so there is nothing to say of that.
    assert_eq!(phases, ["test"]);
    assert!(
        !text.contains(&format!("127.0.0.1:{port}")),
        "the address came from the environment and is not recorded"
    );
    assert!(server.0.try_wait().unwrap().is_none(), "the server still runs");
}
