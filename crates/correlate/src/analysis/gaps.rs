//! Time without samples.

use crate::window::Micros;

/// Spacings that are looked at to learn the interval of a sampler that did not say it.
const LEARN: usize = 16;
/// Gaps that are kept one by one; of more, only how many and how long.
const MOST: usize = 64;

/// Finds gaps between samples.
#[derive(Clone, Debug)]
pub(crate) struct Gaps {
    least: Micros,
    interval: Option<Micros>,
    learning: Vec<(Micros, Micros)>,
    first: Option<Micros>,
    last: Micros,
    /// The first of them, as (from, to).
    pub(crate) list: Vec<(Micros, Micros)>,
    /// All of them.
    pub(crate) count: u64,
    pub(crate) lost: Micros,
    pub(crate) longest: Micros,
}

impl Gaps {
    pub(crate) fn new(least: Micros) -> Gaps {
        Gaps {
            least,
            interval: None,
            learning: Vec::new(),
            first: None,
            last: 0,
            list: Vec::new(),
            count: 0,
            lost: 0,
            longest: 0,
        }
    }

    /// The sampler says its interval. The widest counts.
    pub(crate) fn interval(&mut self, interval: Micros) {
        self.interval = Some(self.interval.map_or(interval, |known| known.max(interval)));
    }

    pub(crate) fn sample(&mut self, ts: Micros) {
        if self.first.is_none() {
            self.first = Some(ts);
        } else if let Some(interval) = self.interval {
            let spacing = ts - self.last;
            if spacing > 3 * interval && spacing > self.least {
                self.gap(self.last, ts);
            }
        } else {
            self.learning.push((self.last, ts));
            if self.learning.len() == LEARN {
                self.learn();
            }
        }
        self.last = ts;
    }

    fn gap(&mut self, from: Micros, to: Micros) {
        self.count += 1;
        self.lost += to - from;
        self.longest = self.longest.max(to - from);
        if self.list.len() < MOST {
            self.list.push((from, to));
        }
    }

    /// Takes the median of the spacings seen for the interval.
    fn learn(&mut self) {
        let seen = std::mem::take(&mut self.learning);
        let mut spacings: Vec<Micros> = seen.iter().map(|(from, to)| to - from).collect();
        spacings.sort_unstable();
        let Some(&interval) = spacings.get(spacings.len() / 2) else {
            return;
        };
        self.interval = Some(interval);
        for (from, to) in seen {
            if to - from > 3 * interval && to - from > self.least {
                self.gap(from, to);
            }
        }
    }

    /// The interval, as far as it is known.
    pub(crate) fn known_interval(&self) -> Micros {
        self.interval.unwrap_or(0)
    }

    /// No more samples come.
    pub(crate) fn finish(&mut self) {
        if self.interval.is_none() {
            self.learn();
        }
    }

    /// From the first sample to the last.
    pub(crate) fn span(&self) -> Option<(Micros, Micros)> {
        self.first.map(|first| (first, self.last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Gaps;

    fn found(interval: Option<i64>, times: &[i64]) -> Gaps {
        let mut gaps = Gaps::new(1_000_000);
        if let Some(interval) = interval {
            gaps.interval(interval);
        }
        times.iter().for_each(|ts| gaps.sample(*ts));
        gaps.finish();
        gaps
    }

    #[test]
    fn the_interval_of_a_sampler_that_does_not_say_it_is_learned() {
        let times: Vec<i64> =
            (0..40).map(|at| at * 200_000 + if at > 4 { 3_000_000 } else { 0 }).collect();
        let gap = vec![(800_000, 4_000_000)];
        assert_eq!(found(None, &times).list, gap);
        assert_eq!(found(None, &times[..8]).list, gap, "fewer than it takes to learn");
        assert_eq!(found(Some(2_000_000), &times).list, [], "for a slow sampler it is none");
    }

    proptest! {
        #[test]
        fn gaps_are_the_spacings_that_are_too_long(
            spacings in proptest::collection::vec(1i64..4_000_000, 0..200)
        ) {
            let mut times = vec![0];
            for spacing in &spacings {
                times.push(times[times.len() - 1] + spacing);
            }
            let long: Vec<i64> = spacings.into_iter().filter(|s| *s > 1_000_000).collect();
            let gaps = found(Some(200_000), &times);
            prop_assert_eq!(gaps.count, long.len() as u64);
            prop_assert_eq!(gaps.lost, long.iter().sum::<i64>());
            prop_assert_eq!(gaps.longest, long.iter().copied().max().unwrap_or(0));
        }
    }
}
