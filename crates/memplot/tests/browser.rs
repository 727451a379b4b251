//! The page in a real browser, where one is installed.
//!
//! `REQUIRE_CHROMIUM` in the environment makes its absence a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/chromium.rs"]
mod chromium;
mod common;

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chromium::Browser;
use common::{HOSTILE, Kind, START, run};
use serde_json::{Value, json};
use tempfile::TempDir;

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
const ROWS_SHOWN: &str = "document.querySelectorAll('#rows tbody tr').length";
/// Start and end of the view in seconds after the start of the run.
const VIEW: &str =
    "document.getElementById('plot').layout.xaxis.range.map((ms) => (ms - 31536000000) / 1e3)";

#[test]
fn a_run_is_drawn_and_hostile_names_are_inert() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let page = Page::of(&[("run.jsonl", &run(Kind::default()))], &["--title", HOSTILE]);
    browser.open(&page.path(), "");
    assert_eq!(browser.mark("drawn"), "yes");
    assert_eq!((browser.mark("rows"), browser.mark("bars")), ("2".into(), "11".into()));
    // free, RSS, swap; system, user, load; `used` waits in the legend.
    assert_eq!(browser.mark("curves"), "6");
    assert_eq!(browser.mark("owned"), "", "a hostile name ran");
    assert_eq!(browser.js("document.querySelectorAll('img').length"), 0);
    let text = browser.js("document.body.innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("<img src=x"), "it is shown as it is: {text}");
    assert!(text.contains("GPU: not measured (no GPU is visible to this process)"), "{text}");
    // Every hostile bar is hovered: what plotly.js makes of its text is text as well.
    let hovered = browser.js("(() => { const plot = document.getElementById('plot');
           plot.data.forEach((trace, i) => { if (trace.type === 'bar') trace.x.forEach((_, j) =>
             Plotly.Fx.hover(plot, [{ curveNumber: i, pointNumber: j }])) });
           return document.querySelectorAll('img, b > script').length })()");
    assert_eq!(hovered, 0);
    browser.assert_clean();
}

#[test]
fn hovering_tells_of_every_row_at_that_time() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    assert_eq!((browser.mark("rows"), browser.mark("curves")), ("4".into(), "11".into()));
    let place = browser.js(
        "(() => { const box = document.querySelectorAll('.nsewdrag')[4].getBoundingClientRect();
           return [box.x + box.width * 0.4, box.y + box.height / 2] })()",
    );
    let [x, y] = [0, 1].map(|i| place[i].as_f64().unwrap());
    browser.mouse("mouseMoved", x - 3.0, y, 0);
    browser.mouse("mouseMoved", x, y, 0);
    browser.wait("!!document.querySelector('.hoverlayer .legend')");
    let text = browser.js("document.querySelector('.hoverlayer').textContent");
    let text = text.as_str().unwrap();
    for name in
        ["free", "tree RSS", "CPU user", "CPU system", "GPU device", "GPU memory", "GPU power"]
    {
        assert!(text.contains(name), "no {name} in {text}");
    }
    browser.assert_clean();
}

#[test]
fn what_is_not_a_curve_has_its_lane() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let text =
        browser.js(&(DRAWN.to_owned() + ".flatMap((trace) => trace.hovertext ?? []).join('\\n')"));
    for part in ["took 29.00 GB, peak 32.40 GB", "warm-up", "measured", "Swap grew by 640 MB."] {
        assert!(text.as_str().unwrap().contains(part), "no {part} in {text}");
    }
    let looks = browser.js(&(DRAWN.to_owned()
        + ".filter((t) => t.type === 'bar').map((t) => [t.name, t.marker.pattern?.shape ?? ''])"));
    for (name, pattern) in [("failed", "x"), ("error", "\\"), ("skipped", "."), ("with model", "")]
    {
        assert!(looks.as_array().unwrap().contains(&json!([name, pattern])), "{name}: {looks}");
    }
    let bars = browser.js(&(DRAWN.to_owned() + ".find((t) => t.name === 'failed').text[0]"));
    assert_eq!(bars, "F decode");
    let level = browser.js(&(DRAWN.to_owned() + ".find((t) => t.name === 'model loaded').y[0]"));
    assert_eq!(level, 29.4);
    browser.js("document.querySelector('#findings-list button').click()");
    browser.settle();
    let view = browser.js(VIEW);
    assert_eq!((view[0].as_f64(), view[1].as_f64()), (Some(41.5), Some(55.5)));
}

