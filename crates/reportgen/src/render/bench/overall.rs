//! One table of all benches, and who is fastest with each model.

use std::collections::BTreeMap;

use records::{Metric, Outcome, Test};

use super::{backend_cell, model::billions};
use crate::{
    numbers::{Fastest, Found, Sure, fastest, grouped, latest, load_s, runs_of, stats},
    page::{Cell, Left, NONE, Page, Right, Table, code, prose, row},
    render::{
        chapter::{case_of, model_cell},
        figure::{plus_minus, times, timing},
        format::{count, gb, minute, or_none, things},
        outcome,
        over::hide_alike,
    },
};

/// Writes a row for each of `all`, the fastest first, and the winners. Nothing where they are
/// of one run, model and case, each once: these have a table of their own.
pub(in crate::render) fn section(page: &mut Page, all: &[Found<'_>], level: usize) {
    let again = all.len() - latest(all).len();
    if grouped(all, Found::task).len() < 2 && runs_of(all) < 2 && again == 0 {
        return;
    }
    page.heading(level, "All benches");
    page.paragraph(
        "The fastest token generation first, then what has none. What was measured again has \
         a row for each time.",
    );
    table(page, all);
    if again > 0 {
        page.paragraph(&format!(
            "{} measured before on the same backend, told apart by the date; below, the last of \
             each counts that came to figures.",
            match again {
                1 => "One was".to_owned(),
                n => format!("{} were", count(n as u64)),
            }
        ));
    }
    winners(page, &fastest(all), level);
}

fn table(page: &mut Page, all: &[Found<'_>]) {
    let mut table = Table::new(
        "bench_summary",
        &[
            ("Run", Left),
            ("Host", Left),
            ("Case", Left),
            ("Model", Left),
            ("Quantization", Left),
            ("Size", Right),
            ("Params", Right),
            ("Active", Right),
            ("Backend", Left),
            ("Load", Right),
            ("PP tok/s", Right),
            ("TG tok/s", Right),
            ("RTFx", Right),
            ("Date", Right),
            ("Remarks", Left),
        ],
    );
    let mut sorted = all.to_vec();
    let speed = |one: &Found<'_>| {
        let of = |metric: &Option<Metric>| metric.as_ref().map_or(f64::NEG_INFINITY, Metric::value);
        let metrics = &one.test.metrics;
        // What died may have measured something before it did: it comes last all the same.
        (one.ran(), of(&metrics.generation_tps), of(&metrics.rtfx), of(&metrics.prompt_tps))
    };
    sorted.sort_by(|a, b| {
        let (a, b) = (speed(a), speed(b));
        let order = b.0.cmp(&a.0).then(b.1.total_cmp(&a.1));
        order.then(b.2.total_cmp(&a.2)).then(b.3.total_cmp(&a.3))
    });
    for Found { run, test } in &sorted {
        let model = test.model.as_ref();
        let mean = |metric: &Option<Metric>| {
            or_none(metric.as_ref(), |metric| plus_minus(&stats(metric), 1.0))
        };
        let params = |n: Option<f64>| or_none(n, |n| Cell::number(n, "b", billions(n)));
        let load = match test.outcome {
            Outcome::Error | Outcome::Skipped => None,
            _ => load_s(test, &run.spans),
        };
        table.row(row![
            Cell::name(&run.id),
            if run.host_is_known() { Cell::name(&run.host) } else { Cell::none() },
            case_of(test),
            model_cell(test),
            or_none(model.and_then(|model| model.quantization.as_deref()), Cell::name),
            or_none(model.and_then(|model| model.size_gb), gb),
            params(model.and_then(|model| model.params_b)),
            params(model.and_then(|model| model.active_params_b)),
            backend_cell(test),
            or_none(load, timing),
            mean(&test.metrics.prompt_tps),
            mean(&test.metrics.generation_tps),
            mean(&test.metrics.rtfx),
            minute(test.ts),
            remarks(test),
        ]);
    }
    hide_alike(&mut table, all);
    for (name, measured) in [
        ("RTFx", all.iter().any(|one| one.test.metrics.rtfx.is_some())),
        ("Backend", all.iter().any(|one| &*backend_cell(one.test) != NONE)),
    ] {
        if !measured {
            table.hide(name);
        }
    }
    table.hide_where("Remarks", "");
    page.table(table, "not stated or not measured");
}

/// Why there are no figures, or what speaks against them.
fn remarks(test: &Test) -> Cell {
    let why = || match (&test.error, &test.reason) {
        (Some(error), _) => error.message.clone(),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "no reason is given".to_owned(),
    };
    let said = |word: &str| Cell::words(&why(), format!("{word}: {}", prose(&why())));
    match test.outcome {
        Outcome::Error => said("ERROR"),
        Outcome::Skipped => said("skipped"),
        Outcome::Failed => said("failed"),
        _ => outcome::suspicion(test).unwrap_or_default().into(),
    }
}

/// Writes who is fastest with each model that several backends ran.
fn winners(page: &mut Page, all: &[Fastest<'_>], level: usize) {
    if all.is_empty() {
        return;
    }
    page.heading(level + 1, "Fastest backends");
    tally(page, all);
    let mut table = Table::new(
        "fastest",
        &[
            ("Host", Left),
            ("Case", Left),
            ("Model", Left),
            ("Speed", Left),
            ("Fastest", Left),
            ("Factor", Right),
            ("Next", Left),
            ("Difference", Left),
        ],
    );
    for one in all {
        let Found { run, test } = one.leader();
        table.row(row![
            Cell::name(&run.host),
            case_of(test),
            model_cell(test),
            one.quantity.name,
            backend_cell(test),
            times(one.lead.factor),
            backend_cell(one.among[one.lead.next].0.test),
            difference(one),
        ]);
    }
    hide_alike(&mut table, &all.iter().map(Fastest::leader).collect::<Vec<_>>());
    page.table(table, "not stated");
}

/// How sure it is that the fastest is faster than the next, and whether both ran the same.
fn difference(one: &Fastest<'_>) -> String {
    let sure = match one.lead.sure(|at| &one.among[at].1) {
        Sure::Beyond => "beyond the noise",
        Sure::Within => "within the noise",
        Sure::TooFew => "too few values",
    };
    let stored = |test: &Test| test.model.as_ref().and_then(|model| model.quantization.clone());
    let next = one.among[one.lead.next].0.test;
    let mut said = sure.to_owned();
    if let (Some(a), Some(b)) = (stored(one.leader().test), stored(next))
        && a != b
    {
        said.push_str(&format!("; {} against {}", code(&a), code(&b)));
    }
    if [one.leader().test, next].into_iter().any(outcome::is_suspect) {
        said.push_str("; suspect");
    }
    said
}

fn is_sure(one: &Fastest<'_>) -> bool {
    one.lead.sure(|at| &one.among[at].1) == Sure::Beyond
}

/// How often each backend leads, and how often that is more than noise.
fn tally(page: &mut Page, all: &[Fastest<'_>]) {
    for name in ["TG", "PP", "RTFx"] {
        let these: Vec<&Fastest<'_>> = all.iter().filter(|one| one.quantity.name == name).collect();
        let mut wins: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for one in &these {
            let backend = backend_cell(one.leader().test).to_string();
            let (leads, sure) = wins.entry(backend).or_default();
            *leads += 1;
            *sure += u64::from(is_sure(one));
        }
        let mut wins: Vec<(String, (u64, u64))> = wins.into_iter().collect();
        wins.sort_by_key(|(_, (leads, _))| std::cmp::Reverse(*leads));
        let each: Vec<String> = wins
            .iter()
            .map(|(backend, (leads, sure))| {
                format!("{backend} leads in {} ({} beyond the noise)", count(*leads), count(*sure))
            })
            .collect();
        if !each.is_empty() {
            let of = things(these.len() as u64, "comparison");
            page.fact(name, &format!("of {of}, {}", each.join(", ")));
        }
    }
}
