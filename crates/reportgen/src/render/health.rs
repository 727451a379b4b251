//! Whether the machine was in a state to measure on.

use super::{
    chapter::Chapter,
    escape::{code, prose},
    format::{count, gb, mb, pct},
    page::Page,
    table::{Left, Right, Table},
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
    let mut table = Table::new(&[
        ("Around the tests", Left),
        ("Least", Right),
        ("Mean", Right),
        ("Most", Right),
        ("Tests", Right),
    ]);
    let whole = |n: f64| format!("{n:.0}");
    let mean_of_whole = |n: f64| format!("{n:.1}");
    row(&mut table, "Free memory", health.ram_free_gb, gb, gb);
    row(&mut table, "Swap in use", health.swap_used_mb, mb, mb);
    row(&mut table, "Zombie processes", health.zombies, whole, mean_of_whole);
    if table.is_empty() {
        page.paragraph("Not measured: no test says how the machine was (`system_health`).");
    } else {
        page.table(table, "not measured");
    }
    if health.measured > 0 {
        let mut table = Table::new(&[("State", Left), ("Tests", Right), ("Share", Right)]);
        for (state, n) in [
            ("clean", health.clean),
            ("`degraded_ram`: less than 5 GB free", health.degraded_ram),
            ("`degraded_swap`: swap grew by over 100 MB", health.degraded_swap),
            ("`degraded_zombies`: zombie processes", health.degraded_zombies),
        ] {
            // Both are far below 2^53.
            let share = 100.0 * n as f64 / health.measured as f64;
            table.row([state.to_owned(), count(n), pct(share)]);
        }
        page.table(table, "not measured");
        page.paragraph(&format!(
            "Shares are of the {} that were measured; a test can be degraded in several ways. \
             The thresholds are the defaults; a suite can set others, and the flags are those \
             that the tests carry.",
            tests(health.measured)
        ));
    }
    missing(page, chapter);
}

fn row(
    table: &mut Table,
    name: &str,
    spread: Option<Spread>,
    write: fn(f64) -> String,
    write_mean: fn(f64) -> String,
) {
    if let Some(spread) = spread {
        table.row([
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
    for source in missing {
        page.item(&format!("{}: {}", code(&source.quantity), prose(&source.why)));
    }
}
