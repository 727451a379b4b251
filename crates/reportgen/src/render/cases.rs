//! One row per case: how it did over the models.

use crate::page::{Cell, Left, Page, Right, Table, row};
use records::{Counts, Test};

use super::{
    change,
    chapter::{Chapter, cell_of},
    format::{count, or_none, seconds, things},
    models::mode,
};
use crate::numbers::{CaseRow, cases};

/// Writes the table of cases.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let rows = cases(&chapter.run.tests);
    if rows.is_empty() {
        return;
    }
    page.heading(2, "Tests");
    let several = chapter.several_backends();
    let mut table = Table::new(
        "cases",
        &[
            ("Test", Left),
            ("Mode", Left),
            ("Results", Left),
            (if several { "Cells" } else { "Models" }, Right),
            ("Median", Right),
            ("Fastest", Right),
            ("Fastest on", Left),
            ("Slowest", Right),
            ("Slowest on", Left),
        ],
    );
    change::columns(&mut table, chapter);
    table.more = rows.len().saturating_sub(page.wanted_rows());
    for row in rows.iter().take(page.wanted_rows()) {
        let (fastest, fastest_on) = extreme(row.fastest, several);
        // A single time is no range: it is not told twice.
        let other = row.slowest.filter(|_| row.fastest != row.slowest);
        let (slowest, slowest_on) = extreme(other, several);
        let mut cells = Vec::from(row![
            name(row),
            mode(row.modality),
            outcomes(&row.counts),
            count(if several { row.cells } else { row.models } as u64),
            or_none(row.median_s, seconds),
            fastest,
            fastest_on,
            slowest,
            slowest_on,
        ]);
        let own = |test: &Test| {
            test.case == row.case && test.suite == row.of && test.modality == row.modality
        };
        let medians = chapter.compared(|comparison| comparison.medians(own));
        cells.extend(change::cells(chapter, medians));
        table.cells(cells);
    }
    // Where every case ran once there is nothing slower than the fastest.
    if rows.iter().all(|row| row.fastest == row.slowest) {
        table.hide("Slowest");
        table.hide("Slowest on");
    }
    page.table(table, "not stated, not measured, or nothing else to compare with");
}

fn name(row: &CaseRow<'_>) -> Cell {
    match row.suite {
        Some(suite) => Cell::name(&format!("{suite}::{}", row.case)),
        None => Cell::name(row.case),
    }
}

fn extreme(extreme: Option<(&Test, f64)>, with_backend: bool) -> (Cell, Cell) {
    match extreme {
        Some((test, time)) => (seconds(time), cell_of(test, with_backend)),
        None => (Cell::none(), Cell::none()),
    }
}

/// `5 passed, 1 failed`.
pub(super) fn outcomes(counts: &Counts) -> String {
    let words: Vec<String> = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.error, "error"),
        (counts.skipped, "skipped"),
        (counts.xfailed, "xfailed"),
        (counts.xpassed, "xpassed"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| match word {
        "error" => things(n, word),
        word => format!("{} {word}", count(n)),
    })
    .collect();
    words.join(", ")
}
