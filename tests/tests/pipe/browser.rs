//! The timeline of the real run, in a real browser.

use testing::chromium::Browser;

use crate::tools::demo;

#[test]
fn the_timeline_opens_offline_without_a_console_error() {
    let Some(mut browser) = Browser::start(1400, 1000) else { return };
    let demo = demo();
    browser.open(&demo.path("timeline.html"), "");
    assert_eq!(browser.mark("drawn"), "yes");
    let page = browser.js("document.body.innerText");
    let page = page.as_str().unwrap();
    for case in ["arithmetic", "streaming", "backend-version"] {
        assert!(page.contains(case), "{case} is not on the page: {page}");
    }
    // What this machine has not got is said in its row.
    let stream = demo.of_kind("stream").next().unwrap();
    if stream["machine"]["gpus"].as_array().unwrap().is_empty() {
        assert!(page.contains("GPU: not measured"), "the unmeasured row says so: {page}");
    }
    browser.assert_clean();
}
