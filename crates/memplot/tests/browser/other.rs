//! Other inputs, and other forms of the timeline.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use testing::chromium::Browser;

use crate::{DRAWN, Page, ROWS_SHOWN, opened, story};

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
    let memory = include_str!("../data/legacy-memory.jsonl");
    let tests = include_str!("../data/legacy-benchmark.jsonl");
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

const IS_LOADED: &str = "performance.getEntriesByType('navigation')[0].loadEventEnd > 0";

#[test]
fn who_waits_until_the_page_is_loaded_finds_it_drawn() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    browser.wait(IS_LOADED);
    let when = "[performance.getEntriesByName('drawn')[0].startTime, \
                 performance.getEntriesByType('navigation')[0].loadEventStart]";
    let [drawn, loaded] = [0, 1].map(|at| browser.js(when)[at].as_f64().unwrap());
    assert!(drawn < loaded, "drawn after {drawn} ms, loaded after {loaded} ms");
    assert_eq!(browser.js("document.querySelectorAll('iframe').length"), 0);
    browser.assert_clean();
}

#[test]
fn a_browser_that_is_too_old_to_unpack_the_page_says_so_and_waits_for_nothing() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let old = json!({ "source": "delete window.DecompressionStream" });
    browser.call("Page.addScriptToEvaluateOnNewDocument", old);
    let page = Page::of(&[("run.jsonl", &story())], &[]);
    browser.open(&page.path(), "");
    assert_eq!(browser.mark("drawn"), "failed");
    let said = browser.js("document.getElementById('plot').innerText");
    assert!(said.as_str().unwrap().contains("A browser of 2023 or later can."), "{said}");
    browser.wait(IS_LOADED);
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
