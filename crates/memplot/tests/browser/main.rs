//! The page in a real browser, where one is installed.
//!
//! `REQUIRE_CHROMIUM` in the environment makes its absence a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod drawn;
mod million;
mod moving;
mod other;
mod people;
mod same;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use common::{Kind, run};
use tempfile::TempDir;
use testing::chromium::Browser;

/// The timeline of some files, in a folder that goes away.
struct Page {
    folder: TempDir,
}

impl Page {
    fn of(files: &[(&str, &str)], args: &[&str]) -> Page {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let inputs = files.iter().map(|(name, _)| name).filter(|name| !args.contains(name));
        let memplot = Command::new(env!("CARGO_BIN_EXE_memplot"))
            .args(inputs)
            .args(args)
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status();
        assert!(memplot.unwrap().success());
        Page { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("timeline.html")
    }
}

/// A whole run with everything that correlate adds.
fn story() -> String {
    let found = [
        r#"{"record":"model_life","v":1,"ts":1770811206.0,"run":"r1","host":"studio","end_ts":1770811233.0,"params":{"backend":"llama","model":"smollm2-135m"},"memory_series":"tree_rss_gb","before_gb":0.4,"model_delta_gb":29.0,"peak_gb":32.4}"#,
        r#"{"record":"span","v":1,"ts":1770811220.0,"run":"r1","host":"studio","phase":"warmup","end_ts":1770811222.0,"duration_s":2.0}"#,
        r#"{"record":"span","v":1,"ts":1770811222.0,"run":"r1","host":"studio","phase":"measure","end_ts":1770811228.0,"duration_s":6.0}"#,
        r#"{"record":"anomaly","v":1,"ts":1770811250.0,"run":"r1","host":"studio","end_ts":1770811257.0,"kind":"swap","severity":"warn","message":"Swap grew by 640 MB."}"#,
    ];
    run(Kind { gpu: true, whole: true }) + &found.join("\n") + "\n"
}

/// A browser with the page of the story open; nothing where there is none.
fn opened(hash: &str) -> Option<(Page, Browser)> {
    let mut browser = Browser::start(1400, 1000)?;
    let page = Page::of(&[("run.jsonl", &story())], &[]);
    browser.open(&page.path(), hash);
    assert_eq!(browser.mark("drawn"), "yes");
    Some((page, browser))
}

const DRAWN: &str = "document.getElementById('plot').data";
/// The row of memory.
const MEMORY: &str = "document.querySelectorAll('.nsewdrag')[4]";
const ROWS_SHOWN: &str = "document.querySelectorAll('#rows tbody tr').length";
/// Start and end of the view in seconds after the start of the run.
const VIEW: &str =
    "document.getElementById('plot').layout.xaxis.range.map((ms) => (ms - 31536000000) / 1e3)";
