//! Batches by how fast they were and by what they cost.

use records::{Cost, CostBasis, Metric, Test};

use crate::{
    numbers::batch,
    page::{Cell, Left, Page, Right, Side, Table, code, prose, row},
    render::{
        chapter::{backend_cell, case_of, model_cell, name_cell},
        figure::{large, money, rate, times},
        format::{minute, or_none, pct},
    },
};

/// Writes the batches of each case in the order of their speed, and of what they cost.
pub(super) fn section(page: &mut Page, tests: &[&Test], level: usize) {
    let fast = tests.iter().filter_map(|test| Some((*test, batch(test).total_tps?)));
    let mut fast =
        alike(fast.collect(), |a, b| case_of(a.0) == case_of(b.0) && a.0.host == b.0.host);
    fast.iter_mut().for_each(|group| group.sort_by(|a, b| b.1.total_cmp(&a.1)));
    let costs = tests
        .iter()
        .flat_map(|test| test.cost.iter().map(move |cost| (*test, cost)))
        .filter_map(|(test, cost)| Some((test, cost, cost.per_100k_requests?)));
    let paid = |cost: &Cost| (cost.currency.clone(), basis(cost));
    let mut costs = alike(costs.collect(), |a: &Paid<'_>, b: &Paid<'_>| {
        case_of(a.0) == case_of(b.0) && paid(a.1) == paid(b.1)
    });
    costs.iter_mut().for_each(|group| group.sort_by(|a, b| a.2.total_cmp(&b.2)));
    if fast.is_empty() && costs.is_empty() {
        return;
    }
    page.heading(level, "Rankings");
    if !fast.is_empty() {
        speeds(page, &fast);
    }
    if !costs.is_empty() {
        prices(page, &costs);
    }
}

/// A batch, what it costs by one price, and that for 100,000 requests.
type Paid<'a> = (&'a Test, &'a Cost, f64);

/// Groups of at least two that can be compared.
fn alike<T>(all: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|group| same(&group[0], &one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// An empty ranking with these columns behind those that say who.
fn ranking(name: &'static str, columns: &[(&str, Side)]) -> Table {
    let who = [
        ("#", Right),
        ("Host", Left),
        ("Case", Left),
        ("Model", Left),
        ("Backend", Left),
        ("Date", Right),
    ];
    Table::new(name, &[&who, columns].concat())
}

fn who(at: usize, test: &Test) -> Vec<Cell> {
    row![
        (at + 1).to_string(),
        name_cell(Some(&test.host)),
        case_of(test),
        model_cell(test),
        backend_cell(test),
        minute(test.ts),
    ]
    .into()
}

fn speeds(page: &mut Page, fast: &[Vec<(&Test, f64)>]) {
    page.paragraph(
        "By total tokens per second, of prompts and answers, each case on each host by itself. A \
         token is not the same work for two models, and prompts and answers may differ in \
         length: requests per second say how soon a batch is done.",
    );
    let mut table = ranking(
        "batch_speeds",
        &[
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
    for group in fast {
        for (at, (test, tps)) in group.iter().enumerate() {
            let next = group.get(at + 1);
            let mut cells = who(at, test);
            cells.extend(row![
                large(*tps),
                ratio(Some(*tps), next.map(|next| next.1)),
                or_none(requests(test), rate),
                ratio(requests(test), next.and_then(|next| requests(next.0))),
            ]);
            table.cells(cells);
        }
    }
    hide_same(&mut table, &fast.iter().flatten().map(|one| one.0).collect::<Vec<_>>());
    page.table(table, "there is no next, or it was not measured");
}

/// Writes those that are paid alike beside one another.
fn prices(page: &mut Page, costs: &[Vec<Paid<'_>>]) {
    page.paragraph(
        "By the cost of 100,000 requests like those of the batch, each case by itself. How good \
         the answers are is not part of it.",
    );
    let mut table = ranking(
        "batch_costs_ranked",
        &[
            ("Price", Left),
            ("Of", Left),
            ("Currency", Left),
            ("100K requests", Right),
            ("Cheaper than the next", Right),
        ],
    );
    for group in costs {
        for (at, (test, cost, amount)) in group.iter().enumerate() {
            let next = group.get(at + 1);
            let cheaper = next.map(|next| 100.0 * (next.2 - amount) / next.2);
            let mut cells = who(at, test);
            cells.extend(row![
                code(&cost.price),
                basis(cost),
                prose(&cost.currency),
                money(*amount),
                or_none(cheaper.filter(|pct| pct.is_finite()), pct),
            ]);
            table.cells(cells);
        }
    }
    hide_same(&mut table, &costs.iter().flatten().map(|one| one.0).collect::<Vec<_>>());
    page.table(table, "there is no next");
}

fn basis(cost: &Cost) -> &'static str {
    match cost.basis {
        CostBasis::Tokens => "tokens",
        CostBasis::Time => "time",
        CostBasis::Energy => "energy",
    }
}

/// Hides the columns that tell nothing apart.
fn hide_same(table: &mut Table, tests: &[&Test]) {
    let mut hide = |name: &str, cell: fn(&Test) -> Cell| {
        if tests.iter().all(|test| cell(test) == cell(tests[0])) {
            table.hide(name);
        }
    };
    hide("Host", |test| name_cell(Some(&test.host)));
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
