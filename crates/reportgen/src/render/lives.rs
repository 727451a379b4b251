//! What models took of the memory, and which order of the tests would have loaded them less.

use super::{
    chapter::{Chapter, name_cell},
    format::{count, gb, gb_change, or_none, seconds},
    list,
};
use crate::{
    numbers::{LifeRow, Spread, lives},
    page::{Cell, Left, Page, Right, Table, prose, row},
};

/// The most tests that are named in a line.
const NAMES: usize = 10;

/// Writes a row for each model and backend.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let rows = lives(&chapter.run.lives);
    if rows.is_empty() {
        return;
    }
    page.heading(2, "Models in memory");
    let mut table = Table::new(
        "lives",
        &[
            ("Model", Left),
            ("Backend", Left),
            ("Loaded", Right),
            ("On disk", Right),
            ("After load", Right),
            ("Peak", Right),
            ("Not given back", Right),
            ("Cold load", Right),
            ("Warm load", Right),
        ],
    );
    let mean = |spread: Option<Spread>, write: fn(f64) -> Cell| {
        or_none(spread.map(|spread| spread.mean), write)
    };
    for row in &rows {
        table.row(row![
            name_cell(row.model),
            name_cell(row.backend),
            count(row.loads).shown_as(format!("{} ×", count(row.loads))),
            or_none(row.disk_gb, gb),
            mean(row.load_gb, gb_change),
            or_none(row.peak_gb, gb_change),
            mean(row.kept_gb, gb_change),
            mean(row.cold_s, seconds),
            mean(row.warm_s, seconds),
        ]);
    }
    if rows.iter().all(|row| row.backend == rows[0].backend) {
        table.hide("Backend");
    }
    page.table(table, "not stated or not measured");
    page.paragraph(
        "Memory counts from the level before each load; of several loads the mean, of the peak \
         the greatest. Cold and warm is whether the model's file was in the page cache.",
    );
    rows.iter().for_each(|row| unnamed(page, row));
}

fn unnamed(page: &mut Page, row: &LifeRow<'_>) {
    if !row.unnamed.is_empty() {
        let model = or_none(row.model, crate::page::code);
        let names = list(row.unnamed.iter().copied(), NAMES);
        page.item(&format!("Ran while {model} was in memory, and name no model: {names}."));
    }
}

/// Writes what loading cost, and the order that would have loaded each model once.
pub(super) fn advice(page: &mut Page, chapter: &Chapter<'_>) {
    let told: Vec<_> =
        chapter.run.advice.iter().filter(|advice| !advice.message.is_empty()).collect();
    if told.is_empty() {
        return;
    }
    page.heading(2, "Scheduling");
    for advice in told {
        page.paragraph(&prose(&advice.message));
        if !advice.order.is_empty() {
            page.folded("The order that would load each model once", &advice.order);
        }
    }
}
