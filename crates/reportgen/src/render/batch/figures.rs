//! The figures of a batch.

use crate::page::{Cell, Left, NONE, Page, Right, Table, code, row};
use records::{BatchTotals, Metric, Protocol, Stats, Test};

use crate::{
    numbers::{batch, stats},
    render::{
        figure::{large, mean_count, number, rate, share},
        format::{count, or_none, seconds, things},
    },
};

/// Writes what became of the requests, and how fast.
pub(super) fn table(page: &mut Page, test: &Test) {
    let (figures, metrics) = (batch(test), &test.metrics);
    let totals = test.batch.as_ref();
    let get = |metric: &Option<Metric>, write: fn(f64) -> Cell| {
        metric.as_ref().map(|metric| write(metric.value()))
    };
    let rows = [
        ("Requests", totals.map(|totals| count(totals.requests))),
        ("Success rate", success(totals, figures.success_rate)),
        ("Total time", totals.filter(|t| t.duration_s > 0.0).map(|t| seconds(t.duration_s))),
        ("Requests/s", get(&metrics.request_tps, rate)),
        ("Input tok/s", get(&metrics.input_tps, large)),
        ("Output tok/s", get(&metrics.output_tps, large)),
        ("Total tok/s", figures.total_tps.map(large)),
        ("Average prompt tokens", figures.prompt_tokens.map(mean_count)),
        ("Average completion tokens", figures.completion_tokens.map(mean_count)),
        ("Average total tokens", figures.total_tokens.map(mean_count)),
    ];
    let mut table = Table::new("batch_figures", &[("Figure", Left), ("Value", Right)]);
    let mut missing = Vec::new();
    for (name, value) in rows {
        match value {
            Some(value) => table.row(row![name.to_owned(), value]),
            None => missing.push(name),
        }
    }
    // What only some batches have is missed in none.
    for (name, value) in extra(test) {
        if let Some(value) = value {
            table.row(row![name.to_owned(), value]);
        }
    }
    page.table(table, "not measured");
    if !missing.is_empty() {
        page.paragraph(&format!("Not measured: {}.", missing.join(", ")));
    }
}

fn success(totals: Option<&BatchTotals>, rate: Option<f64>) -> Option<Cell> {
    let rate = share(rate?);
    Some(match totals {
        Some(totals) => {
            let text = format!("{rate} ({} of {})", count(totals.answered), count(totals.requests));
            rate.shown_as(text)
        }
        None => rate,
    })
}

fn extra(test: &Test) -> [(&'static str, Option<Cell>); 6] {
    let totals = test.batch.as_ref();
    let errors = totals.map(|totals| &totals.errors).filter(|errors| !errors.is_empty());
    let errors = errors.map(|errors| -> Cell {
        let each: Vec<String> =
            errors.iter().map(|(kind, n)| format!("{} {}", count(*n), code(kind))).collect();
        each.join(", ").into()
    });
    let kept = totals.filter(|totals| totals.kept > 0);
    let retried = totals.filter(|totals| totals.retries > 0);
    let late = totals.and_then(|totals| totals.late_sends);
    let goodput = test.metrics.goodput_rps.as_ref().map(|goodput| {
        let limits = test.protocol.as_ref().map(limits).unwrap_or_default();
        let rate = rate(goodput.value());
        let text = format!("{rate}{limits}");
        rate.shown_as(text)
    });
    let energy = test.metrics.energy_j.as_ref().map(|energy| {
        let energy = energy.value();
        Cell::number(energy, "j", format!("{} J", large(energy)))
    });
    [
        ("Errors", errors),
        ("Kept from an earlier run", kept.map(|totals| count(totals.kept))),
        (
            "Sent again",
            retried.map(|totals| {
                let text =
                    format!("{}, {}", things(totals.retried, "request"), times(totals.retries));
                Cell::number(totals.retries as f64, "", text)
            }),
        ),
        ("Sent over 10 ms late", late.map(count)),
        ("Goodput, requests/s", goodput),
        ("Energy", energy),
    ]
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{} times", count(n)) }
}

/// ` (ttft_s at most 0.5)`.
fn limits(protocol: &Protocol) -> String {
    let each: Vec<String> = protocol
        .goodput
        .iter()
        .map(|(name, most)| format!("{} at most {most}", code(name)))
        .collect();
    if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) }
}

/// Writes the distributions of what requests took.
pub(super) fn latencies(page: &mut Page, test: &Test) {
    let metrics = &test.metrics;
    let rows = [
        ("End to end", &metrics.e2e_s),
        ("TTFT", &metrics.ttft_s),
        ("TPOT", &metrics.tpot_s),
        ("ITL", &metrics.itl_s),
        ("Sent late by", &metrics.late_s),
    ];
    let mut table = Table::new(
        "latencies",
        &[
            ("Milliseconds", Left),
            ("Mean", Right),
            ("p50", Right),
            ("p90", Right),
            ("p95", Right),
            ("p99", Right),
            ("Most", Right),
            ("n", Right),
        ],
    );
    for (name, metric) in rows {
        let Some(Stats { mean, n, max, p50, p90, p95, p99, .. }) = metric.as_ref().map(stats)
        else {
            continue;
        };
        let ms = |s: f64| if s >= 1.0 { large(s * 1e3) } else { number(s * 1e3) };
        let most = if n > 1 { ms(max) } else { Cell::none() };
        let quantile = |s: Option<f64>| or_none(s, ms);
        let (p50, p90, p95, p99) = (quantile(p50), quantile(p90), quantile(p95), quantile(p99));
        table.row(row![name.to_owned(), ms(mean), p50, p90, p95, p99, most, count(n)]);
    }
    if table.is_empty() {
        return;
    }
    let quantiles = ["p50", "p90", "p95", "p99"].into_iter();
    let dropped: Vec<&str> = quantiles.filter(|name| table.hide_where(name, NONE)).collect();
    page.table(table, "too few values");
    if !dropped.is_empty() {
        page.paragraph(&format!("Too few values for {}.", dropped.join(", ")));
    }
}
