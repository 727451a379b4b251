//! Batches by how fast they were and by what they cost.

use records::{Cost, CostBasis, Metric, Test};

use crate::{
    numbers::batch,
    page::{Cell, Left, Page, Right, Table, code, prose, row},
    render::{
        chapter::{backend_cell, case_of, model_cell},
        figure::{large, money, rate, times},
        format::{minute, or_none, pct},
    },
};

/// Writes the batches in the order of their speed, and of what they cost by each currency.
pub(super) fn section(page: &mut Page, tests: &[&Test], level: usize) {
    let mut fast: Vec<(&Test, f64)> =
        tests.iter().filter_map(|test| Some((*test, batch(test).total_tps?))).collect();
    fast.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut costs: Vec<Paid<'_>> = tests
        .iter()
        .flat_map(|test| test.cost.iter().map(move |cost| (*test, cost)))
        .filter_map(|(test, cost)| Some((test, cost, cost.per_100k_requests?)))
        .collect();
    costs.sort_by(|a, b| paid(a.1).cmp(&paid(b.1)).then(a.2.total_cmp(&b.2)));
    // What is paid for otherwise, or with other money, is not compared.
    let paid_alike: Vec<_> = costs.chunk_by(|a, b| paid(a.1) == paid(b.1)).collect();
    let costs: Vec<&[_]> = paid_alike.into_iter().filter(|alike| alike.len() > 1).collect();
    if fast.len() < 2 && costs.is_empty() {
        return;
    }
    page.heading(level, "Rankings");
    if fast.len() > 1 {
        speeds(page, &fast);
    }
    if !costs.is_empty() {
        prices(page, &costs);
    }
}

fn speeds(page: &mut Page, fast: &[(&Test, f64)]) {
    page.paragraph(
        "By total tokens per second, of prompts and answers. A token is not the same work for \
         two models, and prompts and answers may differ in length: requests per second say how \
         soon a batch is done.",
    );
    let mut table = Table::new(
        "batch_speeds",
        &[
            ("#", Right),
            ("Case", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Date", Right),
            ("Total tok/s", Right),
            ("As fast as the next", Right),
            ("Requests/s", Right),
            ("Requests as fast", Right),
        ],
    );
    let requests = |test: &Test| test.metrics.request_tps.as_ref().map(Metric::value);
    let ratio = |this: Option<f64>, next: Option<f64>| {
        let factor = this.zip(next).map(|(this, next)| this / next);
        or_none(factor.filter(|factor| factor.is_finite()), times)
    };
    for (at, (test, tps)) in fast.iter().enumerate() {
        let next = fast.get(at + 1);
        table.row(row![
            (at + 1).to_string(),
            case_of(test),
            model_cell(test),
            backend_cell(test),
            minute(test.ts),
            large(*tps),
            ratio(Some(*tps), next.map(|next| next.1)),
            or_none(requests(test), rate),
            ratio(requests(test), next.and_then(|next| requests(next.0))),
        ]);
    }
    let tests: Vec<&Test> = fast.iter().map(|(test, _)| *test).collect();
    hide_same(&mut table, &tests);
    page.table(table, "there is no next, or it was not measured");
}

/// A batch, what it costs by one price, and that for 100,000 requests.
type Paid<'a> = (&'a Test, &'a Cost, f64);

/// With what is paid, and for what.
fn paid(cost: &Cost) -> (&str, &'static str) {
    (&cost.currency, basis(cost))
}

fn basis(cost: &Cost) -> &'static str {
    match cost.basis {
        CostBasis::Tokens => "tokens",
        CostBasis::Time => "time",
        CostBasis::Energy => "energy",
    }
}

/// Writes those that are paid alike beside one another.
fn prices(page: &mut Page, costs: &[&[Paid<'_>]]) {
    page.paragraph(
        "By the cost of 100,000 requests like those of the batch. How good the answers are is \
         not part of it.",
    );
    let mut table = Table::new(
        "batch_costs_ranked",
        &[
            ("#", Right),
            ("Case", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Date", Right),
            ("Price", Left),
            ("Of", Left),
            ("Currency", Left),
            ("100K requests", Right),
            ("Cheaper than the next", Right),
        ],
    );
    for (at, (test, cost, amount)) in costs.iter().flat_map(|alike| alike.iter().enumerate()) {
        let alike = costs.iter().find(|alike| paid(alike[0].1) == paid(cost));
        let next = alike.and_then(|alike| alike.get(at + 1));
        let cheaper = next.map(|next| 100.0 * (next.2 - amount) / next.2);
        table.row(row![
            (at + 1).to_string(),
            case_of(test),
            model_cell(test),
            backend_cell(test),
            minute(test.ts),
            code(&cost.price),
            basis(cost),
            prose(&cost.currency),
            money(*amount),
            or_none(cheaper.filter(|pct| pct.is_finite()), pct),
        ]);
    }
    let tests: Vec<&Test> =
        costs.iter().flat_map(|alike| alike.iter()).map(|(test, ..)| *test).collect();
    hide_same(&mut table, &tests);
    page.table(table, "there is no next");
}

/// Hides the columns that tell nothing apart.
fn hide_same(table: &mut Table, tests: &[&Test]) {
    let mut hide = |name: &str, cell: fn(&Test) -> Cell| {
        if tests.iter().all(|test| cell(test) == cell(tests[0])) {
            table.hide(name);
        }
    };
    hide("Case", case_of);
    hide("Model", model_cell);
    hide("Backend", backend_cell);
    let again = tests.iter().enumerate().any(|(at, test)| {
        tests[..at].iter().any(|other| other.id == test.id && other.ts != test.ts)
    });
    if !again {
        table.hide("Date");
    }
}
