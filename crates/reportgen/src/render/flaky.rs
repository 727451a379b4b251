//! Tests that do not always come out the same.

use super::{
    chapter::{Chapter, backend_cell, case_of, model_cell},
    format::or_none,
};
use crate::{
    numbers::flaky,
    page::{Left, Page, Table, prose, row},
};

/// Writes a row for each, with how it came out each time.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let all = flaky(chapter.run);
    if all.is_empty() {
        return;
    }
    page.heading(2, "Flaky");
    let mut table = Table::new(
        "flaky",
        &[("Test", Left), ("Model", Left), ("Backend", Left), ("Came out", Left), ("Why", Left)],
    );
    for flaky in all {
        let outcomes: Vec<&str> = flaky.outcomes.iter().map(|outcome| outcome.name()).collect();
        table.row(row![
            case_of(flaky.test),
            model_cell(flaky.test),
            backend_cell(flaky.test),
            outcomes.join(", "),
            or_none(flaky.why, prose),
        ]);
    }
    if !chapter.several_backends() {
        table.hide("Backend");
    }
    page.table(table, "not stated");
}
