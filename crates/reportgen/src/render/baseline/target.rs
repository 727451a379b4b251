//! The limits that the figures of a baseline should keep.

use crate::page::{Page, code, prose};
use records::{OnMiss, Target, Test};
use serde_json::Value;

use crate::{
    numbers::{Found, runs_of},
    render::{
        figure::{fine_gb, number, share, timing},
        format::{count, minute, things},
        outcome,
    },
};

/// The metrics that have a row of their own.
const SHOWN: [&str; 8] = [
    "disk_gb",
    "memory_gb",
    "gpu_memory_gb",
    "load_s",
    "first_token_s",
    "warmup_s",
    "steady_s",
    "accuracy",
];

/// The targets of a metric.
pub(super) fn of<'a>(test: &'a Test, metric: &str) -> impl Iterator<Item = &'a Target> {
    test.targets.iter().flatten().filter(move |target| target.metric == metric)
}

/// A limit in a cell: `at most 10, met`.
pub(super) fn limit(target: &Target) -> String {
    let stat = target.stat.as_deref().map(|stat| format!("{} ", prose(stat))).unwrap_or_default();
    let bound = |name: &str, word: &str| {
        let value = target.limit.get(name).and_then(Value::as_f64)?;
        Some(format!("{word} {}", with_unit(&target.metric, value)))
    };
    let bounds: Vec<String> =
        [bound("min", "at least"), bound("max", "at most")].into_iter().flatten().collect();
    let bounds =
        if bounds.is_empty() { code(&target.limit.to_string()) } else { bounds.join(" and ") };
    let kept = match (target.ok, target.on_miss) {
        _ if target.actual.is_none() => "not measured",
        (true, _) => "met",
        (false, OnMiss::Warn) => "missed (warning)",
        (false, OnMiss::Fail) => "missed (failure)",
    };
    format!("{stat}{bounds}, {kept}")
}

/// A limit in the unit of its metric.
fn with_unit(metric: &str, value: f64) -> String {
    match metric {
        "accuracy" => share(value).into(),
        _ if metric.ends_with("_s") => format!("{value} s"),
        _ if metric.ends_with("_gb") => format!("{value} GB"),
        _ => value.to_string(),
    }
}

/// Writes for each baseline whether it met its targets, and what it missed.
pub(super) fn list(page: &mut Page, all: &[Found<'_>]) {
    let targets = |one: &Found<'_>| one.test.targets.iter().flatten().count() as u64;
    let with: Vec<&Found<'_>> = all.iter().filter(|one| targets(one) > 0).collect();
    if with.is_empty() {
        return;
    }
    let sum: u64 = with.iter().map(|one| targets(one)).sum();
    let missed = |one: &Found<'_>| outcome::missed_targets(one.test).count() as u64;
    let missed_sum: u64 = with.iter().map(|one| missed(one)).sum();
    let (sum, of) = (things(sum, "target"), things(with.len() as u64, "baseline"));
    page.paragraph(&match missed_sum {
        0 => format!("**Targets:** ✔ all {sum} of {of} met"),
        n => format!("**Targets:** ✘ {} of {sum} of {of} missed", count(n)),
    });
    let several = runs_of(all) > 1;
    for one in with {
        let began = if several { format!(", {}", minute(one.test.ts)) } else { String::new() };
        let name = format!("{}{began}", code(&one.test.id));
        let misses: Vec<String> = outcome::missed_targets(one.test).map(miss).collect();
        page.item(&match &misses[..] {
            [] => format!("✔ {name}: all {} met", things(targets(one), "target")),
            misses => format!("✘ {name}: {}", misses.join("; ")),
        });
    }
}

/// A target that was missed, with what was measured: `load_s 12 s, at most 10 s, …`.
fn miss(target: &Target) -> String {
    let write = match &*target.metric {
        "accuracy" => share,
        name if name.ends_with("_s") => timing,
        name if name.ends_with("_gb") => fine_gb,
        _ => number,
    };
    let actual = target.actual.map(|actual| format!(" {}", write(actual)));
    format!("{}{}, {}", code(&target.metric), actual.unwrap_or_default(), limit(target))
}

/// Says how many targets were met, and of those on other metrics than the table has what.
pub(super) fn sentence(page: &mut Page, test: &Test) {
    let all = test.targets.as_deref().unwrap_or_default().len() as u64;
    let missed = outcome::missed_targets(test).count() as u64;
    let failures = outcome::missed_targets(test)
        .filter(|target| target.on_miss == OnMiss::Fail)
        .count() as u64;
    match (all, missed) {
        (0, _) => {}
        (1, 0) => page.paragraph("The one target is met."),
        (all, 0) => page.paragraph(&format!("All {} are met.", things(all, "target"))),
        (all, missed) => {
            let fails = match failures {
                0 => "a warning each".to_owned(),
                n if n == missed => "which fails the case".to_owned(),
                n => format!("{} of them so that the case fails", count(n)),
            };
            let targets = things(all, "target");
            page.paragraph(&format!("{} of {targets} missed, {fails}.", count(missed)));
        }
    }
    for target in test.targets.iter().flatten() {
        if !SHOWN.contains(&&*target.metric) {
            page.item(&format!("target on {}: {}", code(&target.metric), limit(target)));
        }
    }
}
