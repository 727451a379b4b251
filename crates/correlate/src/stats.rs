//! What samples say about a window. Pure: no lines, no input or output.
//!
//! Two times are kept apart: which samples fell **inside** the window, for counts,
//! extremes and quantiles, and which stretch of time each sample **speaks for**,
//! for means and coverage. A gauge speaks for the time until the next sample, a
//! rate for the time since the sample before.

use std::{collections::BTreeMap, ops::Range};

use records::{Hold, Resources, SERIES, Series, SeriesStats, round};

use crate::{
    Samples, Window,
    window::{Micros, micros, seconds},
};

/// Samples further apart than this many intervals have a gap between them.
const GAP: i64 = 3;

/// Quantities that are read less often than every sample are read about once in
/// this time.
const SLOW_READING: Micros = 1_000_000;

/// How many spacings on each side of a window tell the interval of a sampler that
/// did not say it.
const AROUND: usize = 16;

/// The longest time that a gauge holds over samples that lack it. A quantity that
/// is read once a second is not gone a moment later; one that stopped being
/// measured must not be carried on for good.
#[must_use]
pub(crate) fn reach(interval: Micros) -> Micros {
    GAP * interval.max(SLOW_READING)
}

/// What `samples`, which are sorted, say about `window`. `nominal` is the interval
/// in seconds that the sampler was asked for; without it, it is the median of the
/// spacings around the window. None when there is no sample at all.
#[must_use]
pub fn resources(samples: &Samples, window: Window, nominal: Option<f64>) -> Option<Resources> {
    let times = samples.times();
    if times.is_empty() {
        return None;
    }
    let view = View::new(samples, window, nominal.map(micros));
    let looked_at = view.looked_at();
    let series = SERIES
        .iter()
        .enumerate()
        .filter(|(place, _)| samples.has(*place))
        .filter_map(|(place, series)| {
            Some((series.name.to_owned(), view.series(place, series, &looked_at)?))
        })
        .collect::<BTreeMap<_, _>>();
    let touching = view.before.unwrap_or(0)..(view.inside.end + 1).min(times.len());
    Some(Resources {
        samples: view.inside.len() as u64,
        coverage: round(view.coverage(), 4),
        interval_s: median_spacing(&times[touching]).map(|interval| round(seconds(interval), 4)),
        bracketed: (view.inside.is_empty() && !looked_at.is_empty()).then_some(true),
        series,
    })
}

/// The samples as they lie around one window.
struct View<'a> {
    samples: &'a Samples,
    times: &'a [Micros],
    window: Window,
    interval: Micros,
    /// The samples with start ≤ ts < end.
    inside: Range<usize>,
    /// The last sample at or before the start.
    before: Option<usize>,
    /// The first sample at or after the end.
    after: Option<usize>,
}

