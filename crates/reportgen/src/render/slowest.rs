//! The tests that took longest, and those that had to load their model.

use crate::page::{Cell, Left, Page, Right, Side, Table, row};
use records::{Outcome, Test};

use super::{
    cases,
    chapter::{Chapter, backend_cell, case_of, model_cell},
    format::{count, gb_change, or_none, pct, seconds},
};
use crate::numbers::{Usage, tally, usage};

/// The most tests that are listed as slow.
const MOST: usize = 10;

/// Writes both lists.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let mut timed: Vec<(&Test, f64)> = chapter
        .run
        .tests
        .iter()
        .filter(|test| test.outcome != Outcome::Skipped)
        .filter_map(|test| test.duration_s.map(|seconds| (test, seconds)))
        .collect();
    if timed.len() > 3 {
        page.heading(2, "Slowest tests");
        // Stable: of equals the one that ran first comes first.
        timed.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut table = columns("slowest", &[("Outcome", Left), ("Cold start", Left)]);
        for (test, time) in timed.iter().take(MOST) {
            let outcome = cases::outcomes(&tally([*test])).replacen("1 ", "", 1);
            let cold = or_none(test.cold_start, |cold| if cold { "yes" } else { "no" }.to_owned());
            add(&mut table, test, *time, row![outcome, cold]);
        }
        finish(page, chapter, table);
    }
    cold_starts(page, chapter);
}

fn cold_starts(page: &mut Page, chapter: &Chapter<'_>) {
    let known = chapter.run.tests.iter().any(|test| test.cold_start.is_some());
    if !known {
        return;
    }
    let cold: Vec<&Test> =
        chapter.run.tests.iter().filter(|test| test.cold_start == Some(true)).collect();
    page.heading(2, "Cold starts");
    if cold.is_empty() {
        page.paragraph("No test was the first on a model that had just been loaded.");
        return;
    }
    page.paragraph(
        "The first test on each model after it was loaded; without `load` spans, after the model \
         changed.",
    );
    let mut table = columns(
        "cold_starts",
        &[
            ("Model took", Right),
            ("GPU device", Right),
            ("GPU renderer", Right),
            ("Samples", Right),
        ],
    );
    table.more = cold.len().saturating_sub(page.wanted_rows());
    for test in cold.into_iter().take(page.wanted_rows()) {
        let used = test.resources.as_ref().map(usage);
        let mean = |of: fn(&Usage) -> Option<MeanMax>| {
            or_none(used.as_ref().and_then(of).and_then(|(mean, _)| mean), pct)
        };
        let cells = row![
            or_none(test.model_delta_gb, gb_change),
            mean(|used| used.gpu_pct),
            mean(|used| used.gpu_renderer_pct),
            or_none(used.as_ref().map(|used| used.samples), count),
        ];
        add(&mut table, test, test.duration_s.unwrap_or(f64::NAN), cells);
    }
    finish(page, chapter, table);
}

/// A mean, where it is known, and the greatest value.
type MeanMax = (Option<f64>, f64);

fn columns(name: &'static str, more: &[(&str, Side)]) -> Table {
    let mut table =
        Table::new(name, &[("Test", Left), ("Model", Left), ("Backend", Left), ("Time", Right)]);
    more.iter().for_each(|(title, side)| table.column(title, *side));
    table
}

fn add<const N: usize>(table: &mut Table, test: &Test, time: f64, more: [Cell; N]) {
    let time = if time.is_finite() { seconds(time) } else { Cell::none() };
    let mut cells = Vec::from(row![case_of(test), model_cell(test), backend_cell(test), time]);
    cells.extend(more);
    table.cells(cells);
}

fn finish(page: &mut Page, chapter: &Chapter<'_>, mut table: Table) {
    if !chapter.several_backends() {
        table.hide("Backend");
    }
    page.table(table, "not stated or not measured");
}
