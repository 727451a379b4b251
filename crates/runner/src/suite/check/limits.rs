//! What can be wrong with numbers: times, tries, targets, the budget.

use std::ops::Range;

use records::Metrics;
use toml::Spanned;

use super::Check;
use crate::suite::{Defaults, Retries, Span, TargetDef, source::Sources, suggestion};

/// More tries than this are nobody's intention.
pub(crate) const MOST_RETRIES: u32 = 100;

const STATISTICS: [&str; 9] = ["mean", "median", "min", "max", "sd", "p50", "p90", "p95", "p99"];

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

/// That a target is about a metric, and can be met.
pub(super) fn target(check: &mut Check<'_>, target: &Spanned<TargetDef>, who: &str) {
    let (def, place) = (target.get_ref(), target.span());
    let known: Vec<&str> = Metrics::NAMES.iter().copied().chain(["accuracy"]).collect();
    if !known.contains(&def.metric.as_str()) {
        let hint = suggestion(&def.metric, &known);
        check.wrong(&place, format!("{who}: target: unknown metric {:?}{hint}", def.metric));
    }
    if let Some(stat) = &def.stat
        && !STATISTICS.contains(&stat.as_str())
    {
        let hint = suggestion(stat, &STATISTICS);
        check.wrong(&place, format!("{who}: target: unknown stat {stat:?}{hint}"));
    }
    match (def.min, def.max) {
        (None, None) => {
            check.wrong(&place, format!("{who}: target: give min, max or both"));
        }
        (Some(min), Some(max)) if min > max => {
            check.wrong(&place, format!("{who}: target: nothing lies between {min} and {max}"));
        }
        (min, max) if min.is_some_and(f64::is_nan) || max.is_some_and(f64::is_nan) => {
            check.wrong(&place, format!("{who}: target: nan is no limit"));
        }
        _ => {}
    }
}