impl<'a> View<'a> {
    fn new(samples: &'a Samples, window: Window, nominal: Option<Micros>) -> View<'a> {
        let times = samples.times();
        let first = times.partition_point(|ts| *ts < window.start);
        let end = times.partition_point(|ts| *ts < window.end);
        let at_start = times.get(first) == Some(&window.start);
        let around = &times[first.saturating_sub(AROUND + 1)..(end + AROUND + 1).min(times.len())];
        View {
            samples,
            times,
            window,
            // A single sample has no interval: it holds for no time.
            interval: nominal.or_else(|| median_spacing(around)).unwrap_or(0),
            inside: first..end,
            before: if at_start { Some(first) } else { first.checked_sub(1) },
            after: (end < times.len()).then_some(end),
        }
    }

    /// The samples whose values count for extremes and quantiles: those inside, else
    /// the two around the window. Where there is one on one side only, the window
    /// lies outside of what was sampled, and it counts only when it is near.
    fn looked_at(&self) -> Vec<usize> {
        if !self.inside.is_empty() {
            return self.inside.clone().collect();
        }
        let near = GAP * self.interval;
        match (self.before, self.after) {
            (Some(before), Some(after)) if before < after => vec![before, after],
            (Some(same), Some(_)) => vec![same],
            (Some(before), None) if self.window.start - self.times[before] <= near => vec![before],
            (None, Some(after)) if self.times[after] - self.window.end <= near => vec![after],
            _ => vec![],
        }
    }

    fn series(&self, place: usize, series: &Series, rows: &[usize]) -> Option<SeriesStats> {
        let mut values: Vec<f64> =
            rows.iter().filter_map(|row| self.samples.value(place, *row)).collect();
        let min = values.iter().copied().reduce(f64::min)?;
        let max = values.iter().copied().reduce(f64::max)?;
        let mean = match series.hold {
            Hold::Gauge => self.mean_of_gauge(place),
            Hold::Rate => self.mean_of_rate(place),
        };
        let delta = match series.hold {
            Hold::Gauge => self.delta(place),
            Hold::Rate => None,
        };
        // One decimal more than the samples have: a mean deserves it, and no more.
        let decimals = series.unit.decimals() + 1;
        // Adding 0 turns a -0 that came of rounding into 0.
        let tidy = |value: f64| round(value, decimals) + 0.0;
        Some(SeriesStats {
            min: tidy(min),
            mean: mean.map(tidy),
            p50: tidy(quantile(&mut values, 0.50)),
            p95: tidy(quantile(&mut values, 0.95)),
            max: tidy(max),
            delta: delta.map(tidy),
        })
    }

    /// Whether sampling went on from the sample `row` to the one after it.
    fn joined(&self, row: usize) -> bool {
        self.times.get(row + 1).is_some_and(|next| next - self.times[row] <= GAP * self.interval)
    }

    /// The time that gauges of the sample `row` speak for.
    fn forward(&self, row: usize) -> (Micros, Micros) {
        let from = self.times[row];
        (from, if self.joined(row) { self.times[row + 1] } else { from + self.interval })
    }

    /// The time that rates of the sample `row` speak for.
    fn backward(&self, row: usize) -> (Micros, Micros) {
        let to = self.times[row];
        let before = row.checked_sub(1).filter(|before| self.joined(*before));
        (before.map_or(to - self.interval, |before| self.times[before]), to)
    }

    /// The first sample whose gauges can still hold at the start of the window.
    fn first_in_reach(&self) -> usize {
        let Some(before) = self.before else {
            return self.inside.start;
        };
        let oldest = self.times[before] - reach(self.interval);
        self.times[..before].partition_point(|ts| *ts < oldest)
    }

    /// One past the last sample whose gauges can hold inside of the window.
    fn end_of_gauges(&self) -> usize {
        self.before.map_or(self.inside.end, |before| self.inside.end.max(before + 1))
    }

    fn coverage(&self) -> f64 {
        let from = self.before.unwrap_or(self.inside.start);
        self.window.covered_by((from..self.end_of_gauges()).map(|row| self.forward(row)))
    }

    /// Over a moment there is no mean: it takes no time.
    fn mean_of_gauge(&self, place: usize) -> Option<f64> {
        let mut mean = Mean::default();
        // The value that holds, and how long at most.
        let mut held: Option<(f64, Micros)> = None;
        for row in self.first_in_reach()..self.end_of_gauges() {
            let (from, to) = self.forward(row);
            if let Some(value) = self.samples.value(place, row) {
                held = Some((value, from + reach(self.interval)));
            }
            if let Some((value, until)) = held {
                mean.add(value, self.window.overlap(from, to.min(until)));
            }
            if !self.joined(row) {
                held = None;
            }
        }
        mean.get()
    }

    fn mean_of_rate(&self, place: usize) -> Option<f64> {
        let mut mean = Mean::default();
        for row in self.inside.start..(self.inside.end + 1).min(self.times.len()) {
            if let Some(value) = self.samples.value(place, row) {
                let (from, to) = self.backward(row);
                mean.add(value, self.window.overlap(from, to));
            }
        }
        mean.get()
    }

    fn delta(&self, place: usize) -> Option<f64> {
        let value = |row: usize| Some((row, self.samples.value(place, row)?));
        let (earlier, from) = self
            .before
            .and_then(|before| (self.first_in_reach()..=before).rev().find_map(value))
            .or_else(|| self.inside.clone().find_map(value))?;
        let (later, to) =
            self.after.and_then(value).or_else(|| self.inside.clone().rev().find_map(value))?;
        // A value less itself is no change that was measured.
        (earlier < later).then_some(to - from)
    }
}

/// A mean weighted by time.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: Micros,
}

impl Mean {
    fn add(&mut self, value: f64, weight: Micros) {
        self.sum += value * weight as f64;
        self.weight += weight;
    }

    fn get(&self) -> Option<f64> {
        (self.weight > 0).then(|| self.sum / self.weight as f64)
    }
}

/// The median of the spacings between `times`, which are ascending.
fn median_spacing(times: &[Micros]) -> Option<Micros> {
    let mut spacings: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    // Between two whole numbers at most: a whole one again, or half of one.
    (!spacings.is_empty()).then(|| quantile(&mut spacings, 0.5).round() as Micros)
}

/// The `q` quantile by linear interpolation between order statistics: type 7 of
/// Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), the default
/// of numpy and R. `values` are not empty; their order changes.
fn quantile(values: &mut [f64], q: f64) -> f64 {
    let at = (values.len() - 1) as f64 * q;
    let below = at.floor();
    // A place in a slice: whole, not negative, small.
    let (_, low, higher) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let low = *low;
    // Nothing lies higher only where `at` is the last place itself.
    let high = higher.iter().copied().reduce(f64::min).unwrap_or(low);
    low + (at - below) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        // numpy.quantile([1, 2, 3, 4], [0.5, 0.95]) = [2.5, 3.85]
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), 2.5);
        assert!((quantile(&mut values, 0.95) - 3.85).abs() < 1e-12);
        assert_eq!(quantile(&mut [7.0], 0.95), 7.0);
        assert_eq!(quantile(&mut [1.0, 9.0, 5.0], 0.5), 5.0);
    }
}
