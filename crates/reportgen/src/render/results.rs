//! Every result, for programs: people find theirs in the other tables.

use super::{
    chapter::{Chapter, backend_cell, model_cell},
    format::{moment, or_none, seconds},
    models::mode,
};
use crate::{
    input::Input,
    page::{Cell, Left, Page, Right, Table, row},
};

/// Hands over a row for each result, with where its record stands.
pub(super) fn table(page: &mut Page, input: &Input, chapter: &Chapter<'_>) {
    let mut table = Table::new(
        "results",
        &[
            ("Test", Left),
            ("Suite", Left),
            ("Case", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Mode", Left),
            ("Outcome", Left),
            ("Began", Right),
            ("Time", Right),
            ("Reason", Left),
            ("Record", Left),
        ],
    );
    let run = chapter.run;
    for (test, place) in run.tests.iter().zip(&run.places).take(page.rows_for_programs()) {
        table.row(row![
            Cell::name(&test.id),
            Cell::name(&test.suite),
            Cell::name(&test.case),
            model_cell(test),
            backend_cell(test),
            mode(test.modality),
            test.outcome.name(),
            moment(test.ts),
            or_none(test.duration_s, seconds),
            or_none(test.reason.as_deref(), |reason| Cell::words(reason, String::new())),
            or_none(input.place(*place), |place| Cell::name(&place)),
        ]);
    }
    page.hidden(table);
}
