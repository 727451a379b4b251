//! The values of one metric, one after another: kept as they are as long as there are not
//! too many, then counted in a histogram, so that memory does not grow with them.

use hdrhistogram::Histogram;
use records::{Stats, round};

/// Up to so many values are kept as they are.
const EXACT: usize = 10_000;
/// Significant digits of the histogram. Its figures stand in the middle of their buckets,
/// so they are off by at most half a part in a thousand.
const DIGITS: u8 = 3;
/// What the histogram counts in: millionths, the last decimal that is written.
const SCALE: f64 = 1e6;

/// Values, none of which is negative.
#[derive(Clone, Debug)]
pub struct Values {
    n: u64,
    mean: f64,
    /// The sum of squared differences from the mean (Welford, 1962).
    squares: f64,
    min: f64,
    max: f64,
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    Exact(Vec<f64>),
    Counted(Box<Histogram<u32>>),
}

impl Default for Values {
    fn default() -> Self {
        let kept = Kept::Exact(Vec::new());
        Values { n: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, kept }
    }
}

impl Values {
    /// Adds one. What is no number is none.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match &mut self.kept {
            Kept::Exact(values) if values.len() < EXACT => values.push(value),
            Kept::Exact(values) => {
                if let Some(mut counted) = counted(values) {
                    count(&mut counted, value);
                    self.kept = Kept::Counted(Box::new(counted));
                }
            }
            Kept::Counted(counts) => count(counts, value),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.n
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.mean * self.n as f64
    }

    /// Mean, sample standard deviation, extremes, median and the quantiles that there are
    /// enough values for; nothing of none.
    #[must_use]
    pub fn stats(&self, decimals: u8) -> Option<Stats> {
        let counts = match &self.kept {
            Kept::Exact(values) => return stats(values, decimals),
            Kept::Counted(counts) => counts,
        };
        let tidy = |value: f64| round(value, decimals);
        let at = |p: f64| {
            let middle = counts.median_equivalent(counts.value_at_quantile(p)) as f64 / SCALE;
            // A bucket can reach beyond what was in it.
            tidy(middle.clamp(self.min, self.max))
        };
        let sd = (self.squares / (self.n - 1) as f64).sqrt();
        Some(Stats {
            mean: tidy(self.mean),
            sd: Some(tidy(sd)),
            n: self.n,
            min: tidy(self.min),
            median: at(0.5),
            max: tidy(self.max),
            p50: Some(at(0.5)),
            p90: Some(at(0.9)),
            p95: Some(at(0.95)),
            p99: Some(at(0.99)),
        })
    }
}

/// A histogram of `values`.
fn counted(values: &[f64]) -> Option<Histogram<u32>> {
    // It fails for more digits than there are; and then the values are kept.
    let mut histogram = Histogram::new(DIGITS).ok()?;
    values.iter().for_each(|value| count(&mut histogram, *value));
    Some(histogram)
}

fn count(histogram: &mut Histogram<u32>, value: f64) {
    // The cast saturates: what is below 0 is 0. A histogram that grows takes everything.
    let _ = histogram.record((value * SCALE).round() as u64);
}

/// Mean, sample standard deviation, extremes and median of `values`; nothing of none.
#[must_use]
pub fn stats(values: &[f64], decimals: u8) -> Option<Stats> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let n = sorted.len();
    let mean = sorted.iter().sum::<f64>() / n as f64;
    let sd = (n > 1).then(|| {
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (n - 1) as f64).sqrt()
    });
    let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
    let tidy = |value: f64| round(value, decimals);
    Some(Stats {
        mean: tidy(mean),
        sd: sd.map(tidy),
        n: n as u64,
        min: tidy(min),
        median: tidy(median),
        max: tidy(max),
        p50: quantile(&sorted, 0.5).map(tidy),
        p90: quantile(&sorted, 0.9).map(tidy),
        p95: quantile(&sorted, 0.95).map(tidy),
        p99: quantile(&sorted, 0.99).map(tidy),
    })
}

