//! One row per model, backend and kind of input.

use crate::page::{Cell, Left, Page, Right, Side, Table, row};
use records::{Counts, Modality};

use super::{
    change,
    chapter::{Chapter, name_cell},
    format::{count, gb, or_none, range, seconds, tps},
};
use crate::numbers::{ModelRow, models};

/// Writes the results and the speed of each model.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let rows = models(&chapter.run.tests, &chapter.run.spans);
    if rows.is_empty() {
        return;
    }
    page.heading(2, "Models");
    let several = chapter.several_backends();
    results(page, chapter, &rows, several);
    speed(page, chapter, &rows, several);
}

const NAMES: [(&str, Side); 3] = [("Model", Left), ("Backend", Left), ("Mode", Left)];

fn names(row: &ModelRow) -> [Cell; 3] {
    let model = match &row.key.model {
        Some(model) => name_cell(Some(model)),
        None => "no model (infrastructure)".into(),
    };
    [model, name_cell(row.key.backend.as_deref()), mode(row.key.modality)]
}

/// The kind of input in a cell.
pub(super) fn mode(modality: Option<Modality>) -> Cell {
    or_none(modality, |modality| modality.name())
}

fn results(page: &mut Page, chapter: &Chapter<'_>, rows: &[ModelRow], several: bool) {
    let [a, b, c] = NAMES;
    let mut table = Table::new(
        "models",
        &[
            a,
            b,
            c,
            ("Tests", Right),
            ("Passed", Right),
            ("Not passed", Right),
            ("Skipped", Right),
            ("As expected", Right),
            ("Time", Right),
        ],
    );
    change::columns(&mut table, chapter);
    let totals = &chapter.totals;
    let mut add = |[model, backend, mode]: [Cell; 3], counts: &Counts, time: Option<f64>, sum| {
        let mut cells = Vec::from(row![
            model,
            backend,
            mode,
            count(counts.total()),
            count(counts.passed + counts.xpassed),
            count(counts.failed + counts.error),
            count(counts.skipped),
            count(counts.xfailed),
            or_none(time, seconds),
        ]);
        cells.extend(change::cells(chapter, sum));
        table.cells(cells);
    };
    for row in rows {
        let sum = chapter.compared(|comparison| comparison.sum(|test| row.key.holds(test)));
        add(names(row), &row.counts, row.time_s, sum);
    }
    let time = (totals.timed > 0).then_some(totals.time_s);
    let sum = chapter.compared(|comparison| comparison.sum(|_| true));
    add(row!["**All**", "", ""], &totals.counts, time, sum);
    if !several {
        table.hide("Backend");
    }
    if totals.counts.xfailed == 0 {
        table.hide("As expected");
    }
    page.table(table, "not stated or not measured");
}

fn speed(page: &mut Page, chapter: &Chapter<'_>, rows: &[ModelRow], several: bool) {
    let [a, b, c] = NAMES;
    let mut table = Table::new(
        "model_speeds",
        &[
            a,
            b,
            c,
            ("Size", Right),
            ("Quantization", Left),
            ("Load", Right),
            ("TTFT", Right),
            ("Generation", Right),
            ("Free memory", Right),
            ("Process memory", Right),
        ],
    );
    let nothing = |row: &ModelRow| {
        row.size_gb.is_none()
            && row.quantization.is_none()
            && row.load_s.is_none()
            && row.ttft_s.is_none()
            && row.generation_tps.is_none()
            && row.ram_free_gb.is_none()
            && row.tree_gb.is_none()
    };
    if rows.iter().all(nothing) {
        page.paragraph("Neither size nor load time, speed or memory of any model was measured.");
        return;
    }
    for row in rows {
        let [model, backend, mode] = names(row);
        table.row(row![
            model,
            backend,
            mode,
            or_none(row.size_gb, gb),
            name_cell(row.quantization.as_deref()),
            or_none(row.load_s, |load| seconds(load.mean)),
            or_none(row.ttft_s, |ttft| seconds(ttft.mean)),
            or_none(row.generation_tps, |speed| tps(speed.mean)),
            or_none(row.ram_free_gb, |free| range(free.min, free.max, gb)),
            or_none(row.tree_gb, gb),
        ]);
    }
    if !several {
        table.hide("Backend");
    }
    let measured = chapter.run.tests.iter().any(|test| test.protocol.is_some());
    if measured {
        // They are not missing: they stand elsewhere.
        if rows.iter().all(|row| row.ttft_s.is_none()) {
            table.hide("TTFT");
        }
        if rows.iter().all(|row| row.generation_tps.is_none()) {
            table.hide("Generation");
        }
    }
    page.table(table, "not stated or not measured");
    if measured {
        page.paragraph("The speeds of benches, baselines and batches stand in their own parts.");
    }
}
