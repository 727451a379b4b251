//! What the samples of one window come to, taken in from the first to the last.
//!
//! Two times are kept apart: which samples fell **inside** the window, for counts,
//! extremes and quantiles, and which stretch of time each sample **speaks for**,
//! for means and coverage. A gauge speaks for the time until the next sample, a
//! rate for the time since the sample before.
//!
//! A window can be taken in piece by piece, so that one that stays open for hours
//! need not keep its samples.

use std::ops::Range;

use records::{Hold, SERIES, Series};

use crate::{
    Samples,
    quantiles::Quantiles,
    spans::Spans,
    window::{Micros, Window},
};

/// Samples further apart than this many intervals have a gap between them.
pub(crate) const GAP: i64 = 3;

/// Whether samples so far apart follow one another without a gap.
pub(crate) fn are_joined(apart: Micros, interval: Micros) -> bool {
    apart <= GAP * interval
}

/// Quantities that are read less often than every sample are read about once in
/// this time.
const SLOW_READING: Micros = 1_000_000;

/// The longest time that a gauge holds over samples that lack it. A quantity that
/// is read once a second is not gone a moment later; one that stopped being
/// measured must not be carried on for good.
#[must_use]
pub(crate) fn reach(interval: Micros) -> Micros {
    GAP * interval.max(SLOW_READING)
}

/// A window and what was taken in of it.
pub(crate) struct Fold {
    /// Ends at the end of time while the true end is not known.
    window: Window,
    pub(crate) interval: Micros,
    /// The last sample that was taken in, or that came before the first.
    last: Option<Micros>,
    /// The end of the time that it speaks for.
    speaks_to: Micros,
    /// The samples inside.
    pub(crate) samples: u64,
    /// How much of the window is covered.
    pub(crate) covered: Micros,
    /// Times between neighbouring samples, from the last one before the window to the
    /// first one after it, in microseconds.
    pub(crate) spacings: Quantiles,
    /// One for each of [`SERIES`].
    pub(crate) series: Vec<Folded>,
    /// Of what was taken in last; kept for its room.
    spans: Spans,
}

/// What one series comes to.
#[derive(Clone)]
pub(crate) struct Folded {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: Mean,
    pub(crate) quantiles: Quantiles,
    /// The gauge's value that holds, and how long at most.
    held: Option<(f64, Micros)>,
    /// The last value at or before the start, else the first one inside, and its time.
    pub(crate) earlier: Option<(Micros, f64)>,
    /// The last value inside, and its time.
    pub(crate) later: Option<(Micros, f64)>,
}

