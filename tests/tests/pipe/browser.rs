//! The timeline of the real run, in a real browser.

use std::{env, io::Write, process::Command};

use crate::tools::{demo, stderr};

/// Chromium, or nothing where there is none and none is required.
fn chromium() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success())
    });
    if found.is_none() {
        assert!(
            env::var_os("REQUIRE_CHROMIUM").is_none(),
            "REQUIRE_CHROMIUM is set and there is no Chromium"
        );
        // Straight to the stream: the harness holds back what the macros print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no Chromium, so the timeline was not drawn");
    }
    found
}

#[test]
fn the_timeline_opens_offline_without_a_console_error() {
    let Some(chromium) = chromium() else { return };
    let demo = demo();
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // No request may leave the page: with a proxy that is not there, one would fail.
        .arg("--proxy-server=127.0.0.1:9")
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", demo.path("timeline.html").display()))
        .output()
        .unwrap();
    let said = stderr(&output);
    let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("data-drawn"), "the page says when it is drawn");
    for case in ["arithmetic", "streaming", "backend-version"] {
        assert!(page.contains(case), "{case} is not on the page");
    }
    // What this machine has not got is said in its row.
    let stream = demo.of_kind("stream").next().unwrap();
    if stream["machine"]["gpus"].as_array().unwrap().is_empty() {
        assert!(page.contains("GPU: not measured"), "the unmeasured row says so");
    }
}
