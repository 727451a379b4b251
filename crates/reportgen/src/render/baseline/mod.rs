//! Baselines: each model from its load to its steady state.

mod figures;
mod memory;
mod target;

use crate::page::{Cell, Left, Page, Right, Table, code, prose, row};
use records::{Metric, ProtocolKind, Test};
use serde_json::Value;

use super::{
    bench::model_line,
    chapter::{Chapter, backend_cell, case_of, model_cell},
    figure::{share, timing},
    format::{gb, or_none},
    outcome, protocol,
};
use crate::numbers::accuracy_pct;

/// Writes a table of all baselines where there are several, and a part for each.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let tests = chapter.measured.select(&chapter.run.tests, ProtocolKind::Baseline);
    if tests.is_empty() {
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
    if tests.len() > 1 {
        comparison(page, &tests);
    }
    tests.iter().for_each(|test| page.on_test(&test.id, |page| entry(page, test)));
}

fn comparison(page: &mut Page, tests: &[&Test]) {
    let mut table = Table::new(
        "baselines",
        &[
            ("Model", Left),
            ("Backend", Left),
            ("Case", Left),
            ("Disk", Right),
            ("Memory", Right),
            ("Load", Right),
            ("Warm-up", Right),
            ("Steady", Right),
            ("Accuracy", Right),
            ("Verdict", Left),
        ],
    );
    for test in tests {
        let metrics = &test.metrics;
        let get = |metric: &Option<Metric>, write: fn(f64) -> Cell| {
            or_none(metric.as_ref(), |metric| write(metric.value()))
        };
        table.row(row![
            model_cell(test),
            backend_cell(test),
            case_of(test),
            get(&metrics.disk_gb, gb),
            get(&metrics.memory_gb, gb),
            get(&metrics.load_s, timing),
            get(&metrics.warmup_s, timing),
            get(&metrics.steady_s, timing),
            or_none(metrics.accuracy.and_then(accuracy_pct), |pct| share(pct / 100.0)),
            outcome::word(test).to_owned(),
        ]);
    }
    if tests.iter().all(|test| case_of(test) == case_of(tests[0])) {
        table.hide("Case");
    }
    page.table(table, "not measured");
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
