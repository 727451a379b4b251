//! Whether the machine was in a state to measure on.

use crate::page::{Cell, Left, Page, Right, Table, code, prose, row};
use records::HealthLimits;

use super::{
    chapter::Chapter,
    format::{count, gb, mb, pct},
    tests,
};
use crate::numbers::Spread;

/// Writes what the tests say of the machine around them.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    if chapter.run.tests.is_empty() {
        return;
    }
    page.heading(2, "System health");
    let health = &chapter.health;
    let mut table = Table::new(
        "health",
        &[
            ("Around the tests", Left),
            ("Least", Right),
            ("Mean", Right),
            ("Most", Right),
            ("Tests", Right),
        ],
    );
    let whole = |n: f64| Cell::number(n, "", format!("{n:.0}"));
    let mean_of_whole = |n: f64| Cell::number(n, "", format!("{n:.1}"));
    row(&mut table, "Free memory", health.ram_free_gb, gb, gb);
    row(&mut table, "Swap in use", health.swap_used_mb, mb, mb);
    row(&mut table, "Zombie processes", health.zombies, whole, mean_of_whole);
    if table.is_empty() {
        page.paragraph("Not measured: no test says how the machine was (`system_health`).");
    } else {
        page.table(table, "not measured");
    }
    if health.measured > 0 {
        let mut table =
            Table::new("quality", &[("State", Left), ("Tests", Right), ("Share", Right)]);
        let (stated, limits) = limits(chapter);
        for (state, n) in [
            ("clean".to_owned(), health.clean),
            (
                format!("`degraded_ram`: less than {} GB free", limits.min_ram_free_gb),
                health.degraded_ram,
            ),
            (
                format!("`degraded_swap`: swap grew by over {} MB", limits.max_swap_growth_mb),
                health.degraded_swap,
            ),
            ("`degraded_zombies`: zombie processes".to_owned(), health.degraded_zombies),
        ] {
            // Both are far below 2^53.
            let share = 100.0 * n as f64 / health.measured as f64;
            table.row(row![state, count(n), pct(share)]);
        }
        page.table(table, "not measured");
        page.paragraph(&format!(
            "Shares are of the {} that were measured; a test can be degraded in several ways. \
             The flags are those that the tests carry; {}.",
            tests(health.measured),
            if stated {
                "the thresholds are those of the suite"
            } else {
                "the stream does not state its thresholds, these are the defaults"
            }
        ));
    }
    missing(page, chapter);
}

/// The thresholds of the run, and whether it states them.
fn limits(chapter: &Chapter<'_>) -> (bool, HealthLimits) {
    let stated = chapter.run.starts.iter().find_map(|start| start.health);
    let defaults = HealthLimits { min_ram_free_gb: 5.0, max_swap_growth_mb: 100.0 };
    (stated.is_some(), stated.unwrap_or(defaults))
}

fn row(
    table: &mut Table,
    name: &str,
    spread: Option<Spread>,
    write: fn(f64) -> Cell,
    write_mean: fn(f64) -> Cell,
) {
    if let Some(spread) = spread {
        table.row(row![
            name.to_owned(),
            write(spread.min),
            write_mean(spread.mean),
            write(spread.max),
            count(spread.n),
        ]);
    }
}

/// The quantities that the sampler could not read, with its reasons.
fn missing(page: &mut Page, chapter: &Chapter<'_>) {
    let missing: Vec<_> =
        chapter.run.streams.iter().flat_map(|stream| &stream.sources.missing).collect();
    if missing.is_empty() {
        return;
    }
    page.paragraph("Not measured on this machine:");
    // What is missing for the same reason is said once.
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for source in missing {
        let quantity = code(&source.quantity);
        match reasons.iter_mut().find(|(why, _)| *why == source.why) {
            Some((_, quantities)) if quantities.contains(&quantity) => {}
            Some((_, quantities)) => quantities.push(quantity),
            None => reasons.push((&source.why, vec![quantity])),
        }
    }
    for (why, quantities) in reasons {
        page.item(&format!("{}: {}", quantities.join(", "), prose(why)));
    }
}
