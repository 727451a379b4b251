//! What changed since earlier runs.

use records::Test;

use super::{
    change::{self, change_cell, shift_word},
    chapter::{Chapter, backend_cell, case_of, model_cell},
    format::{count, day, or_none, things},
    list,
};
use crate::{
    numbers::{ALPHA, Comparison, Difference, Pair, Rules, Shift},
    page::{Cell, Left, Page, Right, Table, code, prose, row},
};

/// The most tests that are named in a line.
const NAMES: usize = 20;

/// Writes what differs, what became worse and better, and what only one of them has.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let Some((comparison, rules)) = &chapter.comparison else { return };
    page.heading(2, "Comparison");
    if comparison.old.is_empty() {
        page.paragraph(&nothing(comparison));
        return;
    }
    page.paragraph(&rule(rules));
    environment(page, &comparison.environment);
    regressions(page, comparison);
    measurements(page, comparison);
    strangers(page, comparison);
}

/// Why nothing can be compared.
fn nothing(comparison: &Comparison<'_>) -> String {
    let hosts: Vec<&str> = comparison.other_hosts.iter().map(String::as_str).collect();
    if hosts.is_empty() {
        return "Nothing to compare with: the earlier input holds no results.".to_owned();
    }
    format!(
        "Not compared: the earlier runs are of another class of machine ({}). `--any-host` \
         compares them all the same.",
        hosts.iter().map(|host| prose(host)).collect::<Vec<_>>().join("; ")
    )
}

fn rule(rules: &Rules) -> String {
    format!(
        "Tests are paired by suite, case, model, backend and further axes, and only those that \
         came through both times have a change; figures are medians. With enough repetitions of \
         both (4 and 4, say) a change is beyond the noise where the Mann–Whitney test gives \
         p ≤ {ALPHA}; with fewer where it is over {} % and no value of the one run lies among \
         those of the other.",
        rules.noise_pct
    )
}

fn environment(page: &mut Page, differences: &[Difference]) {
    if differences.is_empty() {
        page.paragraph("The runs state no difference of machine, system, versions or models.");
        return;
    }
    page.heading(3, "Different before any figure is");
    let mut table =
        Table::new("environment", &[("What", Left), ("Of", Left), ("Then", Left), ("Now", Left)]);
    let values = |all: &[String]| -> Cell {
        let each: Vec<String> = all.iter().map(|value| prose(value)).collect();
        Cell::words(&all.join(", "), each.join(", "))
    };
    for Difference { what, of, old, new } in differences {
        table.row(row![*what, or_none(of.as_deref(), Cell::name), values(old), values(new)]);
    }
    table.hide_where("Of", crate::page::NONE);
    page.table(table, "the machine");
}

fn regressions(page: &mut Page, comparison: &Comparison<'_>) {
    let worse = comparison.regressions(0.0);
    if !worse.is_empty() {
        page.heading(3, "Regressions");
        let mut table = changes("regressions");
        for regression in &worse {
            match regression.quantity {
                Some((quantity, change)) => add(&mut table, regression.pair, quantity.name, change),
                None => table.row(row![
                    case_of(regression.pair.test()),
                    model_cell(regression.pair.test()),
                    backend_cell(regression.pair.test()),
                    "outcome",
                    regression.pair.then.last().map_or("", |test| test.outcome.name()),
                    regression.pair.now.last().map_or("", |test| test.outcome.name()),
                    "**no longer passes**",
                    Cell::none(),
                ]),
            }
        }
        finish(page, table);
    }
    let mended: Vec<&Pair<'_>> = comparison.pairs.iter().filter(|pair| pair.mended()).collect();
    if !mended.is_empty() {
        let ids = mended.iter().map(|pair| pair.test().id.as_str());
        page.fact("Passes again", &list(ids.collect::<Vec<_>>().into_iter(), NAMES));
    }
    let mut better = changes("improvements");
    for pair in &comparison.pairs {
        for (quantity, change) in pair.changes.iter().filter(|(_, c)| c.shift == Shift::Better) {
            add(&mut better, pair, quantity.name, change);
        }
    }
    if !better.is_empty() {
        page.heading(3, "Improvements");
        finish(page, better);
    }
}

/// Writes every figure of benches, baselines and batches, then and now.
fn measurements(page: &mut Page, comparison: &Comparison<'_>) {
    let mut table = changes("measured_changes");
    for pair in comparison.pairs.iter().filter(|pair| pair.time().is_none()) {
        for (quantity, change) in &pair.changes {
            add(&mut table, pair, quantity.name, change);
        }
    }
    if !table.is_empty() {
        page.heading(3, "Benches, baselines and batches, then and now");
        finish(page, table);
    }
}

