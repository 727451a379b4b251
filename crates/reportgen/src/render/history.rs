//! Runs over time.

use std::collections::BTreeSet;

use crate::{
    history::{History, Series},
    numbers::{Better, sparkline, trend},
    page::{Cell, Left, Page, Right, Table, code, prose, row},
    render::{
        figure::{fine_gb, number, share, timing},
        format::{count, minute, or_none, pct, pct_change, seconds, things},
    },
};

/// The most runs that a line of bars shows.
const BARS: usize = 40;

/// Writes the runs and how each figure went from one to the next.
pub(super) fn section(page: &mut Page, history: &History) {
    page.heading(2, "History");
    let earlier = history.runs.iter().filter(|run| run.file.is_some()).count() as u64;
    page.paragraph(&format!(
        "{} before {} of this report, the earliest first.",
        things(earlier, "run"),
        match history.runs.len() as u64 - earlier {
            1 => "the one".to_owned(),
            n => format!("the {}", count(n)),
        }
    ));
    for (file, why) in &history.faults {
        page.item(&format!("{}: {}", code(file), prose(why)));
    }
    runs(page, history);
    trends(page, history);
}

fn runs(page: &mut Page, history: &History) {
    let mut table = Table::new(
        "history_runs",
        &[
            ("#", Right),
            ("Run", Left),
            ("Host", Left),
            ("Start", Right),
            ("Tests", Right),
            ("Not passed", Right),
            ("Time in tests", Right),
            ("File", Left),
        ],
    );
    for (at, run) in history.runs.iter().enumerate() {
        table.row(row![
            (at + 1).to_string(),
            Cell::name(&run.id),
            Cell::name(&run.host),
            or_none(Some(run.start).filter(|start| start.is_finite()), minute),
            count(run.tests),
            count(run.bad),
            or_none(run.time_s, seconds),
            run.file.as_deref().map_or_else(|| "this report".into(), Cell::name),
        ]);
    }
    // The id is for programs: people know runs by their number here.
    table.hide("Run");
    page.table(table, "not known");
}

fn trends(page: &mut Page, history: &History) {
    let all = history.series();
    let (mut durations, mut measured): (Vec<Series<'_>>, Vec<Series<'_>>) =
        all.into_iter().partition(|series| series.key.figure.name == "duration_s");
    measured.retain(|series| series.points.len() > 1);
    durations.retain(|series| series.points.len() > 1);
    if measured.is_empty() && durations.is_empty() {
        page.paragraph("No test came to figures in two runs on the same host.");
        return;
    }
    page.paragraph(&format!(
        "A bar for each run on that host with a test of the suite, the last {BARS} at most, from \
         the least value (▁) to the greatest (█); · where it has no figure. The change is that of \
         the last against the first; one run by itself says nothing of noise.",
    ));
    if !measured.is_empty() {
        page.heading(3, "Measurements over time");
        measured.sort_by(|a, b| (&a.key.host, &a.key.test).cmp(&(&b.key.host, &b.key.test)));
        table(page, &measured, history);
    }
    if !durations.is_empty() {
        page.heading(3, "Durations over time");
        page.paragraph("Of tests that came through, those first that changed most.");
        let size = |series: &Series<'_>| {
            let points = &series.points;
            trend(points, Better::Less).and_then(|trend| trend.change_pct()).map_or(0.0, f64::abs)
        };
        durations.sort_by(|a, b| size(b).total_cmp(&size(a)));
        table(page, &durations, history);
    }
}

fn table(page: &mut Page, all: &[Series<'_>], history: &History) {
    let mut table = Table::new(
        "trends",
        &[
            ("Host", Left),
            ("Test", Left),
            ("Metric", Left),
            ("Runs", Right),
            ("Trend", Left),
            ("First", Right),
            ("Last", Right),
            ("Change", Right),
            ("Best", Right),
            ("Best on", Right),
        ],
    );
    for series in all {
        let figure = series.key.figure;
        let Some(trend) = trend(&series.points, figure.better) else { continue };
        let write = |value: f64| write(figure.name, value);
        let shown = series.values.len().saturating_sub(BARS);
        let line = sparkline(&series.values[shown..]);
        table.row(row![
            Cell::name(&series.key.host),
            Cell::name(&series.key.test),
            figure.name,
            count(trend.n as u64),
            Cell::words(&line, code(&line)),
            write(trend.first),
            write(trend.last),
            or_none(trend.change_pct(), |change| changed(change, figure.better)),
            write(trend.best),
            minute(history.runs[trend.best_run].start),
        ]);
    }
    let hosts: BTreeSet<&str> = all.iter().map(|series| &*series.key.host).collect();
    if hosts.len() == 1 {
        table.hide("Host");
    }
    if all.iter().all(|series| series.key.figure.name == all[0].key.figure.name) {
        table.hide("Metric");
    }
    page.table(table, "not defined: the first is 0");
}

/// A change in percent, and whether it is one to the better.
fn changed(change: f64, better: Better) -> Cell {
    let cell = pct_change(change);
    let word = match (change > 0.0, better) {
        _ if !cell.starts_with(['+', '−']) => return cell,
        (true, Better::More) | (false, Better::Less) => "better",
        _ => "worse",
    };
    let text = format!("{cell} {word}");
    cell.shown_as(text)
}

/// A value in the unit of its figure.
fn write(name: &str, value: f64) -> Cell {
    match name {
        "success_rate" => share(value),
        _ if name.ends_with("_s") => timing(value),
        _ if name.ends_with("_gb") => fine_gb(value),
        _ if name.ends_with("_pct") => pct(value),
        _ => number(value),
    }
}
