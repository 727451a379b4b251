//! What the backends did besides serving: loading, stopping.

use crate::page::{Left, Page, Right, Table, code, prose, row};
use records::{Phase, Span};

use super::{
    chapter::{Chapter, name_cell},
    failures::error_info,
    format::{gb_change, or_none, seconds},
};
use crate::numbers::usage;

/// Writes the phases in the order in which they began.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let spans = &chapter.run.spans;
    if spans.is_empty() {
        return;
    }
    page.heading(2, "Phases");
    let mut table = Table::new(
        "phases",
        &[
            ("Phase", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Began", Right),
            ("Time", Right),
            ("First token", Right),
            ("Page cache", Left),
            ("Process memory", Right),
            ("Free memory", Right),
        ],
    );
    table.more = spans.len().saturating_sub(page.wanted_rows());
    for span in spans.iter().take(page.wanted_rows()) {
        let used = span.resources.as_ref().map(usage);
        let failed = if span.error.is_some() { " (failed)" } else { "" };
        table.row(row![
            format!("{}{failed}", name(span.phase)),
            name_cell(span.params.model.as_deref()),
            name_cell(span.params.backend.as_deref()),
            or_none(chapter.since_start(span.ts), |s| format!("at {}", seconds(s))),
            seconds(span.duration_s),
            or_none(span.first_token_s, seconds),
            or_none(span.page_cache.as_deref(), prose),
            or_none(used.as_ref().and_then(|used| used.tree_delta_gb), gb_change),
            or_none(used.as_ref().and_then(|used| used.free_delta_gb), gb_change),
        ]);
    }
    page.table(table, "not stated or not measured");
    page.paragraph(
        "Began counts from the start of the run. Process memory and free memory are the change \
         from before the phase to after it.",
    );
    spans.iter().filter(|span| span.error.is_some()).for_each(|span| failure(page, span));
}

fn failure(page: &mut Page, span: &Span) {
    let Some(error) = &span.error else { return };
    let on: Vec<String> = [&span.params.backend, &span.params.model]
        .into_iter()
        .flatten()
        .map(|name| code(name))
        .collect();
    page.heading(3, &format!("{} failed: {}", name(span.phase), on.join(", ")));
    if let Some(log) = &span.log {
        page.fact("Log file", &code(log));
    }
    error_info(page, error);
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Setup => "setup",
        Phase::Spawn => "spawn",
        Phase::Load => "load",
        Phase::Warmup => "warmup",
        Phase::Measure => "measure",
        Phase::Test => "test",
        Phase::Stop => "stop",
        Phase::Teardown => "teardown",
    }
}
