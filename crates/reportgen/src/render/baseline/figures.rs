//! The figures of a baseline beside their limits.

use crate::page::{Cell, Left, Page, Right, Table, row};
use records::{Accuracy, Metric, Test};

use super::target;
use crate::{
    numbers::{Steady, accuracy_pct, consistency, stats, steady},
    render::{
        figure::{fine_gb, plus_minus, share, timing},
        format::{count, or_none, pct},
    },
};

/// The most single values that are shown.
const MOST: usize = 30;

/// Each figure with the limits that it should keep.
pub(super) fn table(page: &mut Page, test: &Test) {
    let metrics = &test.metrics;
    let get = |metric: &Option<Metric>, write: fn(f64) -> Cell| {
        metric.as_ref().map(|metric| write(metric.value()))
    };
    let steady = steady(test);
    let rows = [
        ("Disk size", "disk_gb", get(&metrics.disk_gb, fine_gb)),
        ("Memory after load, processes", "memory_gb", get(&metrics.memory_gb, fine_gb)),
        ("Memory after load, GPU", "gpu_memory_gb", get(&metrics.gpu_memory_gb, fine_gb)),
        ("Load time", "load_s", get(&metrics.load_s, timing)),
        ("Start to first token", "first_token_s", get(&metrics.first_token_s, timing)),
        ("Warm-up (first query)", "warmup_s", get(&metrics.warmup_s, timing)),
        ("Steady state", "steady_s", steady.as_ref().map(mean_of)),
        ("Consistency", "", steady.as_ref().and_then(consistency_of)),
        ("Accuracy", "accuracy", metrics.accuracy.map(accuracy_of)),
    ];
    let mut table =
        Table::new("baseline_figures", &[("Figure", Left), ("Measured", Right), ("Target", Left)]);
    let mut missing = Vec::new();
    for (name, metric, value) in rows {
        let limits: Vec<String> = target::of(test, metric).map(target::limit).collect();
        match value {
            None if limits.is_empty() => missing.push(name.to_lowercase().replace("gpu", "GPU")),
            value => {
                table.row(row![name.to_owned(), or_none(value, |value| value), limits.join(", ")])
            }
        }
    }
    // What only some backends tell, or only streams, is missed in none.
    let speed = |metric: &Option<Metric>, scale, unit: &str| {
        metric.as_ref().map(|metric| {
            let cell = plus_minus(&stats(metric), scale);
            let text = format!("{cell} {unit}");
            cell.shown_as(text)
        })
    };
    for (name, value) in [
        ("Steady TTFT", speed(&metrics.ttft_s, 1e3, "ms")),
        ("Steady PP", speed(&metrics.prompt_tps, 1.0, "tok/s")),
        ("Steady TG", speed(&metrics.generation_tps, 1.0, "tok/s")),
    ] {
        if let Some(value) = value {
            table.row(row![name, value, ""]);
        }
    }
    table.hide_where("Target", "");
    page.table(table, "not measured");
    if !missing.is_empty() {
        page.paragraph(&format!("Not measured: {}.", missing.join("; ")));
    }
    if let Some(Steady { each_s, .. }) = steady.filter(|steady| steady.each_s.len() > 1) {
        let shown: Vec<String> = each_s.iter().take(MOST).map(|s| format!("{s:.3}")).collect();
        let more = match each_s.len().saturating_sub(MOST) {
            0 => String::new(),
            n => format!(" and {} more", count(n as u64)),
        };
        page.paragraph(&format!("Each query in seconds: {}{more}.", shown.join(", ")));
    }
}

fn mean_of(steady: &Steady) -> Cell {
    let stats = &steady.stats;
    match stats.sd.filter(|_| stats.n > 1) {
        Some(sd) => Cell::pair(
            [(Some(stats.mean), "s_mean"), (Some(sd), "s_sd")],
            format!("{} ±{sd:.3} (n = {})", timing(stats.mean), count(stats.n)),
        ),
        None => timing(stats.mean),
    }
}

fn consistency_of(steady: &Steady) -> Option<Cell> {
    let (cv, called) = consistency(&steady.stats)?;
    let text = format!("CV {}, {} (n = {})", pct(cv), called.name(), count(steady.stats.n));
    Some(Cell::number(cv, "pct", text))
}

fn accuracy_of(accuracy: Accuracy) -> Cell {
    let counts = format!("{}/{}", count(accuracy.correct), count(accuracy.total));
    match accuracy_pct(accuracy) {
        Some(pct) => {
            let share = share(pct / 100.0);
            let text = format!("{share} ({counts})");
            share.shown_as(text)
        }
        None => counts.into(),
    }
}
