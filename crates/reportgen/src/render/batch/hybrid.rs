//! Screening with one model and evaluating with another.

use records::Test;

use crate::{
    hybrid::Hybrid,
    numbers::{Steps, common_prices, seconds_for},
    page::{Cell, Left, Page, Right, Table, code, prose, row},
    render::{
        figure::money,
        format::{count, or_none, pct, seconds},
    },
};

/// What a row shows of both steps.
type Get = fn(&Steps) -> Option<f64>;

/// The requests that the figures are for.
const REQUESTS: u32 = 100_000;

/// Writes what was asked for with `--hybrid`.
pub(in crate::render) fn section(page: &mut Page, hybrid: &Hybrid, screen: &Test, alone: &Test) {
    let all = f64::from(REQUESTS);
    let share = hybrid.pct;
    page.heading(2, "Hybrid strategy");
    page.paragraph(&format!(
        "Screen {} requests with {}, then evaluate {share} % of them with {}, against evaluating all \
         of them. Requests are like those of each batch, one step after the other, at the rates \
         that were measured; loading is not part of it. Whether the screening finds the right \
         ones was not measured.",
        count(REQUESTS.into()),
        code(&screen.id),
        code(&alone.id),
    ));
    let time = seconds_for(screen, all).zip(seconds_for(alone, all));
    let time = time.map(|(screen, alone)| Steps::of(screen, alone, share));
    let prices = common_prices(screen, alone);
    let costs: Vec<(String, Steps)> = prices
        .iter()
        .filter_map(|(a, b)| {
            let name = match a.price == b.price {
                true => code(&a.price),
                false => format!("{} and {}", code(&a.price), code(&b.price)),
            };
            let steps = Steps::of(a.per_100k_requests?, b.per_100k_requests?, share);
            Some((format!("{} by {name}", prose(&a.currency)), steps))
        })
        .collect();
    let mut table = Table::new("hybrid", &[("Step", Left), ("Requests", Right), ("Time", Right)]);
    for (name, _) in &costs {
        table.column(name, Right);
    }
    let evaluated = (all * share / 100.0).round() as u64;
    let steps: [(&str, u64, Get); 4] = [
        ("screen", REQUESTS.into(), |steps| Some(steps.screen)),
        ("evaluate", evaluated, |steps| Some(steps.evaluate)),
        ("together", u64::from(REQUESTS) + evaluated, |steps| Some(steps.together())),
        ("evaluate all", REQUESTS.into(), |steps| Some(steps.alone)),
    ];
    for (name, requests, get) in steps {
        let mut cells: Vec<Cell> =
            row![name, count(requests), or_none(time.as_ref().and_then(get), seconds),].into();
        cells.extend(costs.iter().map(|(_, steps)| or_none(get(steps), money)));
        table.cells(cells);
    }
    let mut cells: Vec<Cell> =
        row!["saved", Cell::none(), or_none(time.and_then(|steps| steps.saved_pct()), pct)].into();
    cells.extend(costs.iter().map(|(_, steps)| or_none(steps.saved_pct(), pct)));
    table.cells(cells);
    page.table(table, "not measured or not meant");
    if costs.is_empty() {
        page.paragraph("The two have no price in common, so costs are not compared.");
    }
    let more = |steps: &Steps| steps.saved_pct().is_some_and(|pct| pct < 0.0);
    if time.as_ref().is_some_and(more) || costs.iter().any(|(_, steps)| more(steps)) {
        page.paragraph("A saving below 0 % is what the strategy takes more.");
    }
}
