//! memmon as a job of a shell on a real terminal.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{Running, Written, memmon, written};

/// Runs bash with job control on a terminal of its own, for a script that goes on from
/// here: `enter` types, `until` waits.
const SHELL: &str = r#"
import os, pty, select, sys, termios, time
folder, memmon = sys.argv[1:]
os.chdir(folder)
pid, tty = pty.fork()
if pid == 0:
    os.environ.update(PS1="$ ", TERM="dumb", memmon=memmon)
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
screen = b""
def look(seconds):
    global screen
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([tty], [], [], left)[0]:
            screen += os.read(tty, 65536)
def until(condition, what):
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, f"never came: {what}; the screen: {screen.decode()}"
        look(0.02)
def enter(text):
    os.write(tty, text.encode())
def read(name):
    try:
        return open(name).read()
    except OSError:
        return ""
def state(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
def prompt():
    return screen.endswith(b"$ ")
until(prompt, "a prompt")
"#;

/// What memmon, run as `script` says, wrote to `out.jsonl`, and the folder of it all.
fn on_a_terminal(script: &str) -> (tempfile::TempDir, Written) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("python3")
        .args(["-c", &format!("{SHELL}{script}")])
        .args([folder.path().to_str().unwrap(), env!("CARGO_BIN_EXE_memmon")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = written(&fs::read(folder.path().join("out.jsonl")).unwrap());
    (folder, lines)
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn what_is_typed_reaches_the_command_once_and_the_summary_is_written() {
    const COUNT: &str = r#"
open("count.py", "w").write("""
import signal, sys, time
count = 0
def seen(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, seen)
signal.signal(signal.SIGQUIT, seen)
open("ready", "w").write("yes")
while not count:
    time.sleep(0.01)
time.sleep(0.3)
open("count", "w").write(str(count))
sys.exit(5)
""")
enter("$memmon -i 20 -o out.jsonl -- python3 count.py; echo $? > code\n")
until(lambda: read("ready"), "the command")
enter(KEY)
until(lambda: read("code"), "the end")
"#;
    for key in [r#""\x03""#, r#""\x1c""#] {
        let (folder, lines) = on_a_terminal(&COUNT.replace("KEY", key));
        assert_eq!(text(folder.path(), "count"), "1", "{key}");
        assert_eq!(text(folder.path(), "code"), "5\n", "{key}");
        assert_eq!(lines.summary.child.unwrap().exit, Some(5));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_z_stops_both_and_fg_goes_on_with_what_was_missed_counted() {
    let (_folder, lines) = on_a_terminal(
        r#"
enter("$memmon -i 20 -o out.jsonl -- sh -c 'echo $$ $PPID > pids; until [ -e go ]; do sleep 0.05; done'\n")
until(lambda: len(read("pids").split()) == 2, "the command")
command, sampler = read("pids").split()
look(0.3)
enter("\x1a")
until(lambda: b"Stopped" in screen and prompt(), "the shell says that it stopped")
until(lambda: state(command) == "T" and state(sampler) == "T", "both are stopped")
size = os.path.getsize("out.jsonl")
look(0.6)
assert os.path.getsize("out.jsonl") == size, "no samples while it is stopped"
enter("fg\n")
until(lambda: os.path.getsize("out.jsonl") > size, "samples again")
assert state(command) != "T"
look(0.2)
open("go", "w")
until(lambda: '"record":"summary"' in read("out.jsonl"), "the end")
look(0.2)
enter("echo $? > code\n")
until(lambda: read("code"), "the end")
assert read("code") == "0\n", read("code")
"#,
    );
    let longest = lines.samples.iter().filter_map(|sample| sample.missed).max().unwrap();
    assert!(longest >= 25, "0.6 s at 20 ms were missed in one go: {longest}");
    // On the grid again, and every point is used or counted.
    let on_grid = || lines.samples.iter().filter(|sample| sample.late_us.is_some());
    let missed: u64 = lines.samples.iter().filter_map(|sample| sample.missed).sum();
    let last = on_grid().next_back().unwrap();
    let at_us = (last.elapsed_s * 1e6).round() as u64 - last.late_us.unwrap();
    assert_eq!((at_us + 10) / 20_000 + 1, on_grid().count() as u64 + missed);
}

#[test]
fn a_command_that_stops_itself_gives_the_terminal_back_to_the_shell() {
    let (folder, _) = on_a_terminal(
        r#"
open("stop.py", "w").write("""
import os, signal
os.kill(os.getpid(), signal.SIGTSTP)
open("resumed", "w").write("yes")
""")
enter("$memmon -o out.jsonl -- python3 stop.py\n")
until(lambda: b"Stopped" in screen and prompt(), "the shell says that it stopped")
assert not read("resumed")
enter("fg\n")
until(lambda: read("resumed"), "it goes on")
until(lambda: '"record":"summary"' in read("out.jsonl"), "the end")
"#,
    );
    assert_eq!(text(folder.path(), "resumed"), "yes");
}

#[test]
#[cfg(target_os = "linux")]
fn a_command_that_is_stopped_without_a_terminal_is_still_sampled() {
    let script = "kill -STOP $$; exit 3";
    let mut running =
        Running::start(memmon(&["-i", "20", "--", "sh", "-c", script]).process_group(0));
    let child = loop {
        let pid = running.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        if let Ok(child) = children.trim().parse::<i32>() {
            break child;
        }
    };
    thread::sleep(Duration::from_millis(500));
    assert!(running.0.try_wait().unwrap().is_none());
    kill(Pid::from_raw(child), Signal::SIGCONT).unwrap();
    let (status, out) = running.end();
    assert_eq!(status.code(), Some(3));
    assert!(written(&out).samples.len() > 10, "samples while it was stopped");
}

#[test]
fn the_terminal_is_as_it_was_after_a_command_that_made_it_raw_and_was_killed() {
    let (_folder, lines) = on_a_terminal(
        r#"
open("raw.py", "w").write("""
import os, signal, tty
tty.setraw(0)
open("ready", "w").write("yes")
os.kill(os.getpid(), signal.SIGKILL)
""")
enter("stty -a > before; $memmon -o out.jsonl -- python3 raw.py; echo $? > code; stty -a > after; : > end\n")
until(lambda: os.path.exists("end"), "the end")
assert read("ready") and read("code") == "137\n", read("code")
assert read("before") and read("before") == read("after"), read("after")
"#,
    );
    assert_eq!(lines.summary.child.unwrap().signal, Some(9));
}

#[test]
fn what_a_command_does_to_the_terminal_on_purpose_stays() {
    on_a_terminal(
        r#"
enter("$memmon -o out.jsonl -- stty intr ^X; stty -a > after; stty sane; : > end\n")
until(lambda: os.path.exists("end"), "the end")
assert "intr = ^X" in read("after"), read("after")
"#,
    );
}

#[test]
#[cfg(target_os = "linux")]
fn in_the_background_one_who_reads_the_terminal_stops_as_without_memmon() {
    let (folder, _) = on_a_terminal(
        r#"
enter("$memmon -i 20 -o out.jsonl -- sh -c 'echo $$ $PPID > pids; read line; echo $line > line' &\n")
until(lambda: len(read("pids").split()) == 2, "the command")
command, sampler = read("pids").split()
until(lambda: state(command) == "T" and state(sampler) == "T", "both are stopped")
enter("fg\n")
until(lambda: state(command) != "T", "it goes on")
enter("typed\n")
until(lambda: '"record":"summary"' in read("out.jsonl"), "the end")
"#,
    );
    assert_eq!(text(folder.path(), "line"), "typed\n");
}
