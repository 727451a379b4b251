//! What requests like those of the batches cost.

use crate::page::{Cell, Left, NONE, Page, Right, Table, code, prose, row};
use records::{Cost, CostBasis, Test};

use crate::numbers::batch;
use crate::render::{
    chapter::{backend_cell, case_of, model_cell},
    figure::{mean_count, money},
    format::or_none,
};

/// Writes a row for each batch and price, so that they can be compared.
pub(super) fn section(page: &mut Page, tests: &[&Test]) {
    let costs: Vec<(&Test, &Cost)> =
        tests.iter().flat_map(|test| test.cost.iter().map(move |cost| (*test, cost))).collect();
    if costs.is_empty() {
        return;
    }
    page.heading(3, "Costs");
    let mut table = Table::new(
        "costs",
        &[
            ("Case", Left),
            ("Model", Left),
            ("Backend", Left),
            ("Tokens each", Right),
            ("Price", Left),
            ("Of", Left),
            ("1K requests", Right),
            ("100K requests", Right),
            ("1M requests", Right),
        ],
    );
    for (test, cost) in &costs {
        let amount = |amount: Option<f64>| match amount {
            Some(amount) => format!("{} {}", money(amount), prose(&cost.currency)),
            None if cost.unknown.is_some() => "unknown".to_owned(),
            None => NONE.to_owned(),
        };
        table.row(row![
            case_of(test),
            model_cell(test),
            backend_cell(test),
            or_none(batch(test).total_tokens, mean_count),
            code(&cost.price),
            basis(cost),
            amount(cost.per_1k_requests),
            amount(cost.per_100k_requests),
            amount(cost.per_1m_requests),
        ]);
    }
    for (name, cell) in
        [("Case", case_of as fn(&Test) -> Cell), ("Model", model_cell), ("Backend", backend_cell)]
    {
        if costs.iter().all(|(test, _)| cell(test) == cell(costs[0].0)) {
            table.hide(name);
        }
    }
    page.table(table, "not stated");
    page.paragraph("A month of a million requests costs what the last column says.");
    for (test, cost) in costs {
        if let Some(why) = &cost.unknown {
            page.item(&format!(
                "{} by {}: unknown, {}",
                code(&test.id),
                code(&cost.price),
                prose(why)
            ));
        }
    }
}

/// What is paid for, and of energy what was measured.
fn basis(cost: &Cost) -> String {
    match cost.basis {
        CostBasis::Tokens => "tokens".to_owned(),
        CostBasis::Time => "time".to_owned(),
        CostBasis::Energy if cost.energy_of.is_empty() => "energy".to_owned(),
        CostBasis::Energy => {
            let parts: Vec<String> = cost.energy_of.iter().map(|part| prose(part)).collect();
            format!("energy of {}", parts.join(", "))
        }
    }
}