#[test]
fn the_gap_in_the_samples_is_a_gap_and_bands_have_their_width() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let free = browser.js(
        &(DRAWN.to_owned()
            + ".filter((t) => t.name === 'free').map((t) => [t.y.length, [...t.y].filter(Number.isNaN).length, t.y[0]])[0]"),
    );
    assert_eq!(free, json!([286, 1, 52]), "285 samples and one break");
    let bands = browser.js(
        "document.getElementById('plot').layout.shapes.filter((s) => s.type === 'rect').map((s) => s.x1 - s.x0)",
    );
    assert_eq!(bands, json!([200, 7200]), "one sample has a width");
    let lines = browser.js(
        "document.getElementById('plot').layout.shapes.filter((s) => s.type === 'line').map((s) => s.y0)",
    );
    assert_eq!(lines, json!([34.35, 17.175]), "half and a quarter of the machine's memory");
}

#[test]
fn keys_zoom_move_and_go_from_test_to_test_but_not_while_typing() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let width = |browser: &mut Browser| {
        let view = browser.js(VIEW);
        view[1].as_f64().unwrap() - view[0].as_f64().unwrap()
    };
    let whole = width(&mut browser);
    browser.key("w");
    assert!((width(&mut browser) - 0.6 * whole).abs() < 0.01);
    let before = browser.js(VIEW)[0].as_f64().unwrap();
    browser.key("d");
    assert!(browser.js(VIEW)[0].as_f64().unwrap() > before + 5.0);
    browser.key("a");
    browser.key("s");
    assert!((width(&mut browser) - whole).abs() < 0.01);
    browser.key(".");
    browser.key(".");
    let selected = "document.querySelector('tr[aria-selected] button').textContent";
    assert_eq!(browser.js(selected), "nightly::decode[llama,smollm2-135m]");
    assert!((width(&mut browser) - 16.0).abs() < 0.01, "8 s and as much on both sides");
    browser.key(",");
    assert_eq!(browser.js(selected), "nightly::chat[llama,smollm2-135m]");
    browser.key("f");
    assert!((width(&mut browser) - whole).abs() < 0.01);
    browser.key("?");
    assert_eq!(browser.js("document.getElementById('keys').open"), true);
    browser.key("Escape");
    browser.js("document.getElementById('keys').close()");

    browser.js("document.getElementById('text').focus()");
    for key in ["w", "f"] {
        browser.key(key);
    }
    assert_eq!(browser.js("document.getElementById('text').value"), "wf");
    assert!((width(&mut browser) - whole).abs() < 0.01);
    browser.assert_clean();
}

#[test]
fn dragging_zooms_and_a_double_click_shows_all() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let place = browser.js(
        "(() => { const box = document.querySelectorAll('.nsewdrag')[4].getBoundingClientRect();
           return [box.x, box.y + box.height / 2, box.width] })()",
    );
    let [x, y, width] = [0, 1, 2].map(|i| place[i].as_f64().unwrap());
    browser.mouse("mouseMoved", x + width * 0.25, y, 0);
    browser.mouse("mousePressed", x + width * 0.25, y, 1);
    browser.mouse("mouseMoved", x + width * 0.4, y, 1);
    browser.mouse("mouseMoved", x + width * 0.5, y, 1);
    browser.mouse("mouseReleased", x + width * 0.5, y, 1);
    browser.wait("location.hash.includes('from')");
    browser.settle();
    let view = browser.js(VIEW);
    let whole = 59.8;
    assert!((view[0].as_f64().unwrap() - 0.25 * whole).abs() < 0.2, "{view}");
    assert!((view[1].as_f64().unwrap() - 0.5 * whole).abs() < 0.2, "{view}");
    for clicks in [1, 2] {
        browser.mouse("mousePressed", x + 50.0, y, clicks);
        browser.mouse("mouseReleased", x + 50.0, y, clicks);
    }
    browser.wait("location.hash === ''");
    browser.assert_clean();
}

