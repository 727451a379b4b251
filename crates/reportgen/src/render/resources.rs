//! What the machine did during each test.

use super::{
    chapter::{Chapter, backend_cell, case_of, model_cell},
    format::{count, gb, mb, or_none, pct, pressure, watts},
};
use crate::numbers::usage;
use crate::page::{Cell, Left, Page, Right, Table, row};

/// Writes a row for each test that was joined with samples.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    if chapter.sampling.ran == 0 {
        return;
    }
    page.heading(2, "Resources per test");
    if chapter.sampling.joined == 0 {
        page.paragraph(
            "Not joined with samples: record them with `memmon` and pipe the stream through \
             `correlate`.",
        );
        return;
    }
    let mut table = Table::new(
        "resources",
        &[
            ("Test", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Samples", Right),
            ("Coverage", Right),
            ("Process memory", Right),
            ("Free memory", Right),
            ("Swap", Right),
            ("Pressure", Left),
            ("CPU mean/most", Right),
            ("GPU mean/most", Right),
            ("GPU memory", Right),
            ("GPU power mean/most", Right),
        ],
    );
    let mut bracketed = false;
    let ran = chapter.run.tests.iter().filter(|test| test.outcome != records::Outcome::Skipped);
    let joined = ran.filter_map(|test| Some((test, test.resources.as_ref()?)));
    for (at, (test, resources)) in joined.enumerate() {
        if at >= page.wanted_rows() {
            table.more += 1;
            continue;
        }
        let used = usage(resources);
        bracketed |= used.bracketed;
        table.row(row![
            case_of(test),
            model_cell(test),
            backend_cell(test),
            format!("{}{}", count(used.samples), if used.bracketed { " (b)" } else { "" }),
            pct(100.0 * used.coverage),
            or_none(used.tree_gb, gb),
            or_none(used.ram_free_gb, gb),
            or_none(used.swap_mb, mb),
            or_none(used.pressure, pressure),
            or_none(used.cpu_pct, |use_of| mean_max(use_of, pct)),
            or_none(used.gpu_pct, |use_of| mean_max(use_of, pct)),
            or_none(used.gpu_mem_gb, gb),
            or_none(used.gpu_power_w, |use_of| mean_max(use_of, watts)),
        ]);
    }
    if !chapter.several_backends() {
        table.hide("Backend");
    }
    page.table(table, "not stated or not measured");
    let mut notes = String::from(
        "Process memory, swap, pressure and GPU memory are the most, free memory the least of the \
         test.",
    );
    if bracketed {
        notes.push_str(
            " (b): no sample fell into the test; the figures are those of the two around it.",
        );
    }
    let not_joined = chapter.sampling.ran - chapter.sampling.joined;
    if not_joined > 0 {
        notes.push_str(&format!(
            " {} of the tests that ran {} not joined with samples.",
            count(not_joined),
            if not_joined == 1 { "is" } else { "are" }
        ));
    }
    page.paragraph(&notes);
}

fn mean_max((mean, max): (Option<f64>, f64), write: fn(f64) -> Cell) -> String {
    let (mean, max) = (or_none(mean, write), write(max));
    match (mean.rsplit_once(' '), max.rsplit_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}/{max}"),
        _ => format!("{mean}/{max}"),
    }
}
