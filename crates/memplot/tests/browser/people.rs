//! Whether people can read and reach everything.

use std::{
    env, fs, io,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use testing::chromium::Browser;

use crate::{Page, opened, story};

/// axe-core, fetched once; `None` where there is no npm, unless `REQUIRE_CHROMIUM` is set.
fn axe() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let script = folder.join("package/axe.min.js");
    if !script.is_file() {
        let mut npm = Command::new("npm");
        npm.args(["pack", "axe-core@4.10.3", "--silent"]).current_dir(folder);
        let mut tar = Command::new("tar");
        tar.args(["xzf", "axe-core-4.10.3.tgz"]).current_dir(folder);
        for command in [&mut npm, &mut tar] {
            let done = command.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
            assert!(done || env::var_os("REQUIRE_CHROMIUM").is_none(), "axe-core was not fetched");
            if !done {
                let _ = writeln!(io::stderr(), "SKIPPED: no axe-core");
                return None;
            }
        }
    }
    Some(fs::read_to_string(script).unwrap())
}

#[test]
fn nothing_keeps_people_from_reading_it() {
    let (Some(axe), Some((page, mut browser))) = (axe(), opened("")) else {
        return;
    };
    for hash in ["#theme=light", "#theme=dark&palette=reference"] {
        browser.open(&page.path(), hash);
        browser.js("document.getElementById('curves').open = true");
        browser.js(&format!("{axe}; 0"));
        let found = browser.js("axe.run(document).then((found) => found.violations.map((v) =>
               [v.impact, v.id, v.nodes.map((node) => node.html)]))");
        assert_eq!(found, json!([]), "{hash}");
    }
}

#[test]
fn no_legend_lies_on_a_row_however_narrow_the_screen() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let page = Page::of(&[("run.jsonl", &story())], &[]);
    for width in [320, 390, 700, 1400] {
        let screen =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        browser.call("Emulation.setDeviceMetricsOverride", screen);
        browser.open(&page.path(), "");
        let covered = browser.js(
            "(() => {
               const boxes = (what) => [...document.querySelectorAll(`#plot ${what}`)].map((e) => e.getBoundingClientRect());
               return boxes('[class^=legend] > .bg').filter((legend) => boxes('.nsewdrag').some((row) =>
                 legend.bottom - 3 > row.top && legend.top + 3 < row.bottom)).length })()",
        );
        assert_eq!(covered, 0, "at {width} pixels");
    }
}

#[test]
fn the_keyboard_reaches_every_control() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let all = "[...document.querySelectorAll('button, input, select, summary')]
        .filter((e) => e.checkVisibility() && !e.disabled)";
    let count = browser.js(&format!("{all}.length")).as_u64().unwrap();
    browser.js(
        "window.reached = new Set(); addEventListener('focusin', (e) => reached.add(e.target))",
    );
    for _ in 0..count + 5 {
        for what in ["keyDown", "keyUp"] {
            let tab =
                json!({ "type": what, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            browser.call("Input.dispatchKeyEvent", tab);
        }
    }
    let left = format!("{all}.filter((e) => !reached.has(e)).map((e) => e.id || e.textContent)");
    assert_eq!(browser.js(&left), json!([]));
}
