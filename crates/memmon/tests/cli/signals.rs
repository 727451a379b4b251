//! Signals from outside.

use std::{
    os::unix::process::CommandExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, killpg};

use crate::support::{Running, memmon, run, written};

/// Counts a signal, gives further ones a moment to come, and says how many came.
const COUNTER: &str = r#"
import json, os, signal, sys, time
count = 0
def seen(number, frame):
    global count
    count += 1
signal.signal(getattr(signal, "SIG" + sys.argv[1]), seen)
print("ready", file=sys.stderr, flush=True)
end = time.monotonic() + 10
while not count and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.3)
print(json.dumps({"count": count}), flush=True)
sys.exit(5)
"#;

fn counter(signal: &str) -> Running {
    let mut command = memmon(&["-i", "50", "--", "python3", "-c", COUNTER, signal]);
    let mut running = Running::start(command.process_group(0));
    running.wait_until_ready();
    running
}

#[test]
fn a_command_that_dies_of_ctrl_c_gives_130() {
    let mut command = memmon(&["--", "sh", "-c", "echo ready >&2; sleep 10"]);
    let mut running = Running::start(command.process_group(0));
    running.wait_until_ready();
    killpg(running.pid(), Signal::SIGINT).unwrap();
    let (status, out) = running.end();
    assert_eq!(status.code(), Some(130));
    assert_eq!(written(&out).summary.child.unwrap().signal, Some(2));
}

#[test]
fn what_another_process_sends_is_passed_on_once() {
    for (name, signal) in [
        #[cfg(target_os = "linux")]
        ("INT", Signal::SIGINT),
        #[cfg(target_os = "linux")]
        ("QUIT", Signal::SIGQUIT),
        ("TERM", Signal::SIGTERM),
        ("HUP", Signal::SIGHUP),
        ("USR1", Signal::SIGUSR1),
        ("USR2", Signal::SIGUSR2),
    ] {
        let running = counter(name);
        running.signal(signal);
        let (status, out) = running.end();
        assert_eq!(status.code(), Some(5), "{name}");
        assert_eq!(written(&out).others, b"{\"count\": 1}\n", "{name}");
    }
}

#[test]
fn a_second_term_kills_after_five_seconds() {
    let script = "trap '' TERM; echo ready >&2; while :; do sleep 0.1; done";
    let mut running = Running::start(&mut memmon(&["--", "sh", "-c", script]));
    running.wait_until_ready();
    running.signal(Signal::SIGTERM);
    thread::sleep(Duration::from_millis(700));
    assert!(running.0.try_wait().unwrap().is_none(), "one is not enough");
    let second = Instant::now();
    running.signal(Signal::SIGTERM);
    let (status, out) = running.end();
    assert!(second.elapsed() >= Duration::from_secs(5));
    assert_eq!(status.code(), Some(137));
    assert_eq!(written(&out).summary.child.unwrap().signal, Some(9));
}

#[test]
fn a_term_is_passed_on_although_nobody_reads() {
    let script = r#"
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", file=sys.stderr, flush=True)
while True:
    print('{"pad":"' + "x" * 1000 + '"}')
"#;
    let mut running = Running::start(&mut memmon(&["-i", "1", "--", "python3", "-c", script]));
    running.wait_until_ready();
    thread::sleep(Duration::from_millis(500));
    running.signal(Signal::SIGTERM);
    thread::sleep(Duration::from_millis(300));
    let (status, out) = running.end();
    assert_eq!(status.code(), Some(7));
    assert_eq!(written(&out).summary.child.unwrap().exit, Some(7));
}

#[test]
fn without_a_command_int_and_term_end_the_sampling_with_a_summary() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let running = Running::start(&mut memmon(&["-i", "20"]));
        thread::sleep(Duration::from_millis(300));
        running.signal(signal);
        let (status, out) = running.end();
        assert_eq!(status.code(), Some(0), "{signal}");
        let lines = written(&out);
        assert!(lines.samples.len() >= 2 && lines.summary.child.is_none());
    }
}

#[test]
fn a_second_signal_ends_one_that_waits_for_a_reader_who_does_not_read() {
    let mut running = Running::start(&mut memmon(&["-i", "1"]));
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGTERM);
    thread::sleep(Duration::from_millis(300));
    assert!(running.0.try_wait().unwrap().is_none(), "its lines are not lost for one");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait().code(), Some(143));
}

#[test]
fn a_signal_that_was_ignored_stays_ignored_for_the_command_too() {
    // As under nohup.
    let memmon = env!("CARGO_BIN_EXE_memmon");
    let output = Command::new("sh")
        .args([
            "-c",
            &format!(
                r#"trap '' HUP; exec {memmon} -- sh -c 'kill -HUP $$; echo "{{\"alive\":1}}"'"#
            ),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(written(&output.stdout).others, b"{\"alive\":1}\n");
}

#[test]
fn the_command_starts_with_signals_as_they_were() {
    // Caught signals are reset and the mask is empty: nothing of ours leaks.
    let script = r#"
import signal
ours = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]
off = [s for s in ours if signal.getsignal(getattr(signal, s)) == signal.SIG_IGN]
assert off == [] and signal.pthread_sigmask(signal.SIG_BLOCK, []) == set(), off
"#;
    assert_eq!(run(&["--", "python3", "-c", script]).status.code(), Some(0));
}

#[test]
fn the_commands_end_is_seen_although_ended_children_were_to_be_thrown_away() {
    let script = r#"
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], [sys.argv[1], "--", "sh", "-c", "exit 3"])
"#;
    let output = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_memmon")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(written(&output.stdout).summary.child.unwrap().exit, Some(3));
}
