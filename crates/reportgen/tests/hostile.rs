//! No text from outside becomes markup: reports are read back as GitHub would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};
use records::classify;
use reportgen::{
    compared::Compared,
    history::History,
    hybrid::Hybrid,
    input::Input,
    numbers::Rules,
    page::{html, markdown},
    render,
};
use serde_json::json;

fn input(lines: &str) -> Input {
    let mut input = Input::new(&["x".to_owned()]);
    for line in lines.lines() {
        input.line(0, &classify(line.as_bytes()), line.as_bytes()).unwrap();
    }
    input.finish()
}

fn report(lines: &str) -> String {
    let page = render::report(&input(lines), &render::Options::default());
    markdown::write(&page, markdown::Source::Aligned)
}

/// The report on `now` beside `then`, as Markdown and as HTML.
fn compared(then: &str, now: &str) -> [String; 2] {
    let (then, now) = (input(then), input(now));
    let rules = Rules { noise_pct: 5.0, any_host: true };
    let all = Compared::of(&now, &then, rules);
    let options = render::Options { compare: Some(&all), ..Default::default() };
    let page = render::report(&now, &options);
    [markdown::write(&page, markdown::Source::Aligned), html::write(&page)]
}

/// The elements of an HTML page that no report of ours has.
fn strange_elements(page: &str) -> Vec<&str> {
    const OURS: &str = "!doctype html head meta title style body main h1 h2 h3 h4 h5 h6 p ul li \
                        strong code pre table thead tbody tr th td details summary div";
    let body = page.split_once("</style>").map_or(page, |(_, body)| body);
    let names = body.split('<').skip(1).map(|tag| {
        tag.trim_start_matches('/').split(|c: char| !c.is_alphanumeric()).next().unwrap_or(tag)
    });
    names.filter(|name| !OURS.split_whitespace().any(|ours| ours == *name)).collect()
}

/// The only markup that a report has besides its Markdown: what opens a part, and what
/// closes it.
const OPENS: [&str; 2] = [
    "<details><summary>Per-run detail, by test id</summary>\n",
    "<details><summary>The order that would load each model once</summary>\n",
];
const CLOSES: &str = "</details>\n";

/// What must not be in a report, as far as names and messages can bring it in.
fn offences(report: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
    let mut found = Vec::new();
    let (mut columns, mut open) = (0, false);
    for (event, at) in Parser::new_ext(report, options).into_offset_iter() {
        match event {
            Event::Html(html) if !open && OPENS.contains(&&*html) => open = true,
            Event::Html(html) if open && &*html == CLOSES => open = false,
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {
                found.push(format!("{event:?}"));
            }
            Event::Start(
                Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::BlockQuote(_)
                // Ours have no numbers.
                | Tag::List(Some(_)),
            ) => found.push(format!("{event:?}")),
            // Ours all say what they hold.
            Event::Start(Tag::CodeBlock(kind)) if kind != CodeBlockKind::Fenced("text".into()) => {
                found.push(format!("{kind:?}"));
            }
            Event::Start(Tag::Table(sides)) => columns = sides.len(),
            // Readers fill short rows up and cut long ones off: only the source tells.
            Event::Start(Tag::TableRow) if pipes(&report[at.clone()]) != columns + 1 => {
                found.push(format!("ragged row: {}", &report[at]));
            }
            _ => {}
        }
    }
    if open {
        found.push("a part that is not closed".to_owned());
    }
    for (number, line) in report.lines().enumerate() {
        if line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)) {
            found.push(format!("line {}: {line}", number + 1));
        }
    }
    found
}

/// Pipes that part cells.
fn pipes(row: &str) -> usize {
    let mut escaped = false;
    let parts = |c: char| {
        let part = c == '|' && !escaped;
        escaped = c == '\\' && !escaped;
        part
    };
    row.chars().map(parts).filter(|part| *part).count()
}