/// A mean weighted by time, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: Micros) {
        self.sum += value * weight as f64;
        self.weight += weight as f64;
    }

    /// Over a moment there is no mean: it takes no time.
    pub(crate) fn get(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

impl Folded {
    const NONE: Folded = Folded {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        mean: Mean { sum: 0.0, weight: 0.0 },
        quantiles: Quantiles::NONE,
        held: None,
        earlier: None,
        later: None,
    };

    fn clear(&mut self) {
        // Most machines lack most series.
        if self.min > self.max && self.earlier.is_none() && self.mean.weight == 0.0 {
            return;
        }
        self.quantiles.clear();
        let Folded { min, max, mean, held, earlier, later, .. } = Folded::NONE;
        (self.min, self.max, self.mean) = (min, max, mean);
        (self.held, self.earlier, self.later) = (held, earlier, later);
    }
}

impl Default for Fold {
    fn default() -> Fold {
        Fold {
            window: Window::default(),
            interval: 0,
            last: None,
            speaks_to: 0,
            samples: 0,
            covered: 0,
            spacings: Quantiles::NONE,
            series: vec![Folded::NONE; SERIES.len()],
            spans: Spans::default(),
        }
    }
}

impl Fold {
    /// Forgets whatever was taken in, begins with another window, and takes in what came
    /// before its first sample. `samples` reach back as far as it needs.
    pub(crate) fn begin(&mut self, samples: &Samples, window: Window, interval: Micros) {
        let times = samples.times();
        let first = times.partition_point(|ts| *ts < window.start);
        (self.window, self.interval) = (window, interval);
        (self.last, self.speaks_to) = (None, window.start);
        (self.samples, self.covered) = (0, 0);
        self.spacings.clear();
        self.series.iter_mut().for_each(Folded::clear);
        // The last sample at or before the start. One at the very start is inside, too.
        let at_start = times.get(first) == Some(&window.start);
        if let Some(before) = if at_start { Some(first) } else { first.checked_sub(1) } {
            let oldest = times[before] - reach(interval);
            let from = times[..before].partition_point(|ts| *ts < oldest);
            self.take_before(samples, from..first, before);
        }
    }

    /// A window that is still open.
    pub(crate) fn open(samples: &Samples, start: Micros, interval: Micros) -> Fold {
        let mut fold = Fold::default();
        fold.begin(samples, Window { start, end: Micros::MAX }, interval);
        fold
    }

    /// Up to when samples were taken in.
    pub(crate) fn taken_to(&self) -> Micros {
        self.last.unwrap_or(self.window.start)
    }

    /// Ends the window. False when that cannot be: something later was taken in.
    pub(crate) fn end(&mut self, end: Micros) -> bool {
        self.window.end = end;
        self.speaks_to <= end
    }

    /// The samples that it has yet to take in.
    pub(crate) fn rest(&self, samples: &Samples) -> Range<usize> {
        let times = samples.times();
        let from = self.last.map_or(0, |last| times.partition_point(|ts| *ts <= last));
        let from = from.max(times.partition_point(|ts| *ts < self.window.start));
        from..times.partition_point(|ts| *ts < self.window.end).max(from)
    }

    /// Takes in `rows`, which lie inside the window and begin where it has come to. The
    /// sample after them is here, if there is one.
    pub(crate) fn take(&mut self, samples: &Samples, rows: Range<usize>) {
        let times = samples.times();
        if rows.is_empty() {
            return;
        }
        let mut spans = std::mem::take(&mut self.spans);
        spans.fill((self.window, self.interval), times, rows.clone(), self.last);
        self.samples += rows.len() as u64;
        // Whole microseconds.
        self.covered += spans.forward().1 as Micros;
        self.spacings.extend(&spans.spacings, SPACING);
        for (place, series) in SERIES.iter().enumerate() {
            if !samples.has(place) {
                continue;
            }
            let column = samples.column(place);
            // A series that ended may still hold.
            let values = &column[rows.start.min(column.len())..rows.end.min(column.len())];
            let times = &times[rows.clone()];
            let folded = &mut self.series[place];
            if values.len() < rows.len() || !folded.take_all(series, times, values, &spans) {
                folded.take_some(series, times, values, &spans);
            }
        }
        self.last = Some(times[rows.end - 1]);
        self.speaks_to = spans.end(rows.len() - 1, &times[rows]);
        self.spans = spans;
    }

    /// Takes in what lies behind the window: the first sample after it, if there is one, up
    /// to which rates and spacings reach.
    pub(crate) fn take_after(&mut self, samples: &Samples, after: Option<usize>) {
        let Some(after) = after else {
            return;
        };
        let to = samples.times()[after];
        let from = self.last.filter(|last| are_joined(to - last, self.interval));
        let weight = self.window.overlap(from.unwrap_or(to - self.interval), to);
        for (place, series) in SERIES.iter().enumerate() {
            if let (Hold::Rate, Some(value)) = (series.hold, samples.value(place, after)) {
                self.series[place].mean.add(value, weight);
            }
        }
        if let Some(last) = self.last.filter(|last| *last < to) {
            self.spacings.extend(&[(to - last) as f64], SPACING);
        }
    }

    /// Takes in what the samples `rows`, the last ones before the window, hand on to it.
    /// `before` is the last one at or before its start.
    fn take_before(&mut self, samples: &Samples, rows: Range<usize>, before: usize) {
        let times = samples.times();
        let interval = self.interval;
        let joined = |row: usize| {
            times.get(row + 1).is_some_and(|next| are_joined(next - times[row], interval))
        };
        // Only the last one speaks for some of the window; those before it can have set
        // the value that a gauge still holds then.
        let last = rows.clone().last();
        let forward = last.map(|last| {
            let end = if joined(last) { times[last + 1] } else { times[last] + interval };
            (times[last], end)
        });
        for (place, series) in SERIES.iter().enumerate().filter(|(place, _)| samples.has(*place)) {
            let folded = &mut self.series[place];
            let value = |row: usize| Some((row, samples.value(place, row)?));
            let earlier = (rows.start..=before).rev().find_map(value);
            folded.earlier = earlier.map(|(row, value)| (times[row], value));
            let (Hold::Gauge, Some(last), Some((from, to))) = (series.hold, last, forward) else {
                continue;
            };
            let set = rows.clone().rev().find_map(value);
            folded.held = set
                .filter(|(row, _)| (*row..last).all(joined))
                .map(|(row, value)| (value, times[row] + reach(interval)));
            folded.hold(|until| self.window.overlap(from, to.min(until)), joined(last));
        }
        // One at the very start is taken in with those inside, and begins there.
        if let (Some(last), Some((from, to))) = (last.filter(|last| *last == before), forward) {
            self.covered += self.window.overlap(from, to);
            self.last = Some(times[last]);
            self.speaks_to = to;
        }
    }
}

/// Spacings are whole numbers.
const SPACING: records::Unit = records::Unit::Count;

impl Folded {
    /// Takes in `values`, one of every sample. False, with nothing taken, when one is NaN.
    fn take_all(
        &mut self,
        series: &Series,
        times: &[Micros],
        values: &[f64],
        spans: &Spans,
    ) -> bool {
        let (weights, total) = match series.hold {
            Hold::Gauge => spans.forward(),
            Hold::Rate => spans.backward(),
        };
        let first = values[0];
        let is_still = all_are(first, values);
        let (min, max, sum) = if is_still {
            (first, first, first * total)
        } else {
            // Of NaN, which compares to nothing, there is no sum either.
            gathered(values, weights)
        };
        if sum.is_nan() {
            return false;
        }
        self.min = self.min.min(min);
        self.max = self.max.max(max);
        self.mean.sum += sum;
        self.mean.weight += total;
        if is_still {
            self.quantiles.extend_same(first, values.len(), series.unit);
        } else {
            self.quantiles.extend(values, series.unit);
        }
        let at = |index: usize| (times[index], values[index]);
        self.earlier.get_or_insert(at(0));
        let last = values.len() - 1;
        self.later = Some(at(last));
        self.held =
            spans.is_joined(last, times).then_some((values[last], times[last] + spans.reach()));
        true
    }

    /// Takes in `values`, of which some are NaN and the last may be missing.
    fn take_some(&mut self, series: &Series, times: &[Micros], values: &[f64], spans: &Spans) {
        let found = |value: &f64| !value.is_nan();
        for (index, time) in times.iter().enumerate() {
            let value = values.get(index).copied().filter(found);
            if let Some(value) = value {
                self.min = self.min.min(value);
                self.max = self.max.max(value);
                self.earlier.get_or_insert((*time, value));
                self.later = Some((*time, value));
                self.held = Some((value, time + spans.reach()));
            }
            match (series.hold, value) {
                (Hold::Gauge, _) => {
                    let end = spans.end(index, times);
                    let weight = |until: Micros| spans.window.overlap(*time, end.min(until));
                    self.hold(weight, spans.is_joined(index, times));
                }
                (Hold::Rate, Some(value)) => {
                    let weight = spans.backward().0[index];
                    self.mean.sum += value * weight;
                    self.mean.weight += weight;
                }
                (Hold::Rate, None) => {}
            }
        }
        let values: Vec<f64> = values.iter().copied().filter(found).collect();
        self.quantiles.extend(&values, series.unit);
    }

    /// Lets the value that holds count for as long as `weight` says, given how long it
    /// holds at most. It holds on when sampling went on.
    fn hold(&mut self, weight: impl Fn(Micros) -> Micros, joined: bool) {
        if let Some((value, until)) = self.held {
            self.mean.add(value, weight(until));
        }
        if !joined {
            self.held = None;
        }
    }
}

/// Whether all of `values` are `one`, bit for bit. Many are compared at once, and the rest is
/// left as soon as some differ.
pub(crate) fn all_are(one: f64, values: &[f64]) -> bool {
    let bits = one.to_bits();
    let differ = |some: &[f64]| some.iter().fold(0, |all, value| all | (value.to_bits() ^ bits));
    values.chunks(32).all(|some| differ(some) == 0)
}

/// The least and the greatest of `values`, and their sum, each times its weight: in four
/// parts, so that they need not wait for one another.
fn gathered(values: &[f64], weights: &[f64]) -> (f64, f64, f64) {
    let mut least = [f64::INFINITY; 4];
    let (mut most, mut sums) = ([f64::NEG_INFINITY; 4], [0.0; 4]);
    let mut take = |lane: usize, value: f64, weight: f64| {
        least[lane] = if value < least[lane] { value } else { least[lane] };
        most[lane] = if value > most[lane] { value } else { most[lane] };
        sums[lane] += value * weight;
    };
    let (quads, rest) = values.as_chunks::<4>();
    let (weight_quads, weight_rest) = weights.as_chunks::<4>();
    for (value, weight) in quads.iter().zip(weight_quads) {
        (0..4).for_each(|lane| take(lane, value[lane], weight[lane]));
    }
    rest.iter().zip(weight_rest).for_each(|(value, weight)| take(0, *value, *weight));
    (
        least.into_iter().fold(f64::INFINITY, f64::min),
        most.into_iter().fold(f64::NEG_INFINITY, f64::max),
        sums.iter().sum(),
    )
}
