//! The tables of a bench.

use crate::page::{Cell, Left, Page, Right, Table, code, prose};
use records::{Metric, Stats, Test};
use serde_json::Value;

use crate::{
    numbers::{self, BenchGroup, load_s, stats},
    render::{
        chapter::{Chapter, backend_cell, plain},
        figure::{number, plus_minus, timing},
        format::{minute, or_none},
        outcome,
    },
};

const MS: f64 = 1e3;

/// Writes the table of speeds: a row for every test, whatever came of it.
pub(super) fn table(page: &mut Page, chapter: &Chapter<'_>, group: &BenchGroup<'_>) {
    let mut table = Table::new("benches", &[("Backend", Left)]);
    axes(&mut table, group);
    for (name, side) in [
        ("Load", Right),
        ("PP tok/s", Right),
        ("TG tok/s", Right),
        ("TTFT ms", Right),
        ("TPOT ms", Right),
        ("ITL ms p50/p99", Right),
        ("E2E ms", Right),
        ("RTFx", Right),
        ("Verdict", Left),
        ("Began", Right),
        ("Notes", Left),
    ] {
        table.column(name, side);
    }
    for test in &group.tests {
        let metrics = &test.metrics;
        let mean = |metric: &Option<Metric>, scale| {
            or_none(metric.as_ref(), |metric| plus_minus(&stats(metric), scale))
        };
        let load = load_s(test, &chapter.run.spans);
        let notes = test.backend.as_ref().and_then(|backend| backend.notes.as_deref());
        let mut cells = vec![backend_cell(test)];
        cells.extend(axis_cells(group, test));
        cells.extend([
            or_none(load, timing),
            mean(&metrics.prompt_tps, 1.0),
            mean(&metrics.generation_tps, 1.0),
            mean(&metrics.ttft_s, MS),
            mean(&metrics.tpot_s, MS),
            or_none(metrics.itl_s.as_ref().and_then(quantiles), |text| text),
            mean(&metrics.e2e_s, MS),
            mean(&metrics.rtfx, 1.0),
            outcome::word(test).into(),
            minute(test.ts),
            notes.filter(|notes| !notes.trim().is_empty()).map(prose).unwrap_or_default().into(),
        ]);
        table.cells(cells);
    }
    leave_out(&mut table, group);
    page.table(table, "not stated or not measured");
}

/// Leaves out what says the same as other columns, or is not what such a bench is about.
fn leave_out(table: &mut Table, group: &BenchGroup<'_>) {
    let any = |get: fn(&Test) -> bool| group.tests.iter().any(|test| get(test));
    let lacks = |test: &&&Test| {
        test.metrics.tpot_s.is_some() && test.metrics.itl_s.as_ref().and_then(quantiles).is_none()
    };
    let quantiles = any(|test| test.metrics.itl_s.as_ref().and_then(quantiles).is_some());
    if quantiles && !group.tests.iter().any(|test| lacks(&test)) {
        table.hide("TPOT ms");
    } else {
        table.hide("ITL ms p50/p99");
    }
    if any(|test| test.metrics.generation_tps.is_some() || test.metrics.e2e_s.is_none()) {
        table.hide("E2E ms");
    }
    if !any(|test| test.metrics.rtfx.is_some()) {
        table.hide("RTFx");
    }
    if any(|test| test.metrics.rtfx.is_some()) && !any(|test| test.metrics.ttft_s.is_some()) {
        for name in ["PP tok/s", "TG tok/s", "TTFT ms", "TPOT ms"] {
            table.hide(name);
        }
    }
    // It tells apart what was measured again.
    if !group.tests.iter().any(|test| group.is_again(test)) {
        table.hide("Began");
    }
    table.hide_where("Notes", "");
}

/// Inter-token latencies in milliseconds, where there are enough gaps for both.
fn quantiles(metric: &Metric) -> Option<String> {
    let stats = stats(metric);
    Some(format!("{}/{}", number(stats.p50? * MS), number(stats.p99? * MS)))
}

/// Writes what the servers say of themselves beside ours.
pub(super) fn own_timings(page: &mut Page, group: &BenchGroup<'_>) {
    let own = |test: &Test| numbers::own_timings(&test.metrics);
    if !group.tests.iter().any(|test| own(test).is_some()) {
        return;
    }
    page.paragraph("By the server's own clock, and what ours differs from it:");
    let mut table = Table::new("server_timings", &[("Backend", Left)]);
    axes(&mut table, group);
    for name in [
        "PP ours",
        "PP server",
        "Difference",
        "TG ours",
        "TG server",
        "Difference",
        "TTFT − prompt time",
    ] {
        table.column(name, Right);
    }
    for test in &group.tests {
        let Some(own) = own(test) else { continue };
        let ours =
            |metric: &Option<Metric>| or_none(metric.as_ref(), |metric| number(metric.value()));
        let mut cells = vec![backend_cell(test)];
        cells.extend(axis_cells(group, test));
        cells.extend([
            ours(&test.metrics.prompt_tps),
            theirs(own.prompt_tps.as_ref()),
            difference(own.prompt_difference_pct.as_ref()),
            ours(&test.metrics.generation_tps),
            theirs(own.generation_tps.as_ref()),
            difference(own.generation_difference_pct.as_ref()),
            or_none(own.ttft_minus_prompt_s, |late| format!("{} ms", number(late.mean * MS))),
        ]);
        table.cells(cells);
    }
    page.table(table, "not measured");
}

fn theirs(stats: Option<&Stats>) -> Cell {
    or_none(stats, |stats| number(stats.mean))
}

/// A difference in percent with its sign.
fn difference(stats: Option<&Stats>) -> Cell {
    or_none(stats, |stats| match format!("{:.1}", stats.mean.abs()).as_str() {
        "0.0" => "0.0 %".to_owned(),
        size if stats.mean < 0.0 => format!("−{size} %"),
        size => format!("+{size} %"),
    })
}

/// The value of an axis.
fn axis_cell(value: &Value) -> Cell {
    let text = prose(&plain(value));
    match value.as_f64() {
        Some(number) => Cell::number(number, "", text),
        None => Cell::words(&plain(value), text),
    }
}

fn axes(table: &mut Table, group: &BenchGroup<'_>) {
    for axis in &group.axes {
        let numbers = group.tests.iter().filter_map(|test| test.params.axes.get(*axis));
        let side = if numbers.clone().all(serde_json::Value::is_number) { Right } else { Left };
        table.column(&code(axis), side);
    }
}

fn axis_cells(group: &BenchGroup<'_>, test: &Test) -> Vec<Cell> {
    let value = |axis: &&str| or_none(test.params.axes.get(*axis), axis_cell);
    group.axes.iter().map(value).collect()
}
