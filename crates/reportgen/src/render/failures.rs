//! Everything that is known of what failed.

use crate::page::{Cell, Left, Page, Table, code, prose, row};
use records::{Check, ErrorInfo, Target, Test};
use serde_json::Value;

use super::{
    chapter::Chapter,
    format::{count, gb, mb, moment, or_none, pressure, seconds},
};
use crate::{input::Input, numbers::is_bad};

/// The most lines of a log that are shown.
const LOG_LINES: usize = 60;
/// The most tests that are told in full.
const MOST: usize = 100;

/// Writes an entry for each failed test and each error.
pub(super) fn section(page: &mut Page, input: &Input, chapter: &Chapter<'_>) {
    let tests = chapter.run.tests.iter().zip(&chapter.run.places);
    let bad: Vec<(&Test, Place)> =
        tests.filter(|(test, _)| is_bad(test)).map(|(test, place)| (test, *place)).collect();
    if bad.is_empty() {
        return;
    }
    page.heading(2, "Failures and errors");
    for (at, (test, place)) in bad.iter().take(MOST).enumerate() {
        page.heading(3, &format!("{}. {}", at + 1, code(&test.id)));
        if let Some(place) = input.place(*place) {
            page.fact("Record", &code(&place));
        }
        entry(page, chapter, test);
    }
    rest(page, &bad[bad.len().min(MOST)..]);
}

/// Where a record stands: its input and its line.
type Place = (usize, u64);

/// Lists those that are too many to be told in full.
fn rest(page: &mut Page, rest: &[(&Test, Place)]) {
    if rest.is_empty() {
        return;
    }
    page.heading(3, &format!("{} more", count(rest.len() as u64)));
    let mut table =
        Table::new("more_failures", &[("Test", Left), ("Outcome", Left), ("Reason", Left)]);
    table.more = rest.len().saturating_sub(page.wanted_rows());
    for (test, _) in rest.iter().take(page.wanted_rows()) {
        let error = test.error.as_ref().map(|error| error.message.as_str());
        table.row(row![
            Cell::name(&test.id),
            test.outcome.name(),
            or_none(test.reason.as_deref().or(error), prose),
        ]);
    }
    page.table(table, "not given");
}

fn entry(page: &mut Page, chapter: &Chapter<'_>, test: &Test) {
    let after = test.duration_s.map(|s| format!(" after {}", seconds(s))).unwrap_or_default();
    let attempt = match test.attempt {
        Some(n) if n > 1 => format!(", attempt {n}"),
        _ => String::new(),
    };
    let since = chapter.since_start(test.ts).filter(|s| *s > 0.0);
    let since = since.map(|s| format!(", {} into the run", seconds(s))).unwrap_or_default();
    page.fact(
        "Outcome",
        &format!("{}{after}{attempt}; began {}{since}", test.outcome.name(), moment(test.ts)),
    );
    match (&test.reason, &test.error) {
        (Some(reason), _) => page.fact("Reason", &prose(reason)),
        (None, Some(_)) => {}
        (None, None) => page.fact("Reason", "not given"),
    }
    checks(page, &test.checks);
    targets(page, test.targets.as_deref().unwrap_or_default());
    for attempt in chapter.run.attempts.iter().filter(|attempt| attempt.id == test.id) {
        let why = attempt.reason.as_deref().map(|reason| format!(": {}", prose(reason)));
        page.fact(
            &format!("Attempt {}", attempt.attempt),
            &format!("{}{}", attempt.outcome.name(), why.unwrap_or_default()),
        );
    }
    if let Some(output) = &test.sample_output {
        page.fact("Answer began", &code(output));
    }
    if let Some(error) = &test.error {
        error_info(page, error);
    }
}

fn checks(page: &mut Page, checks: &[Check]) {
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.ok).collect();
    if failed.is_empty() {
        return;
    }
    page.fact("Checks", &format!("{} of {} did not hold", failed.len(), checks.len()));
    for check in failed {
        let actual = match &check.actual {
            Some(actual) => format!("found {}", value(actual)),
            None => "what was found is not recorded".to_owned(),
        };
        page.sub_item(&format!("expected {}, {actual}", value(&check.expect)));
    }
}

fn targets(page: &mut Page, targets: &[Target]) {
    for target in targets.iter().filter(|target| !target.ok) {
        page.fact("Target", &missed(target));
    }
}

/// A missed target in words.
pub(super) fn missed(target: &Target) -> String {
    let stat = target.stat.as_deref().map(|stat| format!(" {}", prose(stat))).unwrap_or_default();
    let actual = or_none(target.actual, |actual| code(&actual.to_string()));
    format!("{}{stat} should keep {}, was {actual}", code(&target.metric), value(&target.limit))
}

/// How a process ended, the machine's memory then, and its last words.
pub(super) fn error_info(page: &mut Page, error: &ErrorInfo) {
    page.fact("Error", &format!("{}: {}", code(&error.kind), prose(&error.message)));
    let ended = match (error.exit, error.signal) {
        (_, Some(signal)) => Some(format!("signal {signal}{}", signal_name(signal))),
        (Some(exit), None) => Some(format!("exit code {exit}")),
        (None, None) => None,
    };
    if let Some(ended) = ended {
        page.fact("Process ended by", &ended);
    }
    if let Some(memory) = &error.memory {
        let parts: Vec<String> = [
            memory.ram_free_gb.map(|free| format!("{} free", gb(free))),
            memory.swap_used_mb.map(|swap| format!("{} of swap in use", mb(swap))),
            memory.memory_pressure.map(|level| format!("pressure {}", pressure(level.into()))),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !parts.is_empty() {
            page.fact("Memory then", &parts.join(", "));
        }
    }
    let log = error.log_tail.as_deref().unwrap_or_default();
    if !log.is_empty() {
        let shown = &log[log.len().saturating_sub(LOG_LINES)..];
        let more = match log.len() - shown.len() {
            0 => String::new(),
            n => format!(" ({} earlier lines are in the stream)", count(n as u64)),
        };
        page.fact("Log", &format!("its last lines{more}"));
        page.block(shown);
    }
}

fn value(value: &Value) -> String {
    code(&value.to_string())
}

/// The signals that have the same number everywhere.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        14 => " (SIGALRM)",
        15 => " (SIGTERM)",
        _ => "",
    }
}
