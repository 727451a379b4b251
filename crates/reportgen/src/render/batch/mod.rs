//! Batches: many requests out of a file.

mod figures;
mod hybrid;
mod price;
mod ranking;
mod sample;
mod underway;

pub(super) use hybrid::section as hybrid;

use crate::page::{Cell, Left, Page, Right, Table, code, row};
use records::{Metric, ProtocolKind, Test};

use super::{
    bench::model_line,
    chapter::{Chapter, backend_cell, case_of, model_cell},
    figure::{large, mean_count, rate, share},
    format::{count, minute, or_none, seconds},
    outcome, protocol,
};
use crate::numbers::{Found, batch};

/// Writes a table of all batches where there are several, a part for each, and their costs.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let tests = chapter.measured.select(&chapter.run.tests, ProtocolKind::Batch);
    let unfinished = underway::unfinished(chapter.run);
    if tests.is_empty() && unfinished.is_empty() {
        return;
    }
    page.heading(2, if tests.len() == 1 { "Batch" } else { "Batches" });
    if tests.len() > 1 {
        comparison(page, &tests);
        ranking::section(page, &tests, 3);
    }
    underway::section(page, &unfinished);
    tests.iter().for_each(|test| page.on_test(&test.id, |page| entry(page, test)));
    price::section(page, &tests);
}

/// Writes the rankings of the batches of several runs.
pub(super) fn over(page: &mut Page, all: &[Found<'_>]) {
    page.heading(3, "All batches");
    let tests: Vec<&Test> = all.iter().map(|one| one.test).collect();
    comparison(page, &tests);
    ranking::section(page, &tests, 4);
}

fn comparison(page: &mut Page, tests: &[&Test]) {
    let mut table = Table::new(
        "batches",
        &[
            ("Case", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Date", Right),
            ("Requests", Right),
            ("Success", Right),
            ("Time", Right),
            ("Requests/s", Right),
            ("Output tok/s", Right),
            ("Total tok/s", Right),
            ("Mean answer", Right),
            ("Verdict", Left),
        ],
    );
    for test in tests {
        let (figures, totals) = (batch(test), test.batch.as_ref());
        let get = |metric: &Option<Metric>, write: fn(f64) -> Cell| {
            or_none(metric.as_ref(), |metric| write(metric.value()))
        };
        table.row(row![
            case_of(test),
            model_cell(test),
            backend_cell(test),
            minute(test.ts),
            or_none(totals, |totals| count(totals.requests)),
            or_none(figures.success_rate, share),
            or_none(totals.filter(|totals| totals.duration_s > 0.0), |totals| {
                seconds(totals.duration_s)
            }),
            get(&test.metrics.request_tps, rate),
            get(&test.metrics.output_tps, large),
            or_none(figures.total_tps, large),
            or_none(figures.completion_tokens, |n| format!("{} tok", mean_count(n))),
            outcome::word(test).to_owned(),
        ]);
    }
    if tests.iter().all(|test| test.run == tests[0].run && test.host == tests[0].host) {
        table.hide("Date");
    }
    for (name, cell) in
        [("Case", case_of as fn(&Test) -> Cell), ("Backend", backend_cell), ("Model", model_cell)]
    {
        if tests.iter().all(|test| cell(test) == cell(tests[0])) {
            table.hide(name);
        }
    }
    page.table(table, "not stated or not measured");
}

fn entry(page: &mut Page, test: &Test) {
    page.heading(3, &code(&test.id));
    if let Some(facts) = model_line(&[test]) {
        page.fact("Model", &facts);
    }
    if let Some(how) = protocol::line(&[test]) {
        page.fact("Measured", &how);
    }
    if test.batch.is_some() || !test.metrics.is_empty() {
        figures::table(page, test);
        figures::latencies(page, test);
    }
    outcome::remarks(test).iter().for_each(|remark| page.item(remark));
    sample::list(page, test);
}
