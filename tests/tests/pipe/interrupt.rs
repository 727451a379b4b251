//! Ctrl-C in the middle of a run.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::Stdio,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::Value;

use crate::tools::{backend, read, shell, tool};

#[test]
fn ctrl_c_leaves_a_joined_stream_a_report_and_no_process() {
    backend();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display();
    // A case that would go on for minutes, after one that is done at once.
    let suite = fs::read_to_string(crate::tools::root().join("examples/smoke.toml")).unwrap();
    let root = crate::tools::root();
    let suite = suite
        .replace(
            "\"backends/llama-server\"",
            &format!("\"{}/examples/backends/llama-server\"", root.display()),
        )
        .replace("../target", &format!("{}/target", root.display()));
    let long = "[[case]]\nname = \"long\"\nneeds = [\"text\"]\ncommand = { argv = [\"sleep\", \"300\", \"{url}\"] }\n";
    // `sleep` would not take a URL for a time; `sh` does the waiting.
    let long = long
        .replace("[\"sleep\", \"300\", \"{url}\"]", "[\"sh\", \"-c\", \"sleep 300\", \"{url}\"]");
    fs::write(folder.path().join("smoke.toml"), format!("{suite}\n{long}")).unwrap();

    // A process group of its own, as a terminal gives to a pipe; Ctrl-C goes to all of it.
    let script = format!(
        "trap : INT; memmon -- runner {out}/smoke.toml --state-dir {out}/state | correlate \
         | tee -i {out}/run.jsonl | reportgen > {out}/report.md; code=$?; \
         memplot {out}/run.jsonl -o {out}/timeline.html; exit $code"
    );
    let child = shell(&script).process_group(0).stderr(Stdio::piped()).spawn().unwrap();
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap());

    let joined = folder.path().join("run.jsonl");
    let deadline = Instant::now() + Duration::from_secs(120);
    let begun = || fs::read_to_string(&joined).unwrap_or_default().contains("smoke::long[llama");
    while !begun_after(&joined) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(begun(), "the long case never began");
    std::thread::sleep(Duration::from_millis(500));
    killpg(group, Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");

    let lines = read(&joined);
    let of = |kind: &str| lines.iter().filter(|l| l["record"] == kind).collect::<Vec<&Value>>();
    let ends = of("run_end");
    assert_eq!(ends.len(), 1, "{stderr}");
    assert_eq!((&ends[0]["interrupted"], &ends[0]["exit"]), (&true.into(), &2.into()));
    let tests = of("test");
    let long = tests.iter().find(|test| test["case"] == "long").unwrap();
    assert_eq!(long["error"]["kind"], "interrupted");
    assert!(tests.iter().all(|test| test["resources"]["coverage"].is_number()), "all are joined");
    assert_eq!(of("summary").len(), 1);
    let report = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(report.to_lowercase().contains("interrupted"), "{report}");
    assert!(fs::metadata(folder.path().join("timeline.html")).unwrap().len() > 0);
    assert!(tool("validate").arg(&joined).status().unwrap().success());

    for span in of("span") {
        if let Some(pid) = span["pid"].as_i64() {
            assert!(
                !std::path::Path::new(&format!("/proc/{pid}")).exists(),
                "server {pid} is left"
            );
        }
    }
    // Nobody of the pipe is left either.
    assert!(killpg(group, None).is_err(), "a process of the pipe is left");
}

/// Whether the long case has begun.
fn begun_after(path: &std::path::Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| line.contains("\"record\":\"begin\"") && line.contains("smoke::long"))
}

#[test]
fn a_group_that_is_terminated_has_its_grace_though_memmon_passes_the_signal_on() {
    let folder = tempfile::tempdir().unwrap();
    let cleaned = folder.path().join("cleaned");
    let ready = folder.path().join("ready");
    let script = format!(
        "trap 'sleep 1; touch {}; exit 3' TERM; touch {}; while :; do sleep 0.05; done",
        cleaned.display(),
        ready.display()
    );
    fs::write(
        folder.path().join("s.toml"),
        format!(
            "suite = 1\n[[case]]\nname = 'a'\ncommand = {{ argv = ['sh', '-c', \"{script}\"] }}\n"
        ),
    )
    .unwrap();
    // systemd and shells signal the whole group: memmon and the runner both get it, and
    // memmon passes its own on to the runner.
    let runner = tool("runner").get_program().to_owned();
    let mut child = tool("memmon")
        .args(["-o", folder.path().join("m.jsonl").to_str().unwrap(), "--"])
        .arg(runner)
        .arg(folder.path().join("s.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !ready.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    killpg(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(cleaned.exists(), "the case was killed before its grace was over");
}
