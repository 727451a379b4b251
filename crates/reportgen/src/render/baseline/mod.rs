//! Baselines: each model from its load to its steady state.

mod figures;
mod followed;
mod memory;
mod over;
mod target;

pub(super) use over::over;

use crate::page::{Cell, Left, Page, Right, Table, code, prose, row};
use records::{Metric, ProtocolKind, Stats, Test};
use serde_json::Value;

use super::{
    bench::model_line,
    chapter::{Chapter, backend_cell, case_of, model_cell},
    figure::{share, times, timing},
    format::{gb, minute, or_none},
    outcome,
    over::hide_alike,
    protocol,
};
use crate::numbers::{Better, Found, Sure, accuracy_pct, found, latest, lead, runs_of, steady};

/// Writes a table of all baselines where there are several, and a part for each.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let all = found(&[chapter.run], ProtocolKind::Baseline);
    if all.is_empty() {
        return;
    }
    page.heading(2, "Baseline");
    page.paragraph(
        "**Load** is from starting the backend to its being ready, **warm-up** the first query, \
         **steady** the queries after it: mean ± standard deviation (n − 1). The coefficient of \
         variation (CV) is the deviation in percent of the mean: excellent under 5 %, good under \
         10 %, fair under 20 %, else unstable. **TTFT**, **PP** (prompt processing) and **TG** \
         (token generation) are of the steady queries, too.",
    );
    if all.len() > 1 {
        comparison(page, &all);
        fastest(page, &all);
        target::list(page, &all);
    }
    all.iter().for_each(|one| page.on_test(&one.test.id, |page| entry(page, one.test)));
}

/// Writes a row for each baseline.
fn comparison(page: &mut Page, all: &[Found<'_>]) {
    let mut table = Table::new(
        "baselines",
        &[
            ("Run", Left),
            ("Host", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Case", Left),
            ("Date", Right),
            ("Disk", Right),
            ("Memory", Right),
            ("Load", Right),
            ("Warm-up", Right),
            ("Steady", Right),
            ("Against fastest", Right),
            ("Accuracy", Right),
            ("Verdict", Left),
        ],
    );
    let steady_s = |test: &Test| steady(test).map(|steady| steady.stats.mean);
    // What others do, or other machines, is no measure.
    let least = |one: &Found<'_>| {
        let alike = |other: &&Found<'_>| {
            other.ran()
                && other.run.host == one.run.host
                && case_of(other.test) == case_of(one.test)
        };
        let times = all.iter().filter(alike).filter_map(|other| steady_s(other.test));
        times.filter(|s| *s > 0.0).fold(f64::INFINITY, f64::min)
    };
    for one in all {
        let (test, metrics) = (one.test, &one.test.metrics);
        let get = |metric: &Option<Metric>, write: fn(f64) -> Cell| {
            or_none(metric.as_ref(), |metric| write(metric.value()))
        };
        let against = steady_s(test).map(|s| s / least(one)).filter(|_| one.ran());
        table.row(row![
            Cell::name(&one.run.id),
            Cell::name(&one.run.host),
            model_cell(test),
            backend_cell(test),
            case_of(test),
            minute(test.ts),
            get(&metrics.disk_gb, gb),
            get(&metrics.memory_gb, gb),
            get(&metrics.load_s, timing),
            get(&metrics.warmup_s, timing),
            get(&metrics.steady_s, timing),
            or_none(against.filter(|factor| factor.is_finite() && *factor > 0.0), times),
            or_none(metrics.accuracy.and_then(accuracy_pct), |pct| share(pct / 100.0)),
            outcome::word(test).to_owned(),
        ]);
    }
    hide_alike(&mut table, all);
    if runs_of(all) == 1 {
        table.hide("Date");
    }
    page.table(table, "not measured");
}

/// Says which is fastest, and how right its answers were.
fn fastest(page: &mut Page, all: &[Found<'_>]) {
    let last = latest(&all.iter().copied().filter(Found::ran).collect::<Vec<_>>());
    let known: Vec<(&Test, Stats)> =
        last.iter().filter_map(|one| Some((one.test, steady(one.test)?.stats))).collect();
    let alike = |one: &&Found<'_>| {
        case_of(one.test) == case_of(last[0].test) && one.run.host == last[0].run.host
    };
    if last.iter().filter(alike).count() < last.len() {
        return;
    }
    let stats: Vec<Stats> = known.iter().map(|(_, stats)| stats.clone()).collect();
    let Some(lead) = lead(&stats, Better::Less) else { return };
    let name = |at: usize| {
        let test = known[at].0;
        let accuracy = test.metrics.accuracy.and_then(accuracy_pct);
        let wrong = accuracy.filter(|pct| *pct < 100.0);
        let wrong = wrong.map(|pct| format!(" (accuracy {})", share(pct / 100.0)));
        format!("{} on {}{}", model_cell(test), backend_cell(test), wrong.unwrap_or_default())
    };
    let sure = match lead.sure(|at| &stats[at]) {
        Sure::Beyond => "beyond the noise",
        Sure::Within => "within the noise",
        Sure::TooFew => "too few values to tell it from noise",
    };
    page.paragraph(&format!(
        "**Steady:** {} is fastest, {} {}, {sure}.",
        name(lead.first),
        times(lead.factor),
        name(lead.next)
    ));
}

fn entry(page: &mut Page, test: &Test) {
    page.heading(3, &code(&test.id));
    if let Some(facts) = model_line(&[test]) {
        page.fact("Model", &facts);
    }
    if let Some(how) = protocol::line(&[test]) {
        page.fact("Measured", &how);
    }
    if !test.metrics.is_empty() {
        figures::table(page, test);
        target::sentence(page, test);
        memory::table(page, test);
    }
    let remarks = outcome::ended(test).into_iter().chain(outcome::suspicion(test));
    remarks.chain(wrong(test)).for_each(|remark| page.item(&remark));
}

/// The queries that were answered wrongly, as far as the runner tells of them.
fn wrong(test: &Test) -> Vec<String> {
    let told = test.metadata.as_ref().and_then(|metadata| metadata.get("wrong_queries"));
    let told = told.and_then(Value::as_array).into_iter().flatten();
    told.filter_map(|query| {
        let n = query["query"].as_u64()?;
        Some(format!("query {n} is wrong: {}", prose(query["reason"].as_str()?)))
    })
    .collect()
}
