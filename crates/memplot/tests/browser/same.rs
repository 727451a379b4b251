//! A zoom moves points within plotly.js instead of having it draw everything anew
//! (`src/page/js/moving.js`): what is seen must be the same.

use serde_json::{Value, json};
use testing::chromium::Browser;

use crate::{Page, story};

/// Everything that is drawn: data, paths and bars, axes, legends, and what is shaded.
const PICTURE: &str = "(() => {
    const plot = document.getElementById('plot');
    const all = (selector, what) => [...plot.querySelectorAll(selector)].map(what);
    const short = (text) => (text ?? '').replace(/-?[\\d.]+(e-?\\d+)?/g, (number) => (+number).toFixed(2));
    return [
      plot.data.map((t) => [t.name, t.visible, ...[t.x, t.y, t.base, t.text, t.hovertext, t.customdata].map((list) => list && [...list])]),
      all('.plot path', (path) => [path.closest('.trace').getAttribute('class'), path.style.cssText, short(path.getAttribute('d'))]),
      all('.plot text', (text) => [text.textContent, short(text.getAttribute('transform'))]),
      // plotly.js keeps the ticks that stay, and adds others at the end.
      all('[class$=tick] text, .annotation text', (text) => text.textContent + short(text.getAttribute('transform')) + text.getAttribute('x')).sort(),
      all('.gridlayer path, .shapelayer path', (path) => short(path.getAttribute('transform') + path.getAttribute('d'))).sort(),
      all('.infolayer .legend', (legend) => legend.innerHTML.replaceAll(plot._fullLayout._uid, '')),
      document.getElementById('points').textContent,
    ];
  })()";

/// What is told of all rows where the pointer is; nothing where there is nothing near.
fn hovered(browser: &mut Browser) -> Value {
    let [x, y] = browser.place_in("document.querySelector('.nsewdrag')", 0.4);
    for x in [1.0, x - 3.0, x] {
        browser.mouse("mouseMoved", x, y, 0);
    }
    browser.js(
        "new Promise((done) => setTimeout(done, 200)).then(() => document.querySelector('.hoverlayer').textContent)",
    )
}

/// A page of many samples with noise, a gap and times of pressure.
fn noisy() -> Page {
    let mut lines = String::new();
    for i in (0..12_000u64).filter(|i| !(4000..4100).contains(i)) {
        let noise = i * i * 7919 % 1009;
        lines += &format!(
            "{{\"record\":\"sample\",\"v\":1,\"ts\":{}.{},\"run\":\"r\",\"host\":\"h\",\"seq\":{i},\"elapsed_s\":0,\"ram_free_gb\":{},\"tree_rss_gb\":{},\"memory_pressure\":{},\"cpu_user\":{},\"cpu_sys\":{}}}\n",
            1_770_811_205 + i / 5,
            i % 5 * 2,
            20.0 + noise as f64 / 100.0,
            4.0 + noise as f64 / 250.0,
            1 + i / 3000,
            noise % 50,
            noise % 30,
        );
    }
    Page::of(&[("run.jsonl", &lines)], &[])
}

#[test]
fn a_zoom_shows_what_a_page_opened_there_shows() {
    let Some(mut browser) = Browser::start(1400, 1000) else {
        return;
    };
    let story = Page::of(&[("run.jsonl", &story())], &[]);
    // No test, no pressure, no sample in view; the least that a view shows; and back to all.
    compare(&mut browser, &story, "", &[(40.05, 42.9), (53.0, 54.9), (13.0, 13.005), (0.0, 59.8)]);
    compare(&mut browser, &story, "&theme=dark&clock=wall&hidden=", &[(10.0, 50.0), (20.0, 30.0)]);
    // Extremes of what has more samples than pixels, and all of few.
    compare(&mut browser, &noisy(), "", &[(100.0, 2300.0), (780.0, 840.0), (2000.0, 2399.0)]);
    browser.open(&noisy().path(), "");
    let striped = "[...document.querySelectorAll('.striped')].map((trace) => trace.getAttribute('class').includes('tree_rss_gb'))";
    assert_eq!(browser.js(striped), json!([true]), "only what is noise and else dashed");
    browser.assert_clean();
}

/// Zooms in one page through `views`, from start to end in seconds, and opens a page at each.
fn compare(browser: &mut Browser, page: &Page, look: &str, views: &[(f64, f64)]) {
    browser.open(&page.path(), &format!("#{look}"));
    browser
        .js("document.getElementById('plot').on('plotly_react', () => { window.anew = true }); 0");
    let mut moved = Vec::new();
    for (from, to) in views {
        browser.js(&format!("location.hash = 'from={from}&to={to}{look}'"));
        let width =
            "document.getElementById('plot').layout.xaxis.range.reduce((from, to) => to - from)";
        browser.wait(&format!("Math.abs({width} - {}) < 1e-2", (to - from) * 1e3));
        browser.settle();
        moved.push((browser.js(PICTURE), hovered(browser)));
    }
    assert_eq!(browser.js("window.anew ?? false"), false, "it was all drawn anew");
    for ((from, to), (picture, told)) in views.iter().zip(moved) {
        browser.open(&page.path(), &format!("#from={from}&to={to}{look}"));
        let fresh = browser.js(PICTURE);
        for (i, part) in fresh.as_array().unwrap().iter().enumerate() {
            assert_eq!(&picture[i], part, "part {i} from {from} to {to}{look}");
        }
        assert_eq!(hovered(browser), told, "hovered from {from} to {to}{look}");
    }
}
