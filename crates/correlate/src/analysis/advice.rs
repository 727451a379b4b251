//! What loading cost, and in which order each model would have been loaded once.

use std::collections::BTreeMap;

use records::{Advice, Origin, round};

use super::{condense::Before, facts::Ran, life::Load};
use crate::{cold::ModelKey, window::seconds};

/// The advice for one run: `loads` and `tests` are its own. None where nothing was
/// loaded.
///
/// `before` is what is known of those of its loads and tests that are no longer kept.
pub(crate) fn advice(
    origin: &Origin,
    before: &Before,
    loads: &[&Load],
    tests: &[&Ran],
) -> Option<Advice> {
    let mut tests: Vec<&Ran> = tests.iter().copied().filter(|test| !test.skipped).collect();
    tests.sort_by_key(|test| test.window.start);
    let says_loads = before.loads > 0 || !loads.is_empty();
    let start = tests.iter().map(|test| test.window.start);
    let start = start.chain(loads.iter().map(|load| load.window.start));
    let start = start.chain(before.start).chain(before.from).min()?;

    // Where no span tells of loads, the model is loaded wherever it changes.
    let (keys, earlier, known) = if says_loads {
        let keys = loads.iter().map(|load| &load.key).collect();
        (keys, before.loads, before.first.keys().collect())
    } else {
        let later = tests.iter().filter(|test| !test.folded);
        let mut keys: Vec<_> = before.last().into_iter().collect();
        keys.extend(later.filter_map(|test| test.model.as_ref()));
        keys.dedup();
        // The first of them is counted among those before.
        let keys = keys.split_off(usize::from(before.last().is_some()));
        (keys, before.changes, before.models.iter().collect::<Vec<_>>())
    };
    let mut first: BTreeMap<&ModelKey, f64> = before.first.iter().map(|(k, s)| (k, *s)).collect();
    let mut in_time: Vec<&&Load> = loads.iter().collect();
    in_time.sort_by_key(|load| load.window.start);
    for load in in_time {
        first.entry(&load.key).or_insert(load.load_s);
    }
    let mut different = keys.clone();
    different.extend(known);
    different.sort_unstable();
    different.dedup();
    if different.is_empty() {
        return None;
    }
    let spent = loads.iter().map(|load| load.load_s).sum::<f64>() + before.load_s;
    let spent = says_loads.then_some(spent);
    let count = keys.len() + earlier;
    let saves = spent.map(|spent| (spent - first.values().sum::<f64>()).max(0.0));
    let mut advice = Advice::at(seconds(start), origin);
    advice.loads = count as u64;
    advice.models = different.len() as u64;
    advice.load_s = spent.map(|s| round(s, 3));
    advice.saves_s = saves.map(|s| round(s, 3));
    advice.message = sentence(count, different.len(), spent.zip(saves));
    if before.tests > 0 && count > different.len() {
        let tests = before.tests as usize + tests.len();
        advice.message.push_str(&format!("; the order of {tests} tests is too long to be given"));
    } else if count > different.len() {
        let ids = |tests: &[&Ran]| tests.iter().map(|test| test.id.clone()).collect::<Vec<_>>();
        let (was, order) = (ids(&tests), ids(&grouped(&tests)));
        if was == order {
            advice.message.push_str("; the order of the cases was not the reason");
        } else {
            advice.order = order;
        }
    }
    Some(advice)
}

/// The tests with those of one model together: models in the order in which they first
/// came, and the tests of one in their own order.
fn grouped<'a>(tests: &[&'a Ran]) -> Vec<&'a Ran> {
    let mut rank: BTreeMap<Option<&ModelKey>, usize> = BTreeMap::new();
    for test in tests {
        let next = rank.len();
        rank.entry(test.model.as_ref()).or_insert(next);
    }
    let mut order = tests.to_vec();
    order.sort_by_key(|test| rank.get(&test.model.as_ref()).copied());
    order
}

fn sentence(loads: usize, models: usize, cost: Option<(f64, f64)>) -> String {
    let times =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let took = cost.map(|(spent, _)| format!(" in {spent:.1} s")).unwrap_or_default();
    let done = format!("{} of {}{took}", times(loads, "load"), times(models, "model"));
    match cost {
        _ if loads == models => format!("{done}: each was loaded once"),
        Some((_, saves)) => format!("{done}: loading each once would have saved {saves:.1} s"),
        None => format!("{done}: {} could have been saved", times(loads - models, "load")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::grouped;
    use crate::{Window, analysis::facts::Ran};

    fn ran(at: usize, model: Option<u8>) -> Ran {
        Ran {
            stream: 0,
            id: at.to_string(),
            backend: None,
            model: model.map(|model| (None, model.to_string())),
            window: Window { start: at as i64, end: at as i64 + 1 },
            disk_gb: None,
            skipped: false,
            bench: false,
            doubts: Vec::new(),
            answered: false,
            peak: None,
            coverage: None,
            gpu_pct: None,
            folded: false,
        }
    }

    /// Loads that an order takes, one model in memory at a time.
    fn loads(order: &[&Ran]) -> usize {
        let mut models: Vec<_> = order.iter().filter_map(|test| test.model.as_ref()).collect();
        models.dedup();
        models.len()
    }

    fn fewest(left: &mut Vec<&Ran>, order: &mut Vec<usize>, all: &[Ran]) -> usize {
        if left.is_empty() {
            let order: Vec<&Ran> = order.iter().map(|at| &all[*at]).collect();
            return loads(&order);
        }
        (0..left.len())
            .map(|at| {
                let test = left.remove(at);
                order.push(test.window.start as usize);
                let found = fewest(left, order, all);
                order.pop();
                left.insert(at, test);
                found
            })
            .min()
            .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_order_takes_fewer_loads(
            models in proptest::collection::vec(proptest::option::of(0u8..4), 0..7)
        ) {
            let tests: Vec<Ran> =
                models.iter().enumerate().map(|(at, model)| ran(at, *model)).collect();
            let all: Vec<&Ran> = tests.iter().collect();
            let order = grouped(&all);
            prop_assert_eq!(loads(&order), fewest(&mut all.clone(), &mut Vec::new(), &tests));
            let mut ids: Vec<usize> = order.iter().map(|t| t.window.start as usize).collect();
            // Tests of one model stay in their order, and none is lost.
            for pair in order.windows(2) {
                prop_assert!(pair[0].model != pair[1].model || pair[0].window.start < pair[1].window.start);
            }
            ids.sort_unstable();
            prop_assert_eq!(ids, (0..tests.len()).collect::<Vec<_>>());
        }
    }
}
