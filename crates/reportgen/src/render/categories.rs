//! Models by their size.

use super::{
    chapter::Chapter,
    format::{count, gb, or_none, range, seconds},
    models::mode,
};
use crate::{
    numbers::{Category, CategoryRow, LARGE_GB, SMALL_GB, categories},
    page::{Left, Page, Right, Table, row},
};

/// Fewer models than this need no categories.
const FEWEST: u64 = 3;

/// Writes a row for each category and kind of input, where sizes are known.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let rows = categories(&chapter.run.tests);
    let known = |row: &&CategoryRow| row.category != Category::Unknown;
    if rows.iter().filter(known).map(|row| row.models).sum::<u64>() < FEWEST {
        return;
    }
    page.heading(2, "Models by size");
    let mut table = Table::new(
        "categories",
        &[
            ("Size", Left),
            ("Mode", Left),
            ("Models", Right),
            ("Mean size", Right),
            ("Tests passed", Right),
            ("Mean test", Right),
            ("Free memory", Right),
        ],
    );
    for row in rows {
        let size = match row.category {
            Category::Large => format!("large, from {LARGE_GB} GB"),
            Category::Medium => format!("medium, {SMALL_GB} to {LARGE_GB} GB"),
            Category::Small => format!("small, below {SMALL_GB} GB"),
            Category::Unknown => "not stated".to_owned(),
        };
        table.row(row![
            size,
            mode(row.modality),
            count(row.models),
            or_none(row.size_gb, gb),
            count(row.tests),
            or_none(row.test_s, seconds),
            or_none(row.ram_free_gb, |free| range(free.min, free.max, gb)),
        ]);
    }
    page.table(table, "not stated or not measured");
}
