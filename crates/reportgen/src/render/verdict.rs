//! The verdict: the run in one sentence. A mark begins it, but the words say all.

use crate::page::code;
use records::Counts;

use super::{
    chapter::Chapter,
    format::{count, seconds, things},
    tests,
};

/// The run in one sentence.
pub(super) fn line(chapter: &Chapter<'_>) -> String {
    let (run, counts) = (chapter.run, &chapter.totals.counts);
    let total = counts.total();
    let bad = counts.failed + counts.error;
    let missing = run.without_result().len() as u64;
    let ran = total - counts.skipped;

    let mut text = if missing > 0 || run.cut_off() || run.interrupted() {
        let selected = run.selected().count() as u64;
        let how = match (run.cut_off(), run.interrupted()) {
            (true, _) => "was cut off",
            (_, true) => "was interrupted",
            _ => "is incomplete",
        };
        let rest = match (total, bad) {
            (0, _) => String::new(),
            (_, 0) => "; no test failed".to_owned(),
            _ => format!("; {} did not pass ({})", tests(bad), bad_words(counts)),
        };
        format!(
            "✘ The run {how}: {} of {} selected {} a result{rest}",
            count(selected - missing.min(selected)),
            count(selected),
            if selected == 1 { "case has" } else { "cases have" },
        )
    } else if total == 0 {
        "○ No test has a result".to_owned()
    } else if bad > 0 {
        format!("✘ {} of {} did not pass ({})", count(bad), tests(total), bad_words(counts))
    } else if ran == 0 {
        format!("○ No test ran: all {} were skipped", count(total))
    } else {
        let passed = if counts.xfailed > 0 { "passed or failed as expected" } else { "passed" };
        match (ran, counts.skipped) {
            (1, 0) => format!("✔ The only test {passed}"),
            (_, 0) => format!("✔ All {} {passed}", tests(ran)),
            (1, skipped) => format!("✔ The one test that ran {passed}, {} skipped", were(skipped)),
            (_, skipped) => {
                format!("✔ All {} that ran {passed}, {} skipped", tests(ran), were(skipped))
            }
        }
    };
    if chapter.totals.timed > 0 && ran > 0 {
        text.push_str(&format!(" in {}", seconds(chapter.totals.time_s)));
    }
    text.push_str(&place(chapter));
    text.push_str(&machine_state(chapter));
    text
}

fn were(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "was" } else { "were" })
}

fn bad_words(counts: &Counts) -> String {
    let failed = (counts.failed > 0).then(|| format!("{} failed", count(counts.failed)));
    let error = (counts.error > 0).then(|| match counts.error {
        1 => "1 ended in an error".to_owned(),
        n => format!("{} ended in errors", count(n)),
    });
    [failed, error].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn place(chapter: &Chapter<'_>) -> String {
    let backends = &chapter.totals.backends;
    let on = match (backends.len(), backends.first()) {
        (1, Some(only)) => format!(" on {}", code(only)),
        (0, _) | (_, None) => String::new(),
        (n, _) => format!(" on {n} backends"),
    };
    match chapter.totals.models.len() as u64 {
        0 => on,
        n => format!("{on} with {}", things(n, "model")),
    }
}

fn machine_state(chapter: &Chapter<'_>) -> String {
    let health = &chapter.health;
    let degraded = health.measured - health.clean;
    if chapter.run.tests.is_empty() {
        String::new()
    } else if health.measured == 0 {
        "; the machine's health was not measured".to_owned()
    } else if degraded > 0 {
        format!(
            "; the machine was degraded around {} of {}",
            count(degraded),
            tests(health.measured)
        )
    } else {
        "; the machine stayed healthy".to_owned()
    }
}