/// The quantile `p` of values in order, by linear interpolation (type 7 of Hyndman and
/// Fan, 1996, which NumPy and most others take); nothing where there are too few values
/// to have one beyond it with 97.5 % probability: 6 for the median, 36 for 0.9, 72 for
/// 0.95, 368 for 0.99.
fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let enough = (0.025f64.ln() / p.ln()).ceil();
    if (sorted.len() as f64) < enough {
        return None;
    }
    let at = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::round;

    use super::{EXACT, Values, stats};

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let s = stats(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 6).unwrap();
        assert_eq!((s.mean, s.median, s.min, s.max, s.n), (5.0, 4.5, 2.0, 9.0, 8));
        assert_eq!(s.sd, Some(2.13809));
        assert_eq!(stats(&[3.0], 6).unwrap().sd, None);
        assert_eq!(stats(&[], 6), None);
    }

    /// How many of `values` are less than and how many at most `limit`: what a quantile
    /// is by its definition, without sorting and without places.
    fn around(values: &[f64], limit: f64) -> (f64, f64) {
        let share = |n: usize| n as f64 / values.len() as f64;
        (
            share(values.iter().filter(|value| **value < limit).count()),
            share(values.iter().filter(|value| **value <= limit).count()),
        )
    }

    proptest! {
        #[test]
        fn every_statistic_is_what_its_definition_says(
            values in proptest::collection::vec(0.0f64..1e4, 1..500),
        ) {
            let s = stats(&values, 9).unwrap();
            let n = values.len() as f64;
            let mean = values.iter().fold(0.0, |sum, value| sum + value / n);
            prop_assert!((s.mean - mean).abs() < 1e-6);
            prop_assert!(values.iter().all(|value| s.min <= *value + 1e-9 && *value <= s.max + 1e-9));
            prop_assert!([s.min, s.max].iter().all(|end| values.iter().any(|v| (v - end).abs() < 1e-8)));
            // Half the mean squared difference of all pairs is the variance of a sample.
            let pairs: f64 = values.iter().flat_map(|a| values.iter().map(move |b| (a - b).powi(2))).sum();
            match s.sd {
                None => prop_assert_eq!(values.len(), 1),
                Some(sd) => prop_assert!((sd.powi(2) - pairs / 2.0 / n / (n - 1.0)).abs() < 1e-3),
            }
            let (below, upto) = around(&values, s.median + 1e-8);
            prop_assert!(upto >= 0.5 && below >= 0.5, "{below} {upto}");
            let (below, _) = around(&values, s.median - 1e-8);
            prop_assert!(below <= 0.5);
            for (p, quantile, enough) in
                [(0.5, s.p50, 6), (0.9, s.p90, 36), (0.95, s.p95, 72), (0.99, s.p99, 368)]
            {
                prop_assert_eq!(quantile.is_some(), values.len() >= enough);
                let Some(quantile) = quantile else { continue };
                // At most a share of p, give or take the value itself, lies below it.
                let (below, upto) = (around(&values, quantile - 1e-8).0, around(&values, quantile + 1e-8).1);
                prop_assert!(below <= p + 1.0 / n && upto >= p - 1.0 / n, "{p}: {below} {upto}");
            }
        }

        #[test]
        fn beyond_what_is_kept_quantiles_are_off_by_less_than_a_thousandth(
            seed in any::<u64>(), scale in -3i32..4, more in 1usize..5000,
        ) {
            let mut state = seed | 1;
            let all: Vec<f64> = (0..EXACT + more)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    // From almost nothing to much, most of it in the middle.
                    let even = (state >> 11) as f64 / (1u64 << 53) as f64;
                    round((1.0 + 99.0 * even.powi(3)) * 10f64.powi(scale), 6)
                })
                .collect();
            let mut values = Values::default();
            all.iter().for_each(|value| values.add(*value));
            let (ours, exact) = (values.stats(9).unwrap(), stats(&all, 9).unwrap());
            prop_assert_eq!((ours.n, ours.min, ours.max), (exact.n, exact.min, exact.max));
            let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by * b.abs() + 1e-6;
            prop_assert!(near(ours.mean, exact.mean, 1e-9));
            prop_assert!(near(ours.sd.unwrap(), exact.sd.unwrap(), 1e-9));
            // By nearest rank: between two values there is nothing to interpolate.
            let mut sorted = all.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = |p: f64| sorted[(p * all.len() as f64).ceil() as usize - 1];
            for (ours, p) in [
                (Some(ours.median), 0.5),
                (ours.p50, 0.5),
                (ours.p90, 0.9),
                (ours.p95, 0.95),
                (ours.p99, 0.99),
            ] {
                let (ours, exact) = (ours.unwrap(), rank(p));
                prop_assert!(near(ours, exact, 1e-3), "{ours} {exact}");
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_a_million_values() {
        let mut values = Values::default();
        (0..1_000_000).for_each(|n| values.add(f64::from(n % 1000) / 1e3));
        let s = values.stats(6).unwrap();
        assert_eq!((s.n, s.min, s.max), (1_000_000, 0.0, 0.999));
        let super::Kept::Counted(counts) = &values.kept else { panic!("not counted") };
        assert!(counts.len() == 1_000_000 && counts.distinct_values() < 100_000);
    }
}