fn changes(name: &'static str) -> Table {
    Table::new(
        name,
        &[
            ("Test", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Figure", Left),
            ("Then", Right),
            ("Now", Right),
            ("Change", Left),
            ("n, p", Left),
        ],
    )
}

fn add(table: &mut Table, pair: &Pair<'_>, name: &str, change: &crate::numbers::Change) {
    let n = format!("{} and {}", count(change.n.0 as u64), count(change.n.1 as u64));
    let sure: Cell = match change.p {
        Some(p) => Cell::number(p, "p", format!("{n}, p = {p:.3}")),
        None => n.into(),
    };
    table.row(row![
        case_of(pair.test()),
        model_cell(pair.test()),
        backend_cell(pair.test()),
        Cell::name(name),
        change::figure(name, change.old),
        change::figure(name, change.new),
        change_cell(change.pct(), change.shift, shift_word(name, change.shift)),
        sure,
    ]);
}

fn finish(page: &mut Page, mut table: Table) {
    for title in ["Model", "Backend"] {
        table.hide_where(title, crate::page::NONE);
    }
    page.table(table, "none is named, or there is none");
}

/// Names what only one side has.
fn strangers(page: &mut Page, comparison: &Comparison<'_>) {
    let ids = |tests: &[&Test]| {
        let ids: Vec<&str> = tests.iter().map(|test| test.id.as_str()).collect();
        format!("{}: {}", things(ids.len() as u64, "test"), list(ids.into_iter(), NAMES))
    };
    if !comparison.new.is_empty() {
        page.fact("NEW", &ids(&comparison.new));
    }
    if !comparison.gone.is_empty() {
        page.fact("GONE", &ids(&comparison.gone));
    }
    if !comparison.other_hosts.is_empty() {
        let hosts: Vec<String> = comparison.other_hosts.iter().map(|host| prose(host)).collect();
        page.fact("Left out", &format!("runs of another class of machine: {}", hosts.join("; ")));
    }
}

/// The comparison at a glance, for the summary.
pub(super) fn facts(page: &mut Page, chapter: &Chapter<'_>) {
    let Some((comparison, rules)) = &chapter.comparison else { return };
    if comparison.old.is_empty() {
        page.fact("Compared with", &nothing(comparison));
        return;
    }
    let runs: Vec<String> = comparison
        .old
        .iter()
        .take(3)
        .map(|run| {
            let date = run.window().map(|window| format!(" of {}", day(window.0)));
            format!("{}{}", code(&run.id), date.unwrap_or_default())
        })
        .collect();
    let more = comparison.old.len().saturating_sub(runs.len()) as u64;
    let more = if more > 0 { format!(" and {}", things(more, "more run")) } else { String::new() };
    page.fact("Compared with", &format!("{}{more}", runs.join(", ")));
    times(page, comparison, rules);
    let changes = comparison.pairs.iter().flat_map(|pair| &pair.changes);
    let of = |shift| changes.clone().filter(|(_, change)| change.shift == shift).count() as u64;
    let broke = comparison.pairs.iter().filter(|pair| pair.broke()).count() as u64;
    let mended = comparison.pairs.iter().filter(|pair| pair.mended()).count() as u64;
    let mut parts = vec![format!(
        "{} worse and {} better beyond the noise, {} within it",
        things(of(Shift::Worse), "figure"),
        count(of(Shift::Better)),
        count(of(Shift::Noise)),
    )];
    let passes = |n: u64| if n == 1 { "passes" } else { "pass" };
    for (n, what) in [
        (broke, format!("no longer {}", passes(broke))),
        (mended, format!("{} again", passes(mended))),
        (comparison.new.len() as u64, "NEW".to_owned()),
        (comparison.gone.len() as u64, "GONE".to_owned()),
    ] {
        if n > 0 {
            parts.push(format!("{} {what}", super::tests(n)));
        }
    }
    page.fact("Changed", &parts.join("; "));
    if !comparison.environment.is_empty() {
        let n = things(comparison.environment.len() as u64, "difference");
        page.fact("Environment", &format!("{n} besides the figures, see Comparison"));
    }
}

/// The time of the tests that both have, and of their models.
fn times(page: &mut Page, comparison: &Comparison<'_>, rules: &Rules) {
    let Some(all) = comparison.sum(|_| true) else { return };
    page.fact(
        "Time of the same tests",
        &format!(
            "{} → {} ({}), over {} that came through both times",
            super::format::seconds(all.old_s),
            super::format::seconds(all.new_s),
            change_cell(
                all.pct(),
                all.shift(rules.noise_pct),
                shift_word("duration_s", all.shift(rules.noise_pct))
            ),
            things(all.tests, "test")
        ),
    );
    let models = change::models(comparison, rules);
    if models.total() > 1 {
        page.fact(
            "Models compared",
            &format!(
                "{} slower by more than {} %, {} faster, {} within",
                count(models.slower),
                rules.noise_pct,
                count(models.faster),
                count(models.same)
            ),
        );
    }
}
