//! Which test was the first on its model since the model was loaded.
//!
//! A run of our runner says when it loads a model: the first test on the same
//! backend and model that starts after a load's end is cold, and where nothing was
//! loaded (a server that was running before) it cannot be known. A run that does
//! not say so (legacy lines) has to be guessed at: a test is cold when the test
//! that ended before it had another model, or there was none.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::window::{Micros, Window};

/// What a model runs on: the backend, where one is named, and the model.
pub(crate) type ModelKey = (Option<String>, String);

/// So many uses are always kept.
const MOST_USES: usize = 4096;

/// The loads and uses of models in one run.
#[derive(Default)]
pub(crate) struct Cold {
    /// The starts of loads by their ends.
    loads: BTreeMap<ModelKey, BTreeMap<Micros, Micros>>,
    /// By start, then arrival.
    uses: BTreeMap<ModelKey, BTreeSet<(Micros, u64)>>,
    /// By end, then arrival: in a stream nothing that ended earlier is still to come.
    order: BTreeMap<(Micros, u64), Use>,
    /// Uses beyond which it is worth while to forget some.
    most: usize,
}

/// A use of a model.
struct Use {
    key: ModelKey,
    start: Micros,
    /// A hash of the id of what used it.
    who: u64,
}

impl Cold {
    /// A model was loaded in that window, and ready at its end.
    pub(crate) fn loaded(&mut self, key: ModelKey, window: Window) {
        self.loads.entry(key).or_default().insert(window.end, window.start);
    }

    /// The last load of the model that ended at or before `start`.
    pub(crate) fn load_before(&self, key: &ModelKey, start: Micros) -> Option<Window> {
        let (end, start) = self.loads.get(key)?.range(..=start).next_back()?;
        Some(Window { start: *start, end: *end })
    }

    /// A test or an attempt of that id used a model. `arrival` tells lines apart. A line
    /// that comes twice is one use.
    pub(crate) fn used(&mut self, key: ModelKey, window: Window, id: Option<&str>, arrival: u64) {
        if self.first_copy(&key, window, id).is_some() {
            return;
        }
        let used = Use { key: key.clone(), start: window.start, who: hash(id) };
        self.order.insert((window.end, arrival), used);
        self.uses.entry(key).or_default().insert((window.start, arrival));
    }

    /// Whether there is so much that [`Cold::forget`] should be called.
    pub(crate) fn is_full(&self) -> bool {
        self.order.len() > self.most.max(MOST_USES)
    }

    /// Forgets what nobody asks for any more who starts at `needed_from` or later: of the
    /// uses on one load the first is enough.
    pub(crate) fn forget(&mut self, needed_from: Micros) {
        let half = self.order.len() / 2;
        let Some(newest) = self.order.keys().nth(half).map(|(end, _)| *end) else {
            return;
        };
        let until = newest.min(needed_from);
        self.order = self.order.split_off(&(until, 0));
        for (key, uses) in &mut self.uses {
            let loads = self.loads.get(key);
            let load_of = |start: Micros| Some(*loads?.range(..=start).next_back()?.0);
            let mut last = None;
            uses.retain(|(start, _)| {
                let load = Some(load_of(*start));
                let is_first = load != last;
                last = load;
                is_first || *start >= until
            });
        }
        for loads in self.loads.values_mut() {
            // The last one before that is the one that is in memory.
            if let Some(last) = loads.range(..=until).next_back().map(|(end, _)| *end) {
                *loads = loads.split_off(&last);
            }
        }
        // Where little could go, looking again at once would cost much.
        self.most = self.order.len() + MOST_USES / 2;
    }

    /// Whether a load that ended then is known.
    pub(crate) fn has_load(&self, end: Micros) -> bool {
        self.loads.values().any(|loads| loads.contains_key(&end))
    }

    /// When the line first came.
    fn first_copy(&self, key: &ModelKey, window: Window, id: Option<&str>) -> Option<u64> {
        let who = hash(id);
        let same = |used: &Use| used.start == window.start && used.who == who && used.key == *key;
        let mut at_end = self.order.range((window.end, 0)..=(window.end, u64::MAX));
        at_end.find(|(_, used)| same(used)).map(|((_, arrival), _)| *arrival)
    }

    /// Whether the test, a use that is known, was the first since the load. `says_loads`: the
    /// run is one that says what it loads, even if it has not said so yet. `open`: the starts
    /// of tests on the same model that still run.
    pub(crate) fn is_cold(
        &self,
        key: &ModelKey,
        window: Window,
        id: Option<&str>,
        says_loads: bool,
        open: impl Iterator<Item = Micros>,
    ) -> Option<bool> {
        let start = window.start;
        if !says_loads && self.loads.is_empty() {
            let arrival = self.first_copy(key, window, id)?;
            let before = self.order.range(..(window.end, arrival)).next_back();
            return Some(before.is_none_or(|(_, used)| used.key != *key));
        }
        let load = self.load_before(key, start)?.end;
        let arrival = self.first_copy(key, window, id)?;
        let used = self
            .uses
            .get(key)
            .is_some_and(|uses| uses.range((load, 0)..(start, arrival)).next().is_some());
        let earlier = load..start;
        Some(!used && !open.into_iter().any(|other| earlier.contains(&other)))
    }
}

