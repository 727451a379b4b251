//! The memory around a baseline.

use crate::page::{Left, Page, Right, Table, row};
use records::{MemoryNow, Test};

use crate::{
    numbers::STABLE_PCT,
    render::{
        figure::fine_gb,
        format::{gb_change, mb, or_none, pct_change},
    },
};

/// Writes the memory at three moments, and what the queries changed.
pub(super) fn table(page: &mut Page, test: &Test) {
    let Some(memory) = &test.memory else { return };
    let mut table = Table::new(
        "baseline_memory",
        &[
            ("Memory", Left),
            ("Processes", Right),
            ("GPU in use", Right),
            ("Free", Right),
            ("Swap in use", Right),
        ],
    );
    let mut row = |name: &str, now: &MemoryNow| {
        table.row(row![
            name.to_owned(),
            or_none(now.tree_gb, fine_gb),
            or_none(now.gpu_used_gb, fine_gb),
            or_none(now.ram_free_gb, fine_gb),
            or_none(now.swap_used_mb, mb),
        ]);
    };
    row("before the start", &memory.before);
    row("model loaded", &memory.loaded);
    row("after the queries", &memory.after);
    let change = |get: fn(&MemoryNow) -> Option<f64>| {
        let change = get(&memory.after).zip(get(&memory.loaded)).map(|(after, then)| after - then);
        or_none(change, gb_change)
    };
    table.row(row![
        "change by the queries".to_owned(),
        change(|now| now.tree_gb),
        change(|now| now.gpu_used_gb),
        change(|now| now.ram_free_gb),
        change(|now| now.swap_used_mb.map(|mb| mb / 1e3)),
    ]);
    page.table(table, "not measured");
    if let Some(sentence) = drift(test) {
        page.paragraph(&sentence);
    }
}

/// By how many percent the queries changed the memory of the backend's processes.
pub(super) fn grown_pct(test: &Test) -> Option<f64> {
    let memory = test.memory.as_ref()?;
    let (loaded, after) = (memory.loaded.tree_gb?, memory.after.tree_gb?);
    (loaded > 0.0).then(|| 100.0 * (after - loaded) / loaded)
}

/// Whether memory stayed what it was while queries were answered.
fn drift(test: &Test) -> Option<String> {
    let grown = grown_pct(test)?;
    let called = match grown {
        _ if grown.abs() <= STABLE_PCT => "stable",
        _ if grown > 0.0 => "it grew",
        _ => "it shrank",
    };
    Some(format!(
        "**Memory drift:** {called}: the queries changed the memory of the processes by {} (up to \
         {STABLE_PCT} % is stable).",
        pct_change(grown)
    ))
}
