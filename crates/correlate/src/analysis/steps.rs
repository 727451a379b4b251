//! Models in the memory of a machine of which no span tells: memory that rises within
//! a short time, stays up, and falls again.
//!
//! Memory is looked at second by second. While it stays near its level, nothing
//! happens. When it leaves it, the first three seconds that are near one another make
//! a new level: a step up of at least the threshold is a model that was loaded, and a
//! step down that gives back at least half of what it took is its end. What rises
//! further meanwhile counts for its peak: caches grow like that, too. Memory that creeps
//! makes many small steps, and none of them counts.

use std::collections::VecDeque;

use super::second::SECOND;
use crate::window::Micros;

/// Seconds near one another that make a level.
const STEADY: usize = 3;
/// How near, as a share of the step that counts.
const NEAR: f64 = 0.25;
/// A level follows the memory as the mean of so many seconds does.
const FOLLOWS: f64 = 60.0;
/// After so long without samples nobody knows when memory rose.
const PAUSE: Micros = 10 * SECOND;
/// Rises that are kept.
const MOST: usize = 1024;

/// A rise of memory and, where it was seen, its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rise {
    pub(crate) from: Micros,
    /// When it was up.
    pub(crate) ready: Micros,
    /// When it began to fall; none while it is up.
    pub(crate) end: Option<Micros>,
    pub(crate) before_gb: f64,
    pub(crate) after_load_gb: f64,
    pub(crate) peak_gb: f64,
    pub(crate) after_gb: Option<f64>,
}

/// Finds them.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    step_gb: f64,
    level: Option<f64>,
    weight: f64,
    left_at: Option<Micros>,
    recent: VecDeque<(Micros, f64)>,
    last: Micros,
    open: Option<Rise>,
    done: Vec<Rise>,
    /// Rises beyond those that are kept.
    pub(crate) more: u64,
}

impl Steps {
    pub(crate) fn new(step_gb: f64) -> Steps {
        Steps {
            step_gb,
            level: None,
            weight: 0.0,
            left_at: None,
            recent: VecDeque::with_capacity(STEADY),
            last: 0,
            open: None,
            done: Vec::new(),
            more: 0,
        }
    }

    /// The memory in use in the second from `from` to `to`.
    pub(crate) fn second(&mut self, from: Micros, to: Micros, gb: f64) {
        if self.level.is_none() || from - self.last > PAUSE {
            self.start_anew(from, gb);
        }
        self.last = to;
        if self.recent.len() == STEADY {
            self.recent.pop_front();
        }
        self.recent.push_back((from, gb));
        if let Some(rise) = &mut self.open {
            rise.peak_gb = rise.peak_gb.max(gb);
        }
        let Some(level) = self.level else {
            return;
        };
        if (gb - level).abs() <= NEAR * self.step_gb {
            self.left_at = None;
            self.weight = (self.weight + 1.0).min(FOLLOWS);
            self.level = Some(level + (gb - level) / self.weight);
            return;
        }
        let left_at = *self.left_at.get_or_insert(from);
        if let Some(next) = self.steady(left_at) {
            self.step(level, next, left_at);
        }
    }

    /// The level that the last seconds make, all of them after it was left.
    fn steady(&self, left_at: Micros) -> Option<f64> {
        let seen = || self.recent.iter().map(|(_, gb)| *gb);
        let range = seen().fold(f64::NEG_INFINITY, f64::max) - seen().fold(f64::INFINITY, f64::min);
        let whole = self.recent.len() == STEADY && self.recent.front()?.0 >= left_at;
        (whole && range <= NEAR * self.step_gb).then(|| seen().sum::<f64>() / STEADY as f64)
    }

    fn step(&mut self, level: f64, next: f64, left_at: Micros) {
        if next - level >= self.step_gb && self.open.is_none() {
            let seen = self.recent.iter().map(|(_, gb)| *gb);
            self.open = Some(Rise {
                from: left_at,
                ready: self.recent.front().map_or(left_at, |first| first.0),
                end: None,
                before_gb: level,
                after_load_gb: next,
                peak_gb: seen.fold(next, f64::max),
                after_gb: None,
            });
        }
        self.close_below(next, left_at);
        self.level = Some(next);
        self.weight = STEADY as f64;
        self.left_at = None;
    }

    /// Ends what has given back at least half of what it took.
    fn close_below(&mut self, now_gb: f64, at: Micros) {
        let over = |rise: &mut Rise| now_gb <= f64::midpoint(rise.before_gb, rise.after_load_gb);
        if let Some(rise) = self.open.take_if(over) {
            if self.done.len() < MOST {
                self.done.push(Rise { end: Some(at), after_gb: Some(now_gb), ..rise });
            } else {
                self.more += 1;
            }
        }
    }

