//! Zooming, moving, filters, and the link that shows the same view.

use serde_json::{Value, json};
use testing::chromium::Browser;

use crate::{DRAWN, MEMORY, ROWS_SHOWN, VIEW, common::START, opened};

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
    let [from, y] = browser.place_in(MEMORY, 0.25);
    let [way, to] = [0.4, 0.5].map(|share| browser.place_in(MEMORY, share)[0]);
    browser.mouse("mouseMoved", from, y, 0);
    browser.mouse("mousePressed", from, y, 1);
    browser.mouse("mouseMoved", way, y, 1);
    browser.mouse("mouseMoved", to, y, 1);
    browser.mouse("mouseReleased", to, y, 1);
    browser.wait("location.hash.includes('from')");
    browser.settle();
    let view = browser.js(VIEW);
    let whole = 59.8;
    assert!((view[0].as_f64().unwrap() - 0.25 * whole).abs() < 0.2, "{view}");
    assert!((view[1].as_f64().unwrap() - 0.5 * whole).abs() < 0.2, "{view}");
    for clicks in [1, 2] {
        browser.mouse("mousePressed", from, y, clicks);
        browser.mouse("mouseReleased", from, y, clicks);
    }
    browser.wait("location.hash === ''");
    browser.assert_clean();
}

#[test]
fn the_wheel_zooms_around_the_pointer_with_ctrl_and_scrolls_without() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let [x, y] = browser.place_in(MEMORY, 0.25);
    let wheel = |browser: &mut Browser, across: i32, down: i32, keys: u32| {
        let event = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": across, "deltaY": down, "modifiers": keys });
        browser.call("Input.dispatchMouseEvent", event);
    };
    wheel(&mut browser, 0, -100, 2);
    browser.wait("location.hash.includes('from')");
    browser.settle();
    let view = browser.js(VIEW);
    let [from, to] = [0, 1].map(|i| view[i].as_f64().unwrap());
    assert!(to - from < 0.8 * 59.8, "{view}");
    assert!((from + (to - from) / 4.0 - 59.8 / 4.0).abs() < 0.2, "the time there stays: {view}");
    wheel(&mut browser, 100, 0, 0);
    browser.wait(&format!("{VIEW}[0] > {from} + 1"));
    browser.settle();
    let moved = browser.js(VIEW);
    let width = moved[1].as_f64().unwrap() - moved[0].as_f64().unwrap();
    assert!((width - (to - from)).abs() < 1e-3, "{moved}");
    wheel(&mut browser, 0, 100, 0);
    browser.wait("scrollY > 50");
    assert_eq!(browser.js(VIEW), moved);
    browser.assert_clean();
}

#[test]
fn a_click_on_a_test_in_its_lane_selects_it() {
    let Some((_page, mut browser)) = opened("") else {
        return;
    };
    let bar = "[...document.querySelectorAll('.barlayer text')].find((t) => t.textContent === 'F decode')";
    let [x, y] = browser.place_in(bar, 0.5);
    for (what, clicks) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 1)] {
        browser.mouse(what, x, y, clicks);
    }
    browser.wait("!!document.querySelector('tr[aria-selected]')");
    browser.settle();
    let selected = browser.js("document.querySelector('tr[aria-selected] button').textContent");
    assert_eq!(selected, "nightly::decode[llama,smollm2-135m]");
    assert_eq!(browser.js(VIEW), json!([11, 27]), "8 s and half as much on both sides");
    let shaded = browser.js(
        "document.getElementById('plot').layout.shapes.filter((s) => s.type === 'rect').length",
    );
    assert_eq!(shaded, 1);
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
