//! Each repetition of a bench, for those who want to see it.

use records::{Metric, Metrics, Test};

use crate::{
    numbers::BenchGroup,
    page::Page,
    render::format::{count, minute},
};

/// The most repetitions of a test that are shown.
const MOST: usize = 100;

/// What is shown of a repetition: its name, its unit, what to multiply it by, its decimals.
type Figure = (&'static str, &'static str, f64, usize, fn(&Metrics) -> Option<&Metric>);

const FIGURES: [Figure; 7] = [
    ("pp", "", 1.0, 2, |m| m.prompt_tps.as_ref()),
    ("tg", "", 1.0, 2, |m| m.generation_tps.as_ref()),
    ("ttft", " ms", 1e3, 1, |m| m.ttft_s.as_ref()),
    ("e2e", " s", 1.0, 3, |m| m.e2e_s.as_ref()),
    ("rtfx", "", 1.0, 2, |m| m.rtfx.as_ref()),
    ("prompt", " tok", 1.0, 0, |m| m.prompt_tokens.as_ref()),
    ("gen", " tok", 1.0, 0, |m| m.completion_tokens.as_ref()),
];

/// Writes a line for each repetition, below the id of its test.
pub(super) fn folded(page: &mut Page, group: &BenchGroup<'_>) {
    let lines: Vec<String> =
        group.tests.iter().flat_map(|test| lines(test, group.is_again(test))).collect();
    page.folded("Per-run detail, by test id", &lines);
}

fn lines(test: &Test, again: bool) -> Vec<String> {
    let runs = test.runs.as_deref().unwrap_or_default();
    // An id on two lines would look like two tests.
    let id = test.id.replace(['\n', '\r'], " ");
    let mut lines = vec![match again {
        true => format!("{id}, began {}:", minute(test.ts)),
        false => format!("{id}:"),
    }];
    for (at, run) in runs.iter().take(MOST).enumerate() {
        let figures: Vec<String> = FIGURES.iter().filter_map(|figure| write(run, figure)).collect();
        let figures =
            if figures.is_empty() { "nothing measured".into() } else { figures.join("  ") };
        lines.push(format!("  Run {}: {figures}", at + 1));
    }
    match runs.len() {
        0 => lines.push("  no single runs are recorded".to_owned()),
        n if n > MOST => {
            lines.push(format!("  {} more runs are in the stream", count((n - MOST) as u64)));
        }
        _ => {}
    }
    lines
}

fn write(run: &Metrics, (name, unit, scale, decimals, get): &Figure) -> Option<String> {
    let value = get(run)?.value() * scale;
    // A rate of less than 1 has its digits behind those decimals.
    let decimals = if *decimals == 2 && value.abs() < 1.0 { 4 } else { *decimals };
    Some(format!("{name}={value:.decimals$}{unit}"))
}
