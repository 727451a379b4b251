//! Baselines over several runs: how alike they are, and which model is fastest.

use records::Test;

use super::{
    comparison, fastest,
    followed::{FOLLOWED, MEMORY, STEADY},
    target,
};
use crate::{
    numbers::{Common, Drift, Found, STABLE_PCT, common, grouped, steady},
    page::{Left, Page, Right, Table, code, prose, row},
    render::{
        figure::{fine_gb, timing},
        format::{count, minute, or_none, pct, pct_change, things},
    },
};

/// The most single values that are shown of a run.
const MOST: usize = 10;

/// Writes all baselines in one table, and how each went from run to run.
pub(in crate::render) fn over(page: &mut Page, all: &[Found<'_>]) {
    page.heading(3, "All baselines");
    comparison(page, all);
    fastest(page, all);
    target::list(page, all);
    let groups = grouped(all, Found::measurement);
    let again: Vec<Vec<Found<'_>>> = groups
        .into_iter()
        .map(|group| group.into_iter().filter(Found::ran).collect::<Vec<_>>())
        .filter(|group| group.len() > 1)
        .collect();
    if again.is_empty() {
        return;
    }
    page.heading(3, "Consistency from run to run");
    page.paragraph(&format!(
        "The same case with the same model and backend on the same host. The **spread** is the \
         greatest value less the least, in percent of their mean: excellent under 5 %, good \
         under 10 %, fair under 20 %, else unstable. Memory is stable where its spread is at \
         most {STABLE_PCT} %; it grew where each of at least three runs took more than the one \
         before. Load and warm-up are paid once for each start; they also depend on what the \
         machine had in its caches.",
    ));
    again.iter().for_each(|group| entry(page, group));
}

fn entry(page: &mut Page, group: &[Found<'_>]) {
    let (first, last) = (group[0], group[group.len() - 1]);
    page.heading(4, &code(&first.test.id));
    page.about.host = first.run.host_is_known().then(|| first.run.host.clone());
    page.on_test(&first.test.id, |page| {
        page.fact(
            "Runs",
            &format!(
                "{} from {} to {}",
                count(group.len() as u64),
                minute(first.test.ts),
                minute(last.test.ts)
            ),
        );
        table(page, group);
        page.fact("Verdict", &verdict(group));
        if let Some(sentence) = memory(group) {
            page.fact("Memory", &sentence);
        }
        page.fact("Accuracy", &accuracy(group));
        if let Some(difference) = differences(group) {
            page.fact("Not the same", &difference);
        }
        queries(page, group);
    });
    page.about.host = None;
}

fn table(page: &mut Page, group: &[Found<'_>]) {
    let mut table = Table::new(
        "consistency",
        &[
            ("Figure", Left),
            ("Runs", Right),
            ("First", Right),
            ("Last", Right),
            ("Change", Right),
            ("Relative change", Right),
            ("Spread", Right),
            ("Verdict", Left),
        ],
    );
    for followed in &FOLLOWED {
        let Some(course) = followed.course(group) else { continue };
        table.row(row![
            followed.name,
            count(course.n as u64),
            (followed.write)(course.first),
            (followed.write)(course.last),
            (followed.change)(course.change()),
            or_none(course.change_pct(), pct_change),
            or_none(course.spread_pct, pct),
            or_none((followed.verdict)(&course), |word| word),
        ]);
    }
    page.table(table, "not defined: the first is 0");
}

/// What there is to say of the time that every query takes.
fn verdict(group: &[Found<'_>]) -> String {
    let Some(course) = STEADY.course(group) else {
        return "none: fewer than two runs have a steady state".to_owned();
    };
    let called = course.consistency().map_or("not defined", |called| called.name());
    format!(
        "steady state is {called}, {} on average, spread {}",
        timing(course.mean),
        or_none(course.spread_pct, pct)
    )
}

/// Whether memory drifts, from run to run and during the queries of each.
fn memory(group: &[Found<'_>]) -> Option<String> {
    let course = MEMORY.course(group);
    let from_run_to_run = course.as_ref().and_then(|course| {
        let (first, last) = (fine_gb(course.first), fine_gb(course.last));
        Some(match course.drift()? {
            Drift::Stable => format!("stable from run to run ({first}, then {last})"),
            Drift::Grew => format!("it grew with every run, from {first} to {last}"),
            Drift::Varies => format!("it varies, from {first} in the first run to {last}"),
        })
    });
    let grew: Vec<f64> =
        group.iter().filter_map(|one| super::memory::grown_pct(one.test)).collect();
    let most = grew.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let by_queries =
        most.map(|most| format!("the queries of a run changed it by {} at most", pct_change(most)));
    let all: Vec<String> = from_run_to_run.into_iter().chain(by_queries).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The right answers of each run.
fn accuracy(group: &[Found<'_>]) -> String {
    let counts: Vec<String> = group
        .iter()
        .filter_map(|one| one.test.metrics.accuracy)
        .map(|accuracy| format!("{}/{}", count(accuracy.correct), count(accuracy.total)))
        .collect();
    if counts.is_empty() {
        return "not measured".to_owned();
    }
    let missing = group.len() - counts.len();
    let first = &counts[0];
    let said = match counts.iter().all(|one| one == first) {
        true => format!("{first} in each of {}", things(counts.len() as u64, "run")),
        false => counts.join(", then "),
    };
    match missing {
        0 => said,
        n => format!("{said}; not measured in {}", things(n as u64, "run")),
    }
}

/// What a test says of how it came about.
type Get = fn(&Test) -> Option<String>;

/// What else than the time differs between the runs.
fn differences(group: &[Found<'_>]) -> Option<String> {
    let facts: [(&str, Get); 3] = [
        ("the backend's version", |test| test.backend.as_ref()?.version.clone()),
        ("the quantization", |test| test.model.as_ref()?.quantization.clone()),
        ("the way of measuring", |test| crate::render::protocol::line(&[test])),
    ];
    let each: Vec<String> = facts
        .iter()
        .filter(|(_, get)| common(group.iter().map(|one| one.test), get) == Common::Differs)
        .map(|(name, get)| {
            let mut all: Vec<String> = group.iter().filter_map(|one| get(one.test)).collect();
            all.dedup();
            let all: Vec<String> = all.iter().map(|value| prose(value)).collect();
            format!("{name} ({})", all.join(", then "))
        })
        .collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// Each steady query of each run.
fn queries(page: &mut Page, group: &[Found<'_>]) {
    for one in group {
        let Some(steady) = steady(one.test).filter(|steady| steady.each_s.len() > 1) else {
            continue;
        };
        let shown: Vec<String> =
            steady.each_s.iter().take(MOST).map(|s| format!("{s:.3}")).collect();
        let more = match steady.each_s.len().saturating_sub(MOST) {
            0 => String::new(),
            n => format!(" and {} more", count(n as u64)),
        };
        page.item(&format!(
            "queries of {} in seconds: {}{more}",
            minute(one.test.ts),
            shown.join(", ")
        ));
    }
}
