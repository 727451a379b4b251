//! What can be wrong with numbers: times, tries, targets, the budget.

use std::ops::Range;

use super::Check;
use crate::suite::{Defaults, Retries, Span, source::Sources};

/// More tries than this are nobody's intention.
const MOST_RETRIES: u32 = 100;

/// The memory that models may take.
pub(super) fn budget(check: &mut Check<'_>) {
    let body = &check.suite.body;
    if let Some(budget) = &body.budget {
        let place = budget.ram.span();
        if let Err(message) = budget.limit() {
            check.wrong(&place, format!("budget: {message}"));
        }
        if !budget.overhead.is_finite() || budget.overhead <= 0.0 {
            check
                .wrong(&place, "budget: overhead is what a model takes for each byte on disk: 1.3");
        }
    }
}

/// What cases have when they do not say otherwise.
pub(in super::super) fn defaults(
    sources: &mut Sources,
    def: &Defaults,
    place: &Range<usize>,
    who: &str,
) {
    time(sources, def.timeout, "timeout", place, who);
    retries(sources, def.retries, place, who);
}

/// That a time in which something has to happen is not nothing.
pub(super) fn time(
    sources: &mut Sources,
    time: Option<Span>,
    key: &str,
    place: &Range<usize>,
    who: &str,
) {
    if time.is_some_and(|time| time.0.is_zero()) {
        sources.wrong(place, format!("{who}: {key} = \"0s\" leaves no time at all"));
    }
}

/// That tries are few, and their pauses in order.
pub(super) fn retries(
    sources: &mut Sources,
    retries: Option<Retries>,
    place: &Range<usize>,
    who: &str,
) {
    let Some(retries) = retries else { return };
    if retries.count > MOST_RETRIES {
        let message = format!("{who}: {} retries: at most {MOST_RETRIES}", retries.count);
        sources.wrong(place, message);
    }
    if let (Some(delay), Some(max)) = (retries.delay, retries.max_delay)
        && delay.0 > max.0
    {
        sources.wrong(place, format!("{who}: retries: delay is longer than max_delay"));
    }
}
