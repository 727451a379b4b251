//! A million samples, and each of their peaks.

use testing::chromium::Browser;

use crate::{Page, VIEW};

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