/// Names that could break something, glued together at random.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "|",
            "\\",
            "`",
            "``",
            "```",
            "\n",
            "\r",
            "<b>",
            "</td>",
            "&lt;",
            "[a](b)",
            "![",
            "](http://x)",
            "**",
            "_",
            "~~",
            "$$",
            "#",
            "- ",
            "> ",
            "1. ",
            "\t",
            "\u{202e}",
            "\u{2028}",
            "<!--",
            "  ",
            "::",
            "http://e.vil",
            "---",
            "|-|",
            "\u{1b}[2J",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9é模 ]{0,6}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

#[test]
fn the_prepared_report_with_hostile_names_is_clean() {
    let report = report(include_str!("data/hostile.jsonl"));
    assert_eq!(offences(&report), Vec::<String>::new(), "{report}");
}

#[test]
fn the_prepared_report_with_hostile_measurements_is_clean() {
    let report = report(include_str!("data/measured-hostile.jsonl"));
    assert_eq!(offences(&report), Vec::<String>::new(), "{report}");
}

#[test]
fn a_report_that_is_not_clean_is_found_out() {
    assert!(!offences("a <b>bold</b> [link](x)\n").is_empty());
    assert!(!offences("| a | b |\n|---|---|\n| c | d | e |\n").is_empty());
    assert!(!offences(&format!("{}\ntext\n", OPENS[0])).is_empty());
    assert!(!offences("```\nunmarked\n```\n").is_empty());
}

