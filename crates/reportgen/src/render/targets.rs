//! The targets of all tests: met and missed.

use records::{OnMiss, Target, Test};

use super::{
    chapter::{Chapter, backend_cell, case_of, model_cell},
    figure::number,
    format::{count, or_none, things},
};
use crate::page::{Cell, Left, Page, Right, Table, code, prose, row};

/// Writes a row for each target, those that were missed first.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let of = |test: &'_ Test| test.targets.iter().flatten().count();
    let all: usize = chapter.run.tests.iter().map(of).sum();
    if all == 0 {
        return;
    }
    let mut targets: Vec<(&Test, &Target)> = Vec::with_capacity(all);
    for test in &chapter.run.tests {
        targets.extend(test.targets.iter().flatten().map(|target| (test, target)));
    }
    // Stable: else in the order of the run.
    targets.sort_by_key(|(_, target)| target.ok);
    let missed = targets.iter().filter(|(_, target)| !target.ok).count() as u64;
    page.heading(2, "Targets");
    page.paragraph(&match (missed, all as u64) {
        (0, 1) => "The one target is met.".to_owned(),
        (1, 1) => "The one target is missed.".to_owned(),
        (0, all) => format!("All {} are met.", things(all, "target")),
        (missed, all) => format!("{} of {} missed.", count(missed), things(all, "target")),
    });
    let mut table = Table::new(
        "targets",
        &[
            ("Test", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Figure", Left),
            ("Limit", Left),
            ("Measured", Right),
            ("Status", Left),
        ],
    );
    table.more = targets.len().saturating_sub(page.wanted_rows());
    for (test, target) in targets.into_iter().take(page.wanted_rows()) {
        let stat = target.stat.as_deref().map(|stat| format!(", {}", prose(stat)));
        table.row(row![
            case_of(test),
            model_cell(test),
            backend_cell(test),
            format!("{}{}", code(&target.metric), stat.unwrap_or_default()),
            limit(target),
            or_none(target.actual, number),
            status(target),
        ]);
    }
    for title in ["Model", "Backend"] {
        table.hide_where(title, crate::page::NONE);
    }
    page.table(table, "not measured");
}

/// `at least 25`, `at most 10`.
fn limit(target: &Target) -> Cell {
    let bound = |name: &str, word: &str| {
        let value = target.limit.get(name)?.as_f64()?;
        Some(format!("{word} {value}"))
    };
    let bounds: Vec<String> =
        [bound("min", "at least"), bound("max", "at most")].into_iter().flatten().collect();
    if bounds.is_empty() {
        code(&target.limit.to_string()).into()
    } else {
        bounds.join(" and ").into()
    }
}

fn status(target: &Target) -> &'static str {
    match (target.ok, target.actual, target.on_miss) {
        (true, ..) => "met",
        (false, None, _) => "**missed**, not measured",
        (false, Some(_), OnMiss::Warn) => "missed (warning)",
        (false, Some(_), OnMiss::Fail) => "**missed** (failure)",
    }
}
