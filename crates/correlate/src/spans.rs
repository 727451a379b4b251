//! For how long each of some samples counts.

use std::ops::Range;

use crate::{
    fold::{GAP, are_joined, reach},
    window::{Micros, Window},
};

/// The times that samples inside a window speak for, as far as these lie inside.
///
/// Between two samples that follow one another a gauge speaks for the time after the first, a
/// rate for the time before the second. That is the same time, so one list does for both.
#[derive(Default)]
pub(crate) struct Spans {
    /// From each sample to the one before it, in microseconds; of the first one only where one
    /// came before.
    pub(crate) spacings: Vec<f64>,
    /// What rates speak for before the first sample; what lies between two; what gauges speak
    /// for behind the last one.
    weights: Vec<f64>,
    /// The sum of what lies between two.
    between: f64,
    pub(crate) window: Window,
    interval: Micros,
    /// When the sample behind the last one was taken.
    next: Micros,
}

impl Spans {
    /// Becomes those of the samples `rows`, of which there is one at least and which lie inside
    /// `window`. `before` is when the one before them was taken, if it counts.
    pub(crate) fn fill(
        &mut self,
        (window, interval): (Window, Micros),
        times: &[Micros],
        rows: Range<usize>,
        before: Option<Micros>,
    ) {
        (self.window, self.interval) = (window, interval);
        // What is not there is so far away that it is joined with nothing.
        self.next = times.get(rows.end).copied().unwrap_or(Micros::MAX / 2);
        let times = &times[rows];
        let (first, last) = (times[0], times[times.len() - 1]);
        let since = first - before.unwrap_or(Micros::MIN / 2);

        self.spacings.clear();
        self.spacings.extend(before.and((since > 0).then_some(since as f64)));
        let known = self.spacings.len();
        // Microseconds fit an f64 to the last one.
        self.spacings.extend(times.windows(2).map(|pair| (pair[1] - pair[0]) as f64));

        let (most, alone) = ((GAP * interval) as f64, interval as f64);
        let between = self.spacings[known..].iter();
        self.weights.clear();
        self.weights.push(self.speaks(since).min(first - window.start) as f64);
        self.weights.extend(between.map(|gap| if *gap <= most { *gap } else { alone }));
        // The end of an open window is the last time there is: nothing is reckoned with it.
        let end = last + self.speaks(self.next - last);
        self.weights.push((end.min(window.end) - last) as f64);
        self.between = sum(&self.weights[1..self.weights.len() - 1]);
    }

    /// What each gauge speaks for, in microseconds, and all of them.
    pub(crate) fn forward(&self) -> (&[f64], f64) {
        let weights = &self.weights[1..];
        (weights, self.between + weights[weights.len() - 1])
    }

    /// What each rate speaks for.
    pub(crate) fn backward(&self) -> (&[f64], f64) {
        let weights = &self.weights[..self.weights.len() - 1];
        (weights, weights[0] + self.between)
    }

    /// Where the time ends that the gauges of that one of the samples, taken at `times`, speak
    /// for, be it outside of the window.
    pub(crate) fn end(&self, index: usize, times: &[Micros]) -> Micros {
        times[index] + self.speaks(self.gap_behind(index, times))
    }

    /// Whether sampling went on from that one of the samples to the one behind it: then it
    /// speaks for all the time in between, else for less.
    pub(crate) fn is_joined(&self, index: usize, times: &[Micros]) -> bool {
        are_joined(self.gap_behind(index, times), self.interval)
    }

    /// The longest time that a gauge holds over samples that lack it.
    pub(crate) fn reach(&self) -> Micros {
        reach(self.interval)
    }

    fn gap_behind(&self, index: usize, times: &[Micros]) -> Micros {
        times.get(index + 1).unwrap_or(&self.next) - times[index]
    }

    /// How much of so long a gap the sample on either side of it speaks for.
    fn speaks(&self, gap: Micros) -> Micros {
        if are_joined(gap, self.interval) { gap } else { self.interval }
    }
}

/// The sum of whole numbers, which does not depend on their order (up to 285 years, where they
/// stop being exact): in four parts, so that they need not wait for one another.
fn sum(numbers: &[f64]) -> f64 {
    let (quads, rest) = numbers.as_chunks::<4>();
    let add = |sums: [f64; 4], quad: &[f64; 4]| std::array::from_fn(|lane| sums[lane] + quad[lane]);
    quads.iter().fold([0.0; 4], add).iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Spans;
    use crate::{
        fold::GAP,
        window::{Micros, Window},
    };

    const INTERVAL: Micros = 200;

    #[test]
    fn time_without_end_before_the_samples_takes_nothing_from_them() {
        let window = Window { start: -(1 << 60), end: 400 };
        let mut spans = Spans::default();
        spans.fill((window, 1 << 60), &[100, 130, 160], 0..3, None);
        assert_eq!(spans.forward(), (&[30.0, 30.0, 240.0][..], 300.0));
        assert_eq!(spans.backward().0[1..], [30.0, 30.0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn each_sample_counts_for_the_time_in_the_window_up_to_its_neighbour(
            steps in prop::collection::vec(prop_oneof![8 => 150..250i64, 2 => 1..2000i64], 1..40),
            begins in -3000i64..3000,
            early in 0i64..300,
            late in prop::option::of(1i64..300),
            cut in any::<[prop::sample::Index; 2]>(),
        ) {
            let times: Vec<Micros> = steps.iter().scan(begins, |at, step| { *at += step; Some(*at) }).collect();
            let [from, to] = cut.map(|cut| cut.index(times.len()));
            let (from, to) = (from.min(to), from.max(to));
            let before = from.checked_sub(1).map(|before| times[before]);
            // The samples beside the window are not inside of it.
            let start = (times[from] - early).max(before.map_or(Micros::MIN, |before| before + 1));
            let next = times.get(to + 1).copied();
            let end = late.map_or(Micros::MAX, |late| (times[to] + late).min(next.unwrap_or(Micros::MAX)));
            let window = Window { start, end };

            let mut spans = Spans::default();
            spans.fill((window, INTERVAL), &times, from..to + 1, before);
            let is_joined = |one: Micros, other: Micros| other - one <= GAP * INTERVAL;
            let (mut forward, mut backward) = (Vec::new(), Vec::new());
            for row in from..=to {
                let at = times[row];
                let behind = times.get(row + 1).filter(|next| is_joined(at, **next));
                forward.push(window.overlap(at, *behind.unwrap_or(&(at + INTERVAL))) as f64);
                let before = row.checked_sub(1).map(|before| times[before]);
                let before = before.filter(|before| is_joined(*before, at));
                backward.push(window.overlap(before.unwrap_or(at - INTERVAL), at) as f64);
                prop_assert_eq!(spans.is_joined(row - from, &times[from..=to]), behind.is_some());
                prop_assert_eq!(spans.end(row - from, &times[from..=to]), *behind.unwrap_or(&(at + INTERVAL)));
            }
            prop_assert_eq!(spans.forward(), (&forward[..], forward.iter().sum()));
            prop_assert_eq!(spans.backward(), (&backward[..], backward.iter().sum()));
            let spacings = before.into_iter().chain(times[from..=to].iter().copied());
            let spacings: Vec<Micros> = spacings.collect();
            let spacings: Vec<f64> = spacings.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
            prop_assert_eq!(&spans.spacings, &spacings);
        }
    }
}