#[test]
fn filters_leave_their_tests_and_a_link_shows_the_same_view() {
    let Some((page, mut browser)) = opened("") else {
        return;
    };
    let set = |browser: &mut Browser, id: &str, property: &str, value: Value| {
        browser.js(&format!(
            "(() => {{ const box = document.getElementById('{id}'); box.{property} = {value};
               box.dispatchEvent(new Event('input', {{ bubbles: true }})) }})()"
        ));
        browser.settle();
    };
    let tests =
        ".filter((t) => t.type === 'bar' && t.yaxis === 'y').reduce((n, t) => n + t.x.length, 0)";
    let tests = DRAWN.to_owned() + tests;
    assert_eq!((browser.js(ROWS_SHOWN), browser.js(&tests)), (9.into(), 9.into()));
    set(&mut browser, "infra", "checked", json!(false));
    assert_eq!((browser.js(ROWS_SHOWN), browser.js(&tests)), (8.into(), 8.into()));
    set(&mut browser, "model", "value", json!("qwen3-0.6b"));
    assert_eq!((browser.js(ROWS_SHOWN), browser.js(&tests)), (4.into(), 4.into()));
    set(&mut browser, "outcome", "value", json!("passed"));
    set(&mut browser, "text", "value", json!("BATCH"));
    assert_eq!((browser.js(ROWS_SHOWN), browser.js(&tests)), (1.into(), 1.into()));
    browser.key("f");
    browser.js("document.querySelector('#rows tbody button').click()");
    browser.settle();
    set(&mut browser, "theme", "value", json!("dark"));
    set(&mut browser, "clock", "checked", json!(true));
    set(&mut browser, "palette", "checked", json!(true));
    browser.js("[...document.querySelectorAll('#curves input')].find((box) => box.value.includes('swap')).click()");
    browser.settle();

    let hash = browser.js("location.hash");
    let seen = "[document.getElementById('plot').layout.xaxis.range, location.hash,
        document.querySelector('tr[aria-selected]').innerText, document.getElementById('text').value,
        getComputedStyle(document.body).backgroundColor,
        document.getElementById('plot').data.map((t) => [t.name, t.visible, t.line?.color])]";
    let want = browser.js(seen);
    browser.open(&page.path(), hash.as_str().unwrap());
    assert_eq!(browser.js(seen), want);
    assert_eq!(want[4], "rgb(21, 24, 27)", "dark");
    assert!(want[5].to_string().contains("#3496EB"), "the reference's blue: {want}");
    assert!(want[5].to_string().contains("[\"swap\",\"legendonly\""), "{want}");
    // Wall-clock time: the axis is at the date of the run.
    let start = want[0][0].as_f64().unwrap() / 1e3;
    assert!((start - START).abs() < 86_400.0, "{want}");
    assert_eq!(browser.js(ROWS_SHOWN), 1);
    browser.assert_clean();
}

#[test]
fn a_million_samples_are_drawn_with_few_nodes_and_all_their_peaks() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let count = 1_000_000u64;
    let mut random = Random(7);
    let mut lines = String::with_capacity(110 << 20);
    let mut values = Vec::new();
    for i in 0..count {
        // One peak in a thousand, each of its own height, and one trough.
        let value = match random.next() % 1000 {
            0 => 50_000 + random.next() % 10_000,
            1 => random.next() % 100,
            _ => 20_000 + random.next() % 1000,
        };
        values.push(value);
        lines += &format!(
            "{{\"record\":\"sample\",\"v\":1,\"ts\":{}.{},\"run\":\"r\",\"host\":\"h\",\"seq\":{i},\"elapsed_s\":{}.{},\"ram_free_gb\":{}.{:03}}}\n",
            1_770_000_000 + i / 5,
            i % 5 * 2,
            i / 5,
            i % 5 * 2,
            value / 1000,
            value % 1000,
        );
    }
    let page = Page::of(&[("run.jsonl", &lines)], &[]);
    browser.open(&page.path(), "");
    let points = "document.getElementById('points').textContent";
    let said = browser.js(points);
    assert!(
        said.as_str().unwrap().ends_with("of 1,000,000 points drawn, extremes exact."),
        "{said}"
    );
    let nodes = browser.js("document.querySelectorAll('*').length").as_u64().unwrap();
    assert!(nodes < 1500, "{nodes} nodes");

    let whole = (count - 1) as f64 / 5.0;
    let mut raw = 0;
    for view in 0..16 {
        // From the whole run down to a few seconds of it.
        let width = whole / 2.5f64.powi(view);
        let from = (random.next() % 1000) as f64 / 1000.0 * (whole - width);
        browser.js(&format!("location.hash = 'from={from}&to={}'", from + width));
        browser.wait(&format!("Math.abs({VIEW}[0] - {from}) < 1e-3"));
        browser.settle();
        let drawn = browser.js(
            "(() => { const plot = document.getElementById('plot'); const { x, y } = plot.data.find((t) => t.name === 'free');
               return [[...x].map((ms) => Math.round((ms - 31536000000) / 200)), [...y].map((gb) => Math.round(gb * 1000)),
                       plot._fullLayout._size.w] })()",
        );
        let numbers = |i: usize| drawn[i].as_array().unwrap().iter().map(|n| n.as_u64().unwrap());
        let drawn_at: std::collections::HashMap<u64, u64> = numbers(0).zip(numbers(1)).collect();
        // The oracle: in each column of pixels, by brute force over all samples.
        let columns = drawn[2].as_f64().unwrap();
        let mut extremes: Vec<Option<(u64, u64)>> = vec![None; columns as usize + 1];
        let mut seen = extremes.clone();
        let first = (from * 5.0).ceil() as usize;
        for (i, value) in values.iter().enumerate().skip(first) {
            let time = i as f64 / 5.0;
            if time > from + width {
                break;
            }
            let column = ((time - from) / width * columns) as usize;
            let widen = |found: &mut Option<(u64, u64)>, value: u64| {
                let (low, high) = found.unwrap_or((value, value));
                *found = Some((low.min(value), high.max(value)));
            };
            widen(&mut extremes[column], *value);
            if let Some(drawn) = drawn_at.get(&(i as u64)) {
                assert_eq!(drawn, value, "sample {i}");
                widen(&mut seen[column], *drawn);
            }
        }
        for (i, value) in values.iter().enumerate().skip(first).filter(|(_, v)| **v >= 50_000) {
            let column = ((i as f64 / 5.0 - from) / width * columns) as usize;
            let near = seen.get(column.saturating_sub(1)..(column + 2).min(seen.len()));
            let highest = near.into_iter().flatten().flatten().map(|(_, high)| *high).max();
            assert!(
                i as f64 / 5.0 > from + width || highest >= Some(*value),
                "the peak of {value} at {i}, or a higher one beside it, is not drawn"
            );
        }
        let wrong = extremes.iter().zip(&seen).filter(|(all, some)| all != some).count();
        // A sample on the border of two columns may be counted to either.
        assert!(wrong <= columns as usize / 100, "{wrong} columns of {columns}, view {view}");
        if browser.js(points).as_str().unwrap().starts_with("Every sample is drawn") {
            raw += 1;
        }
    }
    assert!(raw > 3, "raw samples show");
    browser.assert_clean();
}