    fn start_anew(&mut self, from: Micros, gb: f64) {
        self.close_below(gb, from);
        self.recent.clear();
        self.level = Some(gb);
        self.weight = 0.0;
        self.left_at = None;
    }

    /// All of them, in the order of time.
    pub(crate) fn all(&self) -> Vec<Rise> {
        self.done.iter().chain(&self.open).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Rise, Steps};

    fn found(memory: impl IntoIterator<Item = f64>) -> Vec<Rise> {
        let mut steps = Steps::new(1.0);
        for (at, gb) in (0i64..).zip(memory) {
            steps.second(at * 1_000_000, at * 1_000_000 + 800_000, gb);
        }
        steps.all()
    }

    /// Stretches of (seconds, from GB, to GB).
    fn ramps(stretches: &[(usize, f64, f64)]) -> Vec<f64> {
        let of = |(n, from, to): &(usize, f64, f64)| {
            let (n, from, to) = (*n, *from, *to);
            (0..n).map(move |at| from + (to - from) * at as f64 / n as f64)
        };
        stretches.iter().flat_map(of).collect()
    }

    #[test]
    fn a_model_that_comes_and_goes_is_found_with_what_it_took_and_left() {
        let memory = ramps(&[
            (20, 8.0, 8.0),
            (6, 8.0, 13.0),
            (30, 13.0, 13.2),
            (5, 15.0, 15.0),
            (9, 13.2, 13.2),
            (20, 8.3, 8.3),
        ]);
        let rises = found(memory);
        let rise = rises[0];
        assert_eq!(rises.len(), 1, "{rises:?}");
        assert!((20_000_000..22_000_000).contains(&rise.from), "{rise:?}");
        assert!((26_000_000..28_000_000).contains(&rise.ready), "{rise:?}");
        assert_eq!(rise.end, Some(70_000_000));
        assert!((rise.before_gb - 8.0).abs() < 0.1 && (rise.after_load_gb - 13.0).abs() < 0.1);
        assert_eq!((rise.peak_gb, rise.after_gb), (15.0, Some(8.3)));
    }

    #[test]
    fn memory_that_creeps_or_flickers_is_no_model() {
        assert_eq!(found(ramps(&[(20, 8.0, 8.0), (600, 8.0, 20.0), (20, 20.0, 20.0)])), []);
        let blips = (0..300).map(|at| if at % 50 < 2 { 14.0 } else { 8.0 });
        assert_eq!(found(blips), []);
    }

    #[test]
    fn what_rose_while_nobody_looked_has_no_beginning() {
        let mut steps = Steps::new(1.0);
        for at in (0..20).chain(60..90) {
            let gb = if at < 30 { 8.0 } else { 14.0 };
            steps.second(at * 1_000_000, at * 1_000_000, gb);
        }
        assert_eq!(steps.all(), []);
    }

    proptest! {
        /// Loads and unloads at random times, with noise: each is found, near its time,
        /// and nothing else is.
        #[test]
        fn each_load_and_unload_is_found_and_nothing_else(
            models in proptest::collection::vec((5usize..40, 5usize..60, 2.0..30.0f64), 0..8),
            noise in proptest::collection::vec(-0.1..0.1f64, 1000),
        ) {
            let mut memory = Vec::new();
            let mut want = Vec::new();
            for (idle, lives, gb) in &models {
                memory.extend(std::iter::repeat_n(10.0, *idle));
                let from = memory.len() as i64 * 1_000_000;
                memory.extend(std::iter::repeat_n(10.0 + gb, *lives));
                want.push((from, memory.len() as i64 * 1_000_000, *gb));
            }
            memory.extend(std::iter::repeat_n(10.0, 10));
            let memory = memory.iter().zip(noise.iter().cycle()).map(|(gb, noise)| gb + noise);
            let rises = found(memory);
            prop_assert_eq!(rises.len(), want.len());
            for (rise, (from, end, gb)) in rises.iter().zip(want) {
                prop_assert_eq!((rise.from, rise.end), (from, Some(end)));
                prop_assert!((rise.after_load_gb - rise.before_gb - gb).abs() < 0.25);
            }
        }

        #[test]
        fn noise_alone_is_no_model(
            noise in proptest::collection::vec(-0.3..0.3f64, 0..400), drift in -0.002..0.002f64
        ) {
            let memory = noise.iter().enumerate().map(|(at, noise)| 16.0 + drift * at as f64 + noise);
            prop_assert_eq!(found(memory), []);
        }
    }
}
