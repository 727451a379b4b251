//! What is to be said of a bench besides its figures: who leads, what went wrong, and what
//! makes figures hard to compare.

use crate::page::{Page, code};
use records::{Metric, Metrics, Outcome, Stats, Test};

use super::{by_backend, label, model};
use crate::{
    numbers::{
        BenchGroup, Better, Common, Lead, Quantity, SPEEDS, Sure, common, comparable, last_of_each,
        lead, stats, why_no_generation_tps, why_no_prompt_tps,
    },
    render::{
        chapter::axes_of,
        figure::{mean_count, times},
        format::{count, minute, range},
        outcome, protocol,
    },
};

/// A metric of all.
type Get = fn(&Metrics) -> Option<&Metric>;

/// The amounts of work that figures are about.
const LENGTHS: [(&str, Get); 2] =
    [("Answers", |m| m.completion_tokens.as_ref()), ("Prompts", |m| m.prompt_tokens.as_ref())];
/// What has no speed is compared by its time.
const TIME: [Quantity; 1] =
    [Quantity { name: "E2E", better: Better::Less, get: |m| m.e2e_s.as_ref() }];

/// Writes who is fastest, for each set of axes.
pub(super) fn leads(page: &mut Page, group: &BenchGroup<'_>) {
    let cells = group.cells();
    let lines: Vec<String> = cells.iter().filter_map(|cell| leads_of(cell)).collect();
    match &lines[..] {
        [] => {}
        [line] => page.paragraph(line),
        lines => lines.iter().for_each(|line| page.item(line)),
    }
}

fn leads_of(cell: &[&Test]) -> Option<String> {
    // What died may have measured something before it did, but not what was asked for.
    let ran = last_of_each(cell.iter().copied().filter(|test| test.outcome != Outcome::Error));
    let by = |all: &[Quantity]| -> Vec<String> {
        all.iter().filter_map(|quantity| sentence(&ran, quantity)).collect()
    };
    let mut sentences = by(&SPEEDS);
    if sentences.is_empty() {
        sentences = by(&TIME);
    }
    if sentences.is_empty() {
        return None;
    }
    let at = ran[0];
    let at = axes_of(at).map(|axes| format!("At {}: ", code(&axes))).unwrap_or_default();
    let asked: Vec<_> = ran.iter().filter_map(|test| test.protocol.as_ref()).collect();
    if asked.iter().any(|other| !comparable(asked[0], other)) {
        return Some(format!("{at}Not compared: the backends were not asked the same."));
    }
    Some(format!("{at}{}.", sentences.join("; ")))
}

fn sentence(tests: &[&Test], quantity: &Quantity) -> Option<String> {
    let known: Vec<(&Test, Stats)> = tests
        .iter()
        .filter_map(|test| Some((*test, stats((quantity.get)(&test.metrics)?))))
        .collect();
    let all: Vec<Stats> = known.iter().map(|(_, stats)| stats.clone()).collect();
    let found = lead(&all, quantity.better)?;
    let sure = found.sure(|at| &all[at]);
    let Lead { first, next, factor, within_noise } = found;
    let name = |at: usize| format!("{}{}", super::backend_cell(known[at].0), doubt(known[at].0));
    let n = repetitions(&all);
    let by = format!("{} {}", times(factor), name(next));
    let who = format!("**{}:** {}", quantity.name, name(first));
    let how = match sure {
        Sure::Beyond => return Some(format!("{who} is fastest, {by}, {n}")),
        Sure::TooFew => "too few values to tell it from noise".to_owned(),
        Sure::Within if within_noise == [next] => "within the noise".to_owned(),
        Sure::Within => {
            let others: Vec<String> = within_noise.iter().map(|at| name(*at)).collect();
            format!("within the noise of {}", others.join(", "))
        }
    };
    Some(format!("{who} leads with {by}, {how}, {n}"))
}

fn doubt(test: &Test) -> &'static str {
    if outcome::is_suspect(test) { " (suspect)" } else { "" }
}

/// `n = 3`, `n = 2–3`.
fn repetitions(all: &[Stats]) -> String {
    let least = all.iter().map(|stats| stats.n).min().unwrap_or(0);
    let most = all.iter().map(|stats| stats.n).max().unwrap_or(0);
    if least == most { format!("n = {}", count(most)) } else { format!("n = {least}–{most}") }
}

/// Writes what went wrong, what is missing and what differs.
pub(super) fn list(page: &mut Page, group: &BenchGroup<'_>) {
    for test in &group.tests {
        for remark in outcome::remarks(test).into_iter().chain(gaps(test)) {
            let began = if group.is_again(test) {
                format!(", began {}", minute(test.ts))
            } else {
                String::new()
            };
            page.item(&format!("{}{began}: {remark}", label(test)));
        }
    }
    if let Some(difference) = model::differences(&group.tests) {
        page.item(&format!("The backends ran different files of the model: {difference}."));
    }
    let cells = group.cells();
    if let Some(difference) = protocol::differences(&cells) {
        page.item(&format!("Measured differently: {difference}."));
    }
    for (what, get) in LENGTHS {
        if let Some(difference) = lengths(&cells, get) {
            page.item(&format!("{what} had different lengths: {difference}."));
        }
    }
}

/// What a test that came through did not measure, and why.
fn gaps(test: &Test) -> Vec<String> {
    if matches!(test.outcome, Outcome::Error | Outcome::Skipped) {
        return Vec::new();
    }
    let (pp, tg) = (why_no_prompt_tps(&test.metrics), why_no_generation_tps(&test.metrics));
    let mut all = match (pp, tg) {
        (Some(a), Some(b)) if a == b => vec![format!("no PP and no TG: {a}")],
        _ => [("PP", pp), ("TG", tg)]
            .into_iter()
            .filter_map(|(name, why)| Some(format!("no {name}: {}", why?)))
            .collect(),
    };
    // Sounds have no tokens.
    if test.metrics.rtfx.is_some() {
        all.clear();
    }
    let asked = test.protocol.as_ref().and_then(|protocol| protocol.repetitions);
    let done = test.runs.as_ref().map(|runs| runs.len() as u64);
    if let (Some(asked), Some(done)) = (asked.map(u64::from), done)
        && done < asked
    {
        all.push(format!("{} of {} repetitions have figures", count(done), count(asked)));
    }
    all
}

/// Where tests that are compared worked on different amounts of tokens, who did on how many.
fn lengths(cells: &[Vec<&Test>], get: Get) -> Option<String> {
    let of = |test: &Test| {
        let stats = stats(get(&test.metrics)?);
        let tokens = |n: f64| {
            let count = mean_count(n);
            let text = format!("{count} tokens");
            count.shown_as(text)
        };
        (test.outcome != Outcome::Error).then(|| vec![range(stats.min, stats.max, tokens).into()])
    };
    let differ = cells.iter().filter(|cell| common(cell.iter().copied(), of) == Common::Differs);
    by_backend(differ.flatten().copied(), of)
}
