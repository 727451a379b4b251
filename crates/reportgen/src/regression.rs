//! What regressed, for those who are no readers.

use crate::compared::Compared;

/// Names on standard error what is worse by more than `limit_pct` percent beyond the noise, or
/// no longer passes; says whether there is any.
pub(crate) fn named(compared: &Compared<'_>, limit_pct: f64) -> bool {
    let (mut any, mut pairs) = (false, false);
    for comparison in &compared.chapters {
        pairs |= !comparison.pairs.is_empty();
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
    if !pairs {
        // A gate that lets everything through is not to look like one that found nothing.
        let why = "--fail-on-regression: no test has an earlier result to compare with";
        pipe::cli::complain("reportgen", why);
    }
    any
}
