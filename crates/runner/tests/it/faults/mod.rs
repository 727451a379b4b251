//! When things break: each fault is provoked with a real process, and the run
//! survives it, says what it was, and leaves nothing behind.

mod answers;
mod attached;
mod ending;
mod keys;
mod server;

use std::fs;

use nix::{sys::signal::kill, unistd::Pid};

use crate::common::{Folder, Run};

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
