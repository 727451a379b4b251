//! What there is to know at a glance.

use crate::page::{Left, Page, Right, Table, row};
use records::{Counts, Outcome, ProtocolKind};

use super::{
    cases,
    chapter::Chapter,
    comparison,
    format::{count, gb, mb, ms, or_none, pct, pressure, range, seconds, things},
    list, outcome, tests, verdict,
};
use crate::{
    input::Input,
    numbers::{Health, Source, model_of, tally},
};

/// Writes the executive summary and the table of outcomes.
pub(super) fn section(page: &mut Page, input: &Input, chapter: &Chapter<'_>) {
    page.heading(2, "Summary");
    page.paragraph(&format!("**{}**", verdict::line(chapter)));
    results(page, chapter);
    comparison::facts(page, chapter);
    machine(page, chapter);
    sampling(page, chapter, input.runs.iter().map(|run| run.samples).sum());
    if input.malformed > 0 {
        page.fact(
            "Bad lines",
            &format!(
                "{} of the input could not be read and {} left out",
                things(input.malformed, "line"),
                if input.malformed == 1 { "is" } else { "are" }
            ),
        );
    }
    if chapter.totals.repeated > 0 {
        let n = chapter.totals.repeated;
        page.fact(
            "Repeated",
            &format!(
                "{} {} more than one result; every result is counted",
                things(n, "test id"),
                super::have(n)
            ),
        );
    }
    outcomes(page, chapter);
}

fn results(page: &mut Page, chapter: &Chapter<'_>) {
    let totals = &chapter.totals;
    if totals.counts.total() > 0 {
        page.fact(
            "Tests",
            &format!("{} ({})", count(totals.counts.total()), cases::outcomes(&totals.counts)),
        );
        let all = totals.counts.total();
        let timed = if totals.timed == all {
            String::new()
        } else {
            format!(" ({} of {} have a duration)", count(totals.timed), tests(all))
        };
        let time = if totals.timed > 0 { seconds(totals.time_s) } else { "not measured".into() };
        page.fact("Time in tests", &format!("{time}{timed}"));
    }
    if let Some(measured) = measured(chapter) {
        page.fact("Measured", &measured);
    }
    let models = totals.models.len();
    if models > 0 {
        let names = list(totals.models.iter().map(String::as_str), 3);
        page.fact("Models", &if models > 3 { models.to_string() } else { names });
    }
    if !chapter.run.tests.is_empty() {
        let health = &chapter.health;
        page.fact(
            "Quality",
            &if health.measured == 0 {
                "not measured: no test says how the machine was (`system_health`)".to_owned()
            } else {
                // Both are far below 2^53.
                let share = 100.0 * health.clean as f64 / health.measured as f64;
                format!(
                    "{} clean: {} of the {} that were measured{}",
                    pct(share),
                    count(health.clean),
                    tests(health.measured),
                    degraded_words(health)
                )
            },
        );
    }
}

/// `3 benches, 1 batch; 2 of them suspect`.
fn measured(chapter: &Chapter<'_>) -> Option<String> {
    let tests = &chapter.run.tests;
    let of = |kind| chapter.measured.select(tests, kind);
    let (benches, baselines, batches) =
        (of(ProtocolKind::Bench), of(ProtocolKind::Baseline), of(ProtocolKind::Batch));
    let words: Vec<String> =
        [(&benches, "bench", "es"), (&baselines, "baseline", "s"), (&batches, "batch", "es")]
            .into_iter()
            .filter(|(tests, ..)| !tests.is_empty())
            .map(|(tests, one, more)| match tests.len() {
                1 => format!("1 {one}"),
                n => format!("{} {one}{more}", count(n as u64)),
            })
            .collect();
    let all = [benches, baselines, batches].concat();
    let suspect = match all.iter().filter(|test| outcome::is_suspect(test)).count() as u64 {
        0 => String::new(),
        n => format!("; {} of them suspect", count(n)),
    };
    (!words.is_empty()).then(|| format!("{}{suspect}", words.join(", ")))
}