fn hash(id: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        iter::empty,
    };

    use super::{Cold, MOST_USES, ModelKey};
    use crate::Window;

    #[test]
    fn what_was_forgotten_changes_no_answer_about_what_comes() {
        // Alternating loads of two models, ten tests on each, and copies of all.
        let story = |forgets: bool| {
            let (mut cold, mut answers) = (Cold::default(), Vec::new());
            for at in 0..30_000i64 {
                let model = key(["a", "b"][(at / 10 % 2) as usize]);
                if at % 10 == 0 {
                    cold.loaded(model.clone(), Window { start: at * 10 - 5, end: at * 10 });
                }
                let used = Window { start: at * 10, end: at * 10 + 9 };
                let id = at.to_string();
                for copy in 0..2 {
                    cold.used(model.clone(), used, Some(&id), (2 * at + copy) as u64);
                }
                answers.push(cold.is_cold(&model, used, Some(&id), true, empty()));
                if forgets && cold.is_full() {
                    cold.forget(at * 10);
                }
            }
            (answers, cold)
        };
        let ((all, _), (kept, cold)) = (story(false), story(true));
        assert_eq!(kept, all);
        assert_eq!(all.iter().filter(|cold| **cold == Some(true)).count(), 3000);
        let known = cold.order.len() + cold.uses.values().map(BTreeSet::len).sum::<usize>();
        let loads: usize = cold.loads.values().map(BTreeMap::len).sum();
        assert!(known <= 3 * MOST_USES && loads <= MOST_USES / 5, "{known} {loads}");
    }

    fn key(model: &str) -> ModelKey {
        (Some("llama".into()), model.into())
    }

    fn window(start: i64) -> Window {
        Window { start, end: start + 1 }
    }

    /// Tests are (model, start); arrival is their order.
    fn cold(loads: &[(&str, i64)], tests: &[(&str, i64)], says_loads: bool) -> Vec<Option<bool>> {
        let mut cold = Cold::default();
        for (model, end) in loads {
            cold.loaded(key(model), Window { start: *end - 1, end: *end });
        }
        for (arrival, (model, start)) in (0..).zip(tests) {
            cold.used(key(model), window(*start), Some("test"), arrival);
        }
        tests
            .iter()
            .map(|(model, start)| {
                cold.is_cold(&key(model), window(*start), Some("test"), says_loads, empty())
            })
            .collect()
    }

    #[test]
    fn the_first_test_after_each_load_is_cold() {
        let loads = [("a", 5), ("b", 20), ("a", 40)];
        let tests = [("a", 5), ("a", 7), ("b", 21), ("a", 41), ("a", 43)];
        let want = [true, false, true, true, false].map(Some);
        assert_eq!(cold(&loads, &tests, true), want);
        assert_eq!(cold(&loads, &tests, false), want);
    }

    #[test]
    fn a_model_that_was_not_loaded_by_the_run_is_not_known_to_be_cold() {
        assert_eq!(cold(&[("b", 1)], &[("a", 5)], true), [None]);
        assert_eq!(cold(&[("a", 9)], &[("a", 5)], true), [None]);
        assert_eq!(cold(&[], &[("a", 5)], true), [None]);
    }

    #[test]
    fn without_loads_a_change_of_the_model_is_a_cold_start() {
        let tests = [("a", 1), ("a", 3), ("b", 5), ("a", 7)];
        assert_eq!(cold(&[], &tests, false), [true, false, true, true].map(Some));
        // The lines may come in any order: their times decide.
        let turned = [("a", 7), ("b", 5), ("a", 3), ("a", 1)];
        assert_eq!(cold(&[], &turned, false), [true, true, false, true].map(Some));
    }

    #[test]
    fn a_line_that_comes_twice_is_cold_both_times() {
        let tests = [("a", 5), ("a", 5), ("a", 7), ("a", 7)];
        let want = [true, true, false, false].map(Some);
        assert_eq!(cold(&[("a", 5)], &tests, true), want);
        assert_eq!(cold(&[], &tests, false), want);
    }

    #[test]
    fn of_two_tests_that_start_at_once_one_is_cold() {
        let mut cold = Cold::default();
        cold.loaded(key("a"), Window { start: 4, end: 5 });
        cold.used(key("a"), window(8), Some("one"), 0);
        cold.used(key("a"), window(8), Some("other"), 1);
        let is_cold = |id| cold.is_cold(&key("a"), window(8), Some(id), true, empty());
        assert_eq!((is_cold("one"), is_cold("other")), (Some(true), Some(false)));
    }

    #[test]
    fn a_test_that_still_runs_and_began_earlier_was_first() {
        let mut cold = Cold::default();
        cold.loaded(key("a"), Window { start: 4, end: 5 });
        cold.used(key("a"), window(8), None, 0);
        let is_cold =
            |open: &[i64]| cold.is_cold(&key("a"), window(8), None, true, open.iter().copied());
        assert_eq!(is_cold(&[6]), Some(false));
        assert_eq!(is_cold(&[4, 9]), Some(true));
    }
}
