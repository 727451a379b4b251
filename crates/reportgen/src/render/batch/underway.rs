//! Batches that the stream does not tell the end of.

use std::collections::HashMap;

use crate::{
    page::{Cell, Left, Page, Right, Table, row},
    progress::Progress,
    render::{
        figure::{large, rate, share},
        format::{count, minute, or_none, seconds},
    },
    run::Run,
};

/// Writes how far each batch without a result is, and which have not begun.
pub(super) fn section(page: &mut Page, all: &[Unfinished<'_>]) {
    if all.is_empty() {
        return;
    }
    page.heading(3, "Under way and pending");
    page.paragraph(
        "The stream ends before these have a result. What is left is at the rate so far, from \
         the first request sent to the last that came to an end since the runner was started \
         last; of what has not begun only the number of requests is known.",
    );
    let mut table = Table::new(
        "batches_unfinished",
        &[
            ("Test", Left),
            ("State", Left),
            ("Done", Right),
            ("Of", Right),
            ("Share", Right),
            ("Without answer", Right),
            ("Requests/s", Right),
            ("Output tok/s", Right),
            ("Left", Right),
            ("Last answer", Right),
        ],
    );
    for &Unfinished { id, requests, begun, progress } in all {
        let done = progress.map_or(0, |progress| progress.done);
        table.row(row![
            Cell::name(id),
            if begun { "under way" } else { "pending" },
            count(done),
            or_none(requests, count),
            or_none(requests.filter(|of| *of > 0), |of| share(done as f64 / of as f64)),
            or_none(progress, |progress| count(progress.failed)),
            or_none(progress.and_then(Progress::request_tps), rate),
            or_none(progress.and_then(Progress::output_tps), large),
            or_none(progress.zip(requests).and_then(|(p, of)| p.left_s(of)), seconds),
            or_none(progress.and_then(|progress| progress.lately), |lately| minute(lately.to_ts)),
        ]);
    }
    page.table(table, "not known");
}

/// A test of many requests that has no result.
pub(super) struct Unfinished<'a> {
    id: &'a str,
    requests: Option<u64>,
    begun: bool,
    progress: Option<&'a Progress>,
}

/// Those of `run`, in the order in which they were selected: what has requests of a batch, and
/// what has not begun and will send several.
pub(super) fn unfinished(run: &Run) -> Vec<Unfinished<'_>> {
    let selected = run.without_result();
    if selected.is_empty() && run.progress.is_empty() {
        return Vec::new();
    }
    let requests: HashMap<&str, Option<u64>> = run
        .last_starts()
        .flat_map(|start| start.selected.iter().map(|case| (case.id.as_str(), case.requests)))
        .collect();
    let mut unlisted: Vec<&str> =
        run.progress.keys().map(String::as_str).filter(|id| !requests.contains_key(id)).collect();
    unlisted.retain(|id| run.tests.iter().all(|test| test.id != *id));
    unlisted.sort_unstable();
    let all = selected.into_iter().chain(unlisted).map(|id| Unfinished {
        id,
        requests: requests.get(id).copied().flatten(),
        begun: run.open.iter().any(|open| open == id) || run.progress.contains_key(id),
        progress: run.progress.get(id),
    });
    let shown = |one: &Unfinished<'_>| match one.progress {
        Some(progress) => progress.batch,
        None => one.requests.is_some_and(|requests| requests > 1),
    };
    all.filter(shown).collect()
}
