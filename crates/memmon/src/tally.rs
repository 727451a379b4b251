//! What the summary says of all samples, in memory that does not grow with them.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use records::{Achieved, MinMeanMax, SERIES, Sample};

/// Adds samples up as they are written.
pub struct Tally {
    samples: u64,
    missed: u64,
    /// In the order of [`SERIES`].
    series: Vec<Running>,
    intervals: Intervals,
}

impl Tally {
    /// No samples yet.
    #[must_use]
    pub fn new() -> Tally {
        let series = vec![Running::default(); SERIES.len()];
        Tally { samples: 0, missed: 0, series, intervals: Intervals::new() }
    }

    /// Counts `sample`, which began `elapsed` after the stream, to the microsecond.
    pub fn add(&mut self, sample: &Sample, elapsed: Duration) {
        self.samples += 1;
        self.missed += sample.missed.unwrap_or(0);
        for (series, running) in SERIES.iter().zip(&mut self.series) {
            if let Some(value) = (series.get)(sample) {
                running.add(value);
            }
        }
        self.intervals.add(elapsed);
    }

    /// Samples so far.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Grid points that passed unused.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Each series that had a value.
    #[must_use]
    pub fn series(&self) -> BTreeMap<String, MinMeanMax> {
        let named = SERIES.iter().zip(&self.series);
        named.filter_map(|(series, all)| Some((series.name.to_owned(), all.get()?))).collect()
    }

    /// The interval as it was, once there are two samples.
    #[must_use]
    pub fn achieved(&self) -> Option<Achieved> {
        self.intervals.achieved()
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally::new()
    }
}

/// One series. Values are those that were written, rounded, so that a reader who
/// adds up the lines comes to the same figures.
#[derive(Clone, Default)]
struct Running {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Running {
    fn add(&mut self, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.count += 1;
    }

    fn get(&self) -> Option<MinMeanMax> {
        (self.count > 0).then(|| MinMeanMax {
            min: self.min,
            mean: self.sum / self.count as f64,
            max: self.max,
        })
    }
}

/// Times between successive samples.
struct Intervals {
    /// In microseconds, to three significant digits.
    histogram: Option<Histogram<u32>>,
    first: Option<Duration>,
    last: Duration,
    longest: Duration,
    count: u32,
}

/// A day, in microseconds: longer intervals count as one of a day in quantiles.
const LONGEST_US: u64 = 86_400_000_000;

impl Intervals {
    fn new() -> Intervals {
        Intervals {
            // Fails only for bounds that make no sense, which these do.
            histogram: Histogram::new_with_bounds(1, LONGEST_US, 3).ok(),
            first: None,
            last: Duration::ZERO,
            longest: Duration::ZERO,
            count: 0,
        }
    }

    fn add(&mut self, at: Duration) {
        if self.first.is_none() {
            self.first = Some(at);
        } else {
            let interval = at.saturating_sub(self.last);
            self.longest = self.longest.max(interval);
            self.count = self.count.saturating_add(1);
            if let Some(histogram) = &mut self.histogram {
                let us = u64::try_from(interval.as_micros()).unwrap_or(LONGEST_US);
                histogram.saturating_record(us);
            }
        }
        self.last = at;
    }

    fn achieved(&self) -> Option<Achieved> {
        let histogram = self.histogram.as_ref().filter(|_| self.count > 0)?;
        let total = self.last - self.first?;
        let max_ms = ms(self.longest);
        // The greatest value of its bucket, which the longest may not reach.
        let quantile_ms = |q| max_ms.min(histogram.value_at_quantile(q) as f64 / 1e3);
        Some(Achieved {
            mean_ms: ms(total) / f64::from(self.count),
            median_ms: quantile_ms(0.5),
            p99_ms: quantile_ms(0.99),
            max_ms,
        })
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use records::{Origin, Sample};

    use super::Tally;

    fn sample(value: Option<f64>) -> Sample {
        Sample { ram_free_gb: value, ..Sample::at(0.0, &Origin::default()) }
    }

    #[test]
    fn without_samples_there_is_nothing_to_say() {
        let mut tally = Tally::new();
        assert!(tally.series().is_empty() && tally.achieved().is_none());
        tally.add(&sample(Some(1.0)), Duration::ZERO);
        assert!(tally.achieved().is_none(), "one sample has no interval");
    }

    #[test]
    fn the_mean_is_over_the_samples_that_have_the_value() {
        let mut tally = Tally::new();
        for value in [Some(-1.0), None, Some(4.0)] {
            tally.add(&sample(value), Duration::ZERO);
        }
        let all = tally.series();
        assert_eq!(all.len(), 1);
        let free = all["ram_free_gb"];
        assert_eq!((free.min, free.mean, free.max), (-1.0, 1.5, 4.0));
        assert_eq!(tally.samples(), 3);
    }

    proptest! {
        #[test]
        fn intervals_are_those_of_a_sorted_list_within_a_thousandth(
            intervals in proptest::collection::vec(100u64..100_000_000, 1..300),
        ) {
            let mut tally = Tally::new();
            let mut at = Duration::from_millis(7);
            tally.add(&sample(None), at);
            for us in &intervals {
                at += Duration::from_micros(*us);
                tally.add(&sample(None), at);
            }
            let mut sorted = intervals.clone();
            sorted.sort_unstable();
            let rank = |q: f64| {
                let rank = (q * sorted.len() as f64).ceil() as usize;
                sorted[rank.max(1) - 1] as f64 / 1e3
            };
            let near = |a: f64, b: f64| (a - b).abs() <= 0.001 * b + 0.001;
            let achieved = tally.achieved().unwrap();
            let mean = sorted.iter().sum::<u64>() as f64 / 1e3 / sorted.len() as f64;
            prop_assert!((achieved.mean_ms - mean).abs() < 1e-6);
            prop_assert!(near(achieved.median_ms, rank(0.5)), "{achieved:?}");
            prop_assert!(near(achieved.p99_ms, rank(0.99)), "{achieved:?}");
            prop_assert!((achieved.max_ms - rank(1.0)).abs() < 1e-6);
        }
    }
}
