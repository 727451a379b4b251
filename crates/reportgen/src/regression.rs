//! What regressed, for those who are no readers.

use crate::{input::Input, numbers::Comparison, render::Options};

/// Names on standard error what is worse by more than `limit_pct` percent beyond the noise, or
/// no longer passes; says whether there is any.
pub(crate) fn named(input: &Input, options: &Options<'_>, limit_pct: f64) -> bool {
    let Some((old, rules)) = options.compare else { return false };
    let (mut any, mut compared) = (false, false);
    for run in input.chapters() {
        let comparison = Comparison::of(run, &old.chapters(), rules);
        compared |= !comparison.pairs.is_empty();
        for regression in comparison.regressions(limit_pct) {
            any = true;
            let id = &regression.pair.test().id;
            let what = match (regression.quantity, regression.worse_by_pct) {
                (Some((quantity, change)), Some(pct)) => format!(
                    "{} {:.4} → {:.4}, {pct:.1} % worse",
                    quantity.name, change.old, change.new
                ),
                _ => "passed before and does not now".to_owned(),
            };
            pipe::cli::complain("reportgen", &format!("regression: {id}: {what}"));
        }
    }
    if !compared {
        // A gate that lets everything through is not to look like one that found nothing.
        let why = "--fail-on-regression: no test has an earlier result to compare with";
        pipe::cli::complain("reportgen", why);
    }
    any
}
