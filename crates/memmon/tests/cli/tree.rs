//! The processes that are watched.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::support::{Running, errors, memmon, run, written};

#[test]
#[cfg(target_os = "linux")]
fn orphans_are_adopted_counted_and_reaped() {
    // A grandchild that takes 100 MB, and whose parent ends at once.
    let script = r#"
import glob, os, subprocess, sys, time
memmon = os.getppid()
big = "import time; x = bytearray(b'x' * 100_000_000); time.sleep(1.2)"
subprocess.run(["sh", "-c", '"$0" -c "$1" & echo $! > "$2"', sys.executable, big, sys.argv[1]])
time.sleep(0.8)
pid = open(sys.argv[1]).read().strip()
parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]
assert int(parent) == memmon, "it was not adopted"
def children():
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            state, parent = open(path).read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == memmon:
            yield state
# Reaped when it ends, and not before: it is there now.
assert len(list(children())) == 2
end = time.monotonic() + 15
while len(list(children())) != 1:
    assert time.monotonic() < end, list(children())
    time.sleep(0.05)
"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let output = run(&["-i", "50", "--", "python3", "-c", script, file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let lines = written(&output.stdout);
    assert_eq!(lines.samples[0].tree_procs, Some(0), "taken before the command");
    assert!(lines.samples.iter().any(|sample| sample.tree_procs == Some(2)));
    let rss = &lines.summary.series["tree_rss_gb"];
    assert!((0.1..0.3).contains(&rss.max), "{rss:?}");
    assert!(lines.samples.iter().any(|sample| sample.tree_pss_gb.is_some_and(|gb| gb > 0.0)));
}

#[test]
fn the_commands_share_of_the_cpu_stands_in_about_one_sample_a_second() {
    // Works itself, and in processes that come and go.
    let script = "while :; do sh -c 'i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done'; done & \
                  sleep 2.4; kill $!";
    let output = run(&["-i", "100", "--", "sh", "-c", script]);
    let lines = written(&output.stdout);
    assert!(lines.stream.sources.found.iter().any(|found| found.quantity == "tree_cpu_pct"));
    let shares: Vec<f64> = lines.samples.iter().filter_map(|sample| sample.tree_cpu_pct).collect();
    assert!((1..=4).contains(&shares.len()), "{shares:?}");
    assert!(shares.iter().all(|pct| (0.0..=100.0).contains(pct)), "{shares:?}");
    assert!(shares.iter().any(|pct| *pct > 1.0), "{shares:?}");
    assert_eq!(lines.samples[0].tree_cpu_pct, None, "nothing to compare with");
}

#[test]
fn pid_watches_a_process_and_all_below_it_and_ends_with_it() {
    let mut watched = Command::new("sh")
        .args(["-c", "sleep 30 & wait"])
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let pid = watched.id().to_string();
    let running = Running::start(&mut memmon(&["-i", "20", "--pid", &pid]));
    thread::sleep(Duration::from_millis(500));
    watched.kill().unwrap();
    watched.wait().unwrap();
    let (status, out) = running.end();
    // What was below it runs on: it is the process that ends the watch.
    killpg(Pid::from_raw(watched.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    assert_eq!(status.code(), Some(0));
    let lines = written(&out);
    assert_eq!(lines.stream.pid, Some(pid.parse().unwrap()));
    assert!(lines.samples.iter().any(|sample| sample.tree_procs == Some(2)));
    assert!(lines.samples[0].tree_rss_gb.unwrap() > 0.0);
    assert!(lines.summary.child.is_none());
}

#[test]
fn a_process_that_is_not_there_cannot_be_watched() {
    let mut gone = Command::new("true").spawn().unwrap();
    let pid = gone.id().to_string();
    gone.wait().unwrap();
    let output = run(&["--pid", &pid]);
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(errors(&output), format!("memmon: cannot watch: process {pid}: it does not run\n"));
    assert!(output.stdout.is_empty());
}
