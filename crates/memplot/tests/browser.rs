//! The page in a real browser, where one is installed.
//!
//! `REQUIRE_CHROMIUM` in the environment makes its absence a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use common::{HOSTILE, Kind, run};

/// A page after its script ran.
struct Seen {
    /// The document as it stands then.
    dom: String,
    /// The `data-` attributes of its root.
    marks: BTreeMap<String, String>,
}

impl Seen {
    fn mark(&self, name: &str) -> &str {
        self.marks.get(name).map_or("", String::as_str)
    }
}

fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    let found = found.into_iter().find(|path| path.is_file());
    assert!(
        found.is_some() || env::var_os("REQUIRE_CHROMIUM").is_none(),
        "REQUIRE_CHROMIUM is set and there is no Chromium"
    );
    if found.is_none() {
        // Straight to the stream: the harness holds back what the macros print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no Chromium");
    }
    found
}

/// Opens `page` in `chromium`; fails on anything that it complains of.
fn open(chromium: &Path, page: &Path) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--window-size=1400,1000", "--enable-logging=stderr", "--virtual-time-budget=30000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Chromium has troubles of its own; what the page causes is marked as its console's.
    let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let root = dom.split("<html").nth(1).unwrap().split('>').next().unwrap();
    let marks = root.split_whitespace().filter_map(|attribute| {
        let (name, value) = attribute.strip_prefix("data-")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    });
    let marks = marks.collect();
    Seen { dom, marks }
}

/// The page of `input` in the browser; nothing where there is none.
fn seen(files: &[(&str, &str)], args: &[&str]) -> Option<Seen> {
    let chromium = chromium()?;
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let memplot = Command::new(env!("CARGO_BIN_EXE_memplot"))
        .args(files.iter().map(|(name, _)| name))
        .args(args)
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(memplot.success());
    Some(open(&chromium, &dir.path().join("timeline.html")))
}

#[test]
fn a_run_is_drawn_and_hostile_names_are_inert() {
    let Some(seen) = seen(&[("run.jsonl", &run(Kind::default()))], &["--title", HOSTILE]) else {
        return;
    };
    assert_eq!(seen.mark("drawn"), "yes");
    assert_eq!((seen.mark("rows"), seen.mark("bars")), ("2", "11"));
    // free, RSS, swap; system, user, load; `used` waits in the legend.
    assert_eq!(seen.mark("curves"), "6");
    assert!(seen.dom.contains("GPU: not measured (no GPU is visible to this process)"));
    assert!(!seen.marks.contains_key("owned"), "a hostile name ran");
    assert!(!seen.dom.contains("<img"), "a hostile name became markup");
    assert!(seen.dom.contains("&lt;img src=x"), "and it is shown as it is");
}

#[test]
fn every_row_that_was_measured_is_drawn() {
    let run = run(Kind { gpu: true, whole: true });
    let Some(seen) = seen(&[("run.jsonl", &run)], &[]) else {
        return;
    };
    assert_eq!((seen.mark("drawn"), seen.mark("rows")), ("yes", "4"));
    assert_eq!(seen.mark("curves"), "10");
    assert!(!seen.dom.contains(": not measured"));
    assert!(seen.dom.contains("<div id=\"strip\" style="), "the strip is placed");
}

#[test]
fn an_older_pair_of_files_is_drawn() {
    let memory = include_str!("data/legacy-memory.jsonl");
    let tests = include_str!("data/legacy-benchmark.jsonl");
    let Some(seen) = seen(&[("memory.jsonl", memory), ("benchmark.jsonl", tests)], &[]) else {
        return;
    };
    assert_eq!((seen.mark("drawn"), seen.mark("rows")), ("yes", "3"));
    assert_eq!((seen.mark("bars"), seen.mark("curves")), ("12", "8"));
    assert_eq!(seen.dom.matches("<tr data-class=").count(), 12);
}

#[test]
fn a_page_without_anything_says_so() {
    let Some(seen) = seen(&[("empty.jsonl", "")], &[]) else {
        return;
    };
    assert_eq!(seen.mark("drawn"), "nothing");
    assert!(seen.dom.contains("there is nothing to draw"));
}