/// Xorshift: the same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn it_prints_as_a_clean_page() {
    let Some((_page, mut browser)) = opened("#theme=dark") else {
        return;
    };
    let pdf = browser.call("Page.printToPDF", json!({ "printBackground": true }));
    let pdf = STANDARD.decode(pdf["data"].as_str().unwrap()).unwrap();
    assert!(pdf.starts_with(b"%PDF") && pdf.len() > 20_000, "{} bytes", pdf.len());
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    assert_eq!(browser.js("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    let seen =
        "['controls', 'strip'].map((id) => getComputedStyle(document.getElementById(id)).display)";
    assert_eq!(browser.js(seen), json!(["none", "none"]));
}

#[test]
fn an_older_pair_of_files_is_drawn() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let memory = include_str!("data/legacy-memory.jsonl");
    let tests = include_str!("data/legacy-benchmark.jsonl");
    let page = Page::of(&[("memory.jsonl", memory), ("benchmark.jsonl", tests)], &[]);
    browser.open(&page.path(), "");
    assert_eq!((browser.mark("drawn"), browser.mark("rows")), ("yes".into(), "3".into()));
    assert_eq!((browser.mark("bars"), browser.mark("curves")), ("12".into(), "7".into()));
    assert_eq!(browser.js(ROWS_SHOWN), 12);
    browser.assert_clean();
}

#[test]
fn a_page_without_anything_says_so() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let page = Page::of(&[("empty.jsonl", "")], &[]);
    browser.open(&page.path(), "");
    assert_eq!(browser.mark("drawn"), "nothing");
    assert!(
        browser
            .js("document.body.innerText")
            .as_str()
            .unwrap()
            .contains("there is nothing to draw")
    );
    browser.assert_clean();
}

#[test]
fn two_runs_are_drawn_one_above_the_other_from_their_starts() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let late = story().replace("17708112", "17709112");
    let files = [("tuesday.jsonl", &*late), ("monday.jsonl", &*story())];
    let page = Page::of(&files, &["--compare", "monday.jsonl"]);
    browser.open(&page.path(), "");
    assert_eq!((browser.mark("drawn"), browser.mark("rows")), ("yes".into(), "8".into()));
    let starts = browser
        .js(&(DRAWN.to_owned() + ".filter((t) => t.name === 'free').map((t) => [t.x[0], t.y[0]])"));
    assert_eq!(starts[0], starts[1], "aligned");
    let text =
        browser.js("document.getElementById('plot').layout.annotations.map((a) => a.text).join()");
    for title in ["tuesday: Memory", "monday: Memory"] {
        assert!(text.as_str().unwrap().contains(title), "{text}");
    }
    assert_eq!(browser.js(ROWS_SHOWN), 18);
    browser.assert_clean();
}

#[test]
fn pictures_are_drawn_by_an_installed_browser() {
    if Browser::start(100, 100).is_none() {
        return;
    }
    let page = Page::of(&[("run.jsonl", &story())], &["--png", "run.png", "--svg", "run.svg"]);
    let png = fs::read(page.folder.path().join("run.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 20_000, "{} bytes", png.len());
    let svg = fs::read_to_string(page.folder.path().join("run.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("nightly") && svg.contains("tree RSS"));
}

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