/// The lines of a run with a measurement of each kind, whose names are these.
fn measurements(a: &str, b: &str, c: &str) -> String {
    let test = |case: &str, more: serde_json::Value| {
        let mut line = json!({"record": "test", "v": 1, "ts": 100.0, "run": "r", "host": "h",
            "id": a, "suite": b, "case": format!("{case}{c}"), "outcome": "passed",
            "params": {"backend": a, "model": b, a: c}, "backend": {"name": a, "kind": b, "notes": c},
            "model": {"id": c, "quantization": a, "framework": b, "family": c, "notes": a},
            "verdict": {"state": "suspect", "reasons": [a, b]},
            "targets": [{"metric": a, "stat": b, "limit": {c: a}, "ok": false, "on_miss": "warn"}]});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    let speeds = json!({"prompt_tps": 2.0, "generation_tps": {"mean": 1.0, "n": 3, "min": 1.0, "median": 1.0, "max": 1.0}});
    let lines = [
        test(
            "bench",
            json!({"protocol": {"kind": "bench", "cache_avoided_by": a}, "metrics": speeds, "runs": [speeds]}),
        ),
        test(
            "bench",
            json!({"protocol": {"kind": "bench", "cache_avoided_by": b}, "metrics": speeds,
            "params": {"backend": c, "model": b, a: c}, "model": {"id": c, "quantization": b}}),
        ),
        test("bench", json!({"outcome": "error", "error": {"kind": b, "message": c}})),
        test(
            "baseline",
            json!({"protocol": {"kind": "baseline"}, "metrics": {"load_s": 1.0, "steady_s": 1.0, "memory_gb": 1.0}}),
        ),
        test(
            "batch",
            json!({"protocol": {"kind": "batch", "rate": 1.0, "arrival": a, "goodput": {b: 1.0}},
            "batch": {"requests": 1, "answered": 1, "duration_s": 1.0, "retried": 0, "retries": 0, "errors": {a: 1}},
            "metrics": {"goodput_rps": 1.0},
            "cost": [{"price": a, "basis": "energy", "currency": b, "per_1k_requests": 1.0, "energy_of": [c], "unknown": a}],
            "samples": [{"custom_id": a, "text": b}, {"custom_id": c, "text": a}]}),
        ),
    ];
    lines.join("\n")
}

proptest! {
    #[test]
    fn no_name_and_no_answer_breaks_a_measurement(a in hostile(), b in hostile(), c in hostile()) {
        let report = report(&measurements(&a, &b, &c));
        prop_assert_eq!(offences(&report), Vec::<String>::new(), "{}", report);
    }

    #[test]
    fn no_name_breaks_a_report(a in hostile(), b in hostile(), c in hostile()) {
        let head = |record: &str| json!({"record": record, "v": 1, "ts": 100.0, "run": a, "host": b});
        let with = |record: &str, more: serde_json::Value| {
            let mut line = head(record);
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            line.to_string()
        };
        let error = json!({"kind": a, "message": b, "log_tail": [c, a]});
        let lines = [
            with("run_start", json!({"producer": {"name": c, "version": a}, "suite": b, "file": c, "selected": [{"id": c}]})),
            with("test", json!({"id": a, "suite": b, "case": c, "outcome": "error", "reason": b, "error": error,
                "params": {"backend": c, "model": a, "axis": b}, "checks": [{"expect": a, "ok": false, "actual": b}]})),
            with("test", json!({"id": b, "suite": a, "case": c, "outcome": "skipped", "reason": c})),
            with("test", json!({"id": c, "suite": a, "case": a, "outcome": "passed", "duration_s": 1.0,
                "params": {"backend": a, "model": c}, "sample_output": a})),
            with("span", json!({"phase": "load", "end_ts": 101.0, "duration_s": 1.0, "params": {"model": b}, "error": error})),
            with("model_life", json!({"end_ts": 101.0, "params": {"backend": a, "model": b}, "model_delta_gb": 1.0,
                "page_cache": c, "tests": [a], "unnamed_tests": [b, c]})),
            with("advice", json!({"loads": 2, "models": 1, "message": a, "order": [b, c]})),
            with("attempt", json!({"id": c, "attempt": 1, "outcome": "failed", "reason": b, "end_ts": 100.5, "duration_s": 0.5})),
            with("anomaly", json!({"kind": a, "severity": "warn", "end_ts": 101.0, "message": c, "tests": [b]})),
        ];
        let lines = lines.join("\n");
        let report = report(&lines);
        prop_assert_eq!(offences(&report), Vec::<String>::new(), "{}", report);
        // Beside a run in which something else passed, failed, and was there at all.
        let then = lines.replace("\"error\",", "\"passed\",").replace("1.0", "2.0").replace("axis", "other");
        let [report, page] = compared(&then, &lines);
        prop_assert_eq!(offences(&report), Vec::<String>::new(), "{}", report);
        prop_assert_eq!(strange_elements(&page), Vec::<&str>::new(), "{}", page);
    }
}

proptest! {
    // The reports are several times as long as the others.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_name_breaks_what_is_said_over_several_runs(a in hostile(), b in hostile(), c in hostile()) {
        let lines = measurements(&a, &b, &c);
        // The same in another run, and two that did not come to an end.
        let other = json!({"v": 1, "ts": 200.0, "run": format!("{c}!"), "host": "h"});
        let with = |more: serde_json::Value| {
            let mut line = other.clone();
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            line.to_string()
        };
        let again = lines.replace(r#""run":"r""#, &format!(r#""run":{}"#, other["run"]));
        let more = [
            lines.clone(),
            again,
            with(json!({"record": "run_start", "producer": {"name": c, "version": a}, "suite": b, "file": c,
                "selected": [{"id": format!("{a}!"), "requests": 9}, {"id": format!("{b}?"), "requests": 9}]})),
            with(json!({"record": "request", "id": format!("{a}!"), "index": 0, "end_ts": 201.0,
                "duration_s": 1.0, "tries": 1})),
        ];
        let several = input(&more.join("\n"));
        let hybrid = Hybrid::find(&format!("{a},{a},20"), &several).ok();
        let mut history = History::default();
        history.add_current(&input(&lines));
        history.add_current(&several);
        history.faults.push((a, b));
        let options = render::Options {
            history: Some(&history),
            hybrid: hybrid.as_ref(),
            ..render::Options::default()
        };
        let report = markdown::write(&render::report(&several, &options), markdown::Source::Aligned);
        prop_assert_eq!(offences(&report), Vec::<String>::new(), "{}", report);
        for part in ["All benches", "Consistency from run to run", "Under way and pending", "History"] {
            prop_assert!(report.contains(part), "{} is missing: {}", part, report);
        }
    }
}
