//! What was not run, and why.

use crate::page::{Left, Page, Right, Table, prose, row};
use std::collections::BTreeMap;

use records::{Outcome, Test};

use super::{
    chapter::{Chapter, case_of},
    format::count,
};

/// Writes the reasons, the most frequent first, each with its cases.
pub(super) fn section(page: &mut Page, chapter: &Chapter<'_>) {
    let mut reasons: BTreeMap<Option<&str>, Vec<&Test>> = BTreeMap::new();
    for test in chapter.run.tests.iter().filter(|test| test.outcome == Outcome::Skipped) {
        reasons.entry(test.reason.as_deref()).or_default().push(test);
    }
    if reasons.is_empty() {
        return;
    }
    page.heading(2, "Skipped");
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, tests)| std::cmp::Reverse(tests.len()));
    let mut table = Table::new("skipped", &[("Reason", Left), ("Tests", Right), ("Which", Left)]);
    for (reason, tests) in reasons {
        let mut cases: BTreeMap<String, u64> = BTreeMap::new();
        for test in &tests {
            *cases.entry(case_of(test).into()).or_default() += 1;
        }
        let cases: Vec<String> = cases
            .into_iter()
            .map(|(case, n)| if n == 1 { case } else { format!("{case} ({})", count(n)) })
            .collect();
        table.row(row![
            reason.map_or_else(|| "not given".to_owned(), prose),
            count(tests.len() as u64),
            cases.join(", "),
        ]);
    }
    page.table(table, "not stated");
}
