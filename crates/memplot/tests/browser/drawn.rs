//! What is drawn of a run.

use serde_json::json;
use testing::chromium::Browser;

use crate::{
    DRAWN, MEMORY, Page, VIEW,
    common::{HOSTILE, Kind, run},
    opened,
};

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
    let [x, y] = browser.place_in(MEMORY, 0.4);
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
        &(DRAWN.to_owned()
            + ".filter((t) => t.yaxis === 'y5' && t.fill === 'toself').map((t) => [t.name, t.x[2] - t.x[0], ...t.y])"),
    );
    let top = browser.js("document.getElementById('plot').layout.yaxis5.range[1]");
    let band = |name: &str, ms: u32| json!([format!("pressure: {name}"), ms, 0, top, top, 0, null]);
    assert_eq!(bands, json!([band("warn", 7200), band("critical", 200)]), "one sample has a width");
    let lines = browser.js(
        "document.getElementById('plot').layout.shapes.filter((s) => s.type === 'line').map((s) => s.y0)",
    );
    assert_eq!(lines, json!([34.35, 17.175]), "half and a quarter of the machine's memory");
}
