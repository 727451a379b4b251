//! What the tests did with the GPU.

use records::Test;

use super::{
    chapter::{Chapter, backend_cell, case_of, model_cell},
    format::{count, ms, or_none, pct, pct_change, pressure, seconds},
};
use crate::{
    numbers::{GpuUse, MeanMost, Usage, gpu_use, on_gpu},
    page::{Cell, Left, Page, Right, Table, row},
};

/// From this mean use on, in percent, a test is one of those that use the GPU much.
const MUCH_PCT: f64 = 50.0;

/// Writes the tests that used it much, and all together beside the earlier runs.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let used: Vec<(&Test, Usage)> = chapter.run.tests.iter().filter_map(on_gpu).collect();
    if used.is_empty() {
        return;
    }
    page.heading(2, "GPU");
    much(page, chapter, used);
    summary(page, chapter);
}

fn much(page: &mut Page, chapter: &Chapter<'_>, used: Vec<(&Test, Usage)>) {
    let mean = |used: &Usage| used.gpu_pct.and_then(|(mean, _)| mean);
    let mut busy: Vec<(f64, &Test, Usage)> = used
        .into_iter()
        .filter_map(|(test, used)| Some((mean(&used).filter(|m| *m > MUCH_PCT)?, test, used)))
        .collect();
    if busy.is_empty() {
        page.paragraph(&format!("No test used more than {MUCH_PCT} % of the GPU on average."));
        return;
    }
    busy.sort_by(|a, b| b.0.total_cmp(&a.0));
    page.paragraph(&format!("Tests that used more than {MUCH_PCT} % of it on average:"));
    let mut table = Table::new(
        "gpu_tests",
        &[
            ("Test", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Device", Right),
            ("Renderer", Right),
            ("Power", Right),
            ("Pressure", Left),
            ("Time", Right),
            ("Samples", Right),
        ],
    );
    table.more = busy.len().saturating_sub(page.wanted_rows());
    for (mean, test, used) in busy.into_iter().take(page.wanted_rows()) {
        table.row(row![
            case_of(test),
            model_cell(test),
            backend_cell(test),
            pct(mean),
            or_none(used.gpu_renderer_pct.and_then(|(mean, _)| mean), pct),
            or_none(used.gpu_power_w.and_then(|(mean, _)| mean), super::format::watts),
            or_none(used.pressure, pressure),
            or_none(test.duration_s, seconds),
            count(used.samples),
        ]);
    }
    if !chapter.several_backends() {
        table.hide("Backend");
    }
    page.table(table, "not stated or not measured");
}

fn summary(page: &mut Page, chapter: &Chapter<'_>) {
    let all = gpu_use(&chapter.run.tests);
    // Like with like: only tests that both runs have, with the GPU measured both times.
    let same = chapter.compared(|comparison| {
        let measured = |tests: &[&Test]| tests.iter().any(|test| on_gpu(test).is_some());
        let pairs = comparison.pairs.iter();
        let pairs: Vec<_> =
            pairs.filter(|pair| measured(&pair.then) && measured(&pair.now)).collect();
        let then = gpu_use(pairs.iter().flat_map(|pair| pair.then.iter().copied()));
        let now = gpu_use(pairs.iter().flat_map(|pair| pair.now.iter().copied()));
        (!pairs.is_empty()).then_some((then, now))
    });
    let mut table = Table::new(
        "gpu_summary",
        &[
            ("Over the tests", Left),
            ("Mean", Right),
            ("Most", Right),
            ("Same tests", Right),
            ("Mean then", Right),
            ("Mean now", Right),
            ("Δ", Right),
            ("Most then", Right),
            ("Most now", Right),
        ],
    );
    let mut add = |name: &str, get: fn(&GpuUse) -> Option<MeanMost>| {
        let Some(is) = get(&all) else { return };
        let both = same.as_ref().and_then(|(then, now)| Some((get(then)?, get(now)?)));
        table.row(row![
            name,
            pct(is.mean),
            pct(is.most),
            or_none(same.as_ref().filter(|_| both.is_some()), |(_, now)| count(now.tests)),
            or_none(both, |(then, _)| pct(then.mean)),
            or_none(both, |(_, now)| pct(now.mean)),
            or_none(both, |(then, now)| points(now.mean - then.mean)),
            or_none(both, |(then, _)| pct(then.most)),
            or_none(both, |(_, now)| pct(now.most)),
        ]);
    };
    add("GPU device", |used| used.device_pct);
    add("GPU renderer", |used| used.renderer_pct);
    if same.is_none() {
        ["Same tests", "Mean then", "Mean now", "Δ", "Most then", "Most now"]
            .into_iter()
            .for_each(|title| table.hide(title));
    }
    page.table(table, "not measured");
    let cold = chapter.run.tests.iter().any(|test| test.cold_start.is_some());
    let cold =
        if cold { format!(", {} of them cold starts", count(all.cold)) } else { String::new() };
    let interval = chapter.sampling.asked_ms.map(|asked| format!(" sampled every {}", ms(asked)));
    page.paragraph(&format!(
        "Mean and most are of the means of {}{}{cold}.",
        super::tests(all.tests),
        interval.unwrap_or_default()
    ));
}

/// A difference of percentages.
fn points(difference: f64) -> Cell {
    let cell = pct_change(difference);
    let text = cell.replace('%', "points");
    cell.shown_as(text)
}