/// ` (2 short of memory, 1 with growing swap)`.
fn degraded_words(health: &Health) -> String {
    let words: Vec<String> = [
        (health.degraded_ram, "short of memory"),
        (health.degraded_swap, "with growing swap"),
        (health.degraded_zombies, "with zombies"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{} {what}", count(n)))
    .collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn machine(page: &mut Page, chapter: &Chapter<'_>) {
    let peaks = &chapter.peaks;
    let source = match peaks.source {
        Source::Summary => "over the whole recording",
        Source::Resources => "during tests and phases",
        Source::Health => "around the tests",
        Source::Nothing if chapter.sampling.samples > 0 => {
            let why = "not summed up: the recording has no `summary`, and no test was joined";
            page.fact("Memory", why);
            return;
        }
        Source::Nothing => {
            page.fact("Memory", "not measured");
            return;
        }
    };
    let total = chapter.run.streams.first().and_then(|stream| stream.machine.ram_total_gb);
    let of = total.map(|total| format!(" of {}", gb(total))).unwrap_or_default();
    let parts = [
        peaks.tree_gb.map(|tree| format!("processes at most {}", gb(tree))),
        peaks.ram_free_gb.map(|free| format!("at least {}{of} free", gb(free))),
        peaks.pressure.map(|level| match &*pressure(level) {
            "normal" => "pressure always normal".to_owned(),
            worse => format!("pressure up to {worse}"),
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let memory =
        if parts.is_empty() { "not measured".to_owned() } else { parts.join(", ") + ", " + source };
    page.fact("Memory", &memory);
    let swap = peaks.swap_mb.map_or_else(
        || "not measured".to_owned(),
        |swap| format!("{} in use, {source}", range(swap.min, swap.max, mb)),
    );
    page.fact("Swap", &swap);
}

/// `elsewhere`: the samples of all runs of the input.
fn sampling(page: &mut Page, chapter: &Chapter<'_>, elsewhere: u64) {
    let sampling = &chapter.sampling;
    if sampling.samples == 0 && sampling.joined == 0 {
        let text = if elsewhere > 0 {
            "the samples in the input are of none of these tests' runs: pipe the stream through `correlate`"
        } else {
            "no samples in the input"
        };
        page.fact("Sampling", text);
        return;
    }
    let asked = sampling.asked_ms.map(|asked| format!("{} asked for", ms(asked)));
    let achieved = sampling.achieved_ms.map_or_else(
        || "interval achieved not measured".to_owned(),
        |(median, p99, max)| {
            format!(
                "{} achieved (median; 99 % within {}, longest {})",
                ms(median),
                ms(p99),
                ms(max)
            )
        },
    );
    let missed = sampling.missed.map(|missed| format!("{} missed", things(missed, "deadline")));
    let samples = (sampling.samples > 0).then(|| things(sampling.samples, "sample"));
    let parts: Vec<String> =
        [samples, asked, Some(achieved), missed].into_iter().flatten().collect();
    page.fact("Sampling", &parts.join(", "));

    let joined = format!("{} of {} that ran", count(sampling.joined), tests(sampling.ran));
    match sampling.coverage {
        None if sampling.ran == 0 => {}
        None => page.fact(
            "Coverage",
            "no test is joined with samples: pipe the stream through `correlate`",
        ),
        Some(coverage) => {
            let bracketed = match sampling.bracketed {
                0 => String::new(),
                n => format!(", {} between two samples", count(n)),
            };
            page.fact(
                "Coverage",
                &format!(
                    "{joined} joined with samples; covered {} on average, {} at least{bracketed}",
                    pct(100.0 * coverage.mean),
                    pct(100.0 * coverage.min)
                ),
            );
        }
    }
}

fn named(counts: &Counts) -> [(Outcome, u64); 6] {
    [
        (Outcome::Passed, counts.passed),
        (Outcome::Failed, counts.failed),
        (Outcome::Error, counts.error),
        (Outcome::Skipped, counts.skipped),
        (Outcome::Xfailed, counts.xfailed),
        (Outcome::Xpassed, counts.xpassed),
    ]
}

/// The table of outcomes; its last row is the sum of those above.
fn outcomes(page: &mut Page, chapter: &Chapter<'_>) {
    let run = chapter.run;
    if run.tests.is_empty() {
        return;
    }
    page.heading(2, "Test summary");
    let with_model = tally(run.tests.iter().filter(|test| model_of(test).is_some()));
    let mut table = Table::new(
        "outcomes",
        &[
            ("Outcome", Left),
            ("Tests", Right),
            ("With model", Right),
            ("Infrastructure", Right),
            ("Time", Right),
        ],
    );
    for ((outcome, n), (_, models)) in
        named(&chapter.totals.counts).into_iter().zip(named(&with_model))
    {
        if n == 0 && !matches!(outcome, Outcome::Passed | Outcome::Failed | Outcome::Error) {
            continue;
        }
        let times: Vec<f64> = run
            .tests
            .iter()
            .filter(|test| test.outcome == outcome)
            .filter_map(|test| test.duration_s)
            .collect();
        let time = (!times.is_empty()).then(|| times.iter().sum());
        table.row(row![
            outcome.name().to_owned(),
            count(n),
            count(models),
            count(n - models),
            or_none(time, seconds),
        ]);
    }
    let totals = &chapter.totals;
    table.row(row![
        "**All**".to_owned(),
        count(totals.counts.total()),
        count(totals.with_model),
        count(totals.without_model),
        or_none((totals.timed > 0).then_some(totals.time_s), seconds),
    ]);
    page.table(table, "no time was measured");
    let selected = run.selected().count() as u64;
    if selected > 0 {
        let rest = match run.without_result().len() as u64 {
            0 => "all of them have a result".to_owned(),
            n => format!("{} {} no result", count(n), super::have(n)),
        };
        page.paragraph(&format!("Selected: {}; {rest}.", things(selected, "case")));
    }
}
