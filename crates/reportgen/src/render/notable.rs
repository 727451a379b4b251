//! What passed or was expected and still deserves a look: expected failures,
//! retries, doubtful measurements, missed targets, anomalies.

use crate::page::{Cell, Left, Page, Right, Table, code, prose, row};
use records::{OnMiss, Outcome, Severity, Test, Validity};

use super::{
    chapter::{Chapter, backend_cell, case_of, model_cell},
    failures::missed,
    format::{moment, or_none, seconds},
};
use crate::numbers::is_bad;

/// Writes what there is of it.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let mut table = Table::new(
        "worth_a_look",
        &[("Test", Left), ("Model", Left), ("Backend", Left), ("What", Left), ("Why", Left)],
    );
    for test in &chapter.run.tests {
        for (what, why) in remarks(chapter, test) {
            table.row(row![case_of(test), model_cell(test), backend_cell(test), what, why]);
        }
    }
    if !table.is_empty() {
        page.heading(2, "Worth a look");
        if !chapter.several_backends() {
            table.hide("Backend");
        }
        page.table(table, "not stated");
    }
    anomalies(page, chapter);
}

fn remarks(chapter: &Chapter<'_>, test: &Test) -> Vec<(String, Cell)> {
    let mut all = Vec::new();
    let reason = || or_none(test.reason.as_deref(), prose);
    match test.outcome {
        Outcome::Xfailed => all.push(("failed, as expected".to_owned(), reason())),
        Outcome::Xpassed => all.push(("passed, though expected to fail".to_owned(), reason())),
        _ => {}
    }
    // Those of failures stand with the failures.
    if !is_bad(test) {
        for attempt in chapter.run.attempts.iter().filter(|attempt| attempt.id == test.id) {
            let why =
                attempt.reason.as_deref().or(attempt.error.as_ref().map(|e| e.message.as_str()));
            let what = format!("attempt {}: {}", attempt.attempt, attempt.outcome.name());
            all.push((what, or_none(why, prose)));
        }
    }
    // Of what was measured they stand with its figures.
    if chapter.measured.kind(test).is_some() {
        return all;
    }
    if let Some(verdict) = test.verdict.as_ref().filter(|v| v.state == Validity::Suspect) {
        let reasons: Vec<String> = verdict.reasons.iter().map(|reason| prose(reason)).collect();
        let reasons = Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty());
        all.push(("suspect measurement".to_owned(), or_none(reasons, |reasons| reasons)));
    }
    let warned = |target: &&records::Target| !target.ok && target.on_miss == OnMiss::Warn;
    for target in test.targets.iter().flatten().filter(warned) {
        all.push(("target missed".to_owned(), missed(target).into()));
    }
    all
}

fn anomalies(page: &mut Page, chapter: &Chapter<'_>) {
    if chapter.run.anomalies.is_empty() {
        return;
    }
    page.heading(2, "Anomalies");
    let mut table = Table::new(
        "anomalies",
        &[
            ("Severity", Left),
            ("Kind", Left),
            ("Began", Left),
            ("Lasted", Right),
            ("What", Left),
            ("Tests", Left),
        ],
    );
    for anomaly in &chapter.run.anomalies {
        let severity = match anomaly.severity {
            Severity::Info => "info",
            Severity::Warn => "warning",
            Severity::Critical => "critical",
        };
        let tests: Vec<String> = anomaly.tests.iter().map(|id| code(id)).collect();
        table.row(row![
            severity.to_owned(),
            code(&anomaly.kind),
            moment(anomaly.ts),
            seconds(anomaly.end_ts - anomaly.ts),
            prose(&anomaly.message),
            or_none(Some(tests.join(", ")).filter(|tests| !tests.is_empty()), |tests| tests),
        ]);
    }
    page.table(table, "none is named");
}
