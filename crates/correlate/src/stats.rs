//! What samples say about a window. Pure: no lines, no input or output.

use records::{Hold, Resources, SERIES, Series, SeriesStats, round};

use crate::{
    Samples, Window,
    figures::{BY_NAME, Figures, decimals},
    fold::{Fold, Folded, GAP, are_joined},
    quantiles::{Quantiles, quantile},
    window::{Micros, micros, seconds},
};

/// How many spacings on each side of a window tell the interval of a sampler that
/// did not say it.
const AROUND: usize = 16;

/// What `samples`, which are sorted, say about `window`. `nominal` is the interval
/// in seconds that the sampler was asked for; without it, it is the median of the
/// spacings around the window. None when there is no sample at all.
#[must_use]
pub fn resources(samples: &Samples, window: Window, nominal: Option<f64>) -> Option<Resources> {
    figures(&mut Fold::default(), samples, window, nominal).map(Resources::from)
}

/// The same as it is worked with. `fold` is one that is no longer needed.
#[must_use]
pub(crate) fn figures(
    fold: &mut Fold,
    samples: &Samples,
    window: Window,
    nominal: Option<f64>,
) -> Option<Figures> {
    let interval = nominal.map(micros).or_else(|| spacing_around(samples, window));
    // A single sample has no interval: it holds for no time.
    fold.begin(samples, window, interval.unwrap_or(0));
    finish(fold, samples, window)
}

/// What a window comes to that was taken in up to some sample, and has ended now. None
/// when there is no sample at all.
#[must_use]
pub(crate) fn finish(fold: &mut Fold, samples: &Samples, window: Window) -> Option<Figures> {
    let times = samples.times();
    if times.is_empty() {
        return None;
    }
    fold.take(samples, fold.rest(samples));
    let end = times.partition_point(|ts| *ts < window.end);
    let after = (end < times.len()).then_some(end);
    fold.take_after(samples, after);
    let around = (fold.samples == 0).then(|| Around::new(times, window, fold.interval, after));
    let looked_at = around.as_ref().map_or(vec![], |around| around.looked_at(times));
    let measured = (0..SERIES.len()).filter(|place| samples.has(*place)).count();
    let mut series = Vec::with_capacity(measured);
    for place in BY_NAME {
        let table = &SERIES[place];
        let folded = &mut fold.series[place];
        if folded.is_empty() && looked_at.is_empty() {
            continue;
        }
        for row in &looked_at {
            samples.value(place, *row).into_iter().for_each(|value| folded.look_at(value, table));
        }
        let after = after.and_then(|row| Some((times[row], samples.value(place, row)?)));
        if let Some(stats) = stats(folded, after, table) {
            series.push((place, stats));
        }
    }
    let is_moment = window.length() == 0;
    Some(Figures {
        samples: fold.samples,
        coverage: if is_moment {
            f64::from(around.is_some_and(|around| around.covers_moment(times)))
        } else {
            round(fold.covered as f64 / window.length() as f64, 4)
        },
        interval_s: median_spacing(&mut fold.spacings),
        bracketed: !looked_at.is_empty(),
        series,
    })
}

/// The figures of one series; `after` is its value in the first sample behind the window.
fn stats(
    folded: &mut Folded,
    after: Option<(Micros, f64)>,
    series: &Series,
) -> Option<SeriesStats> {
    let decimals = decimals(series.unit);
    // Adding 0 turns a -0 that came of rounding into 0.
    let tidy = |value: f64| round(value, decimals) + 0.0;
    if folded.is_empty() {
        return None;
    }
    let delta = match (series.hold, folded.earlier, after.or(folded.later)) {
        // A value less itself is no change that was measured.
        (Hold::Gauge, Some((from_ts, from)), Some((to_ts, to))) if from_ts < to_ts => {
            Some(to - from)
        }
        _ => None,
    };
    let (mean, delta) = (folded.mean.get().map(tidy), delta.map(tidy));
    let min = tidy(folded.min);
    if folded.min == folded.max {
        return Some(SeriesStats { min, mean, p50: min, p95: min, max: min, delta });
    }
    let (p50, p95) = folded.quantiles.pair(0.50, 0.95, series.unit)?;
    // A bucket of the histogram may reach beyond the extremes.
    let inside = |value: f64| tidy(value.clamp(folded.min, folded.max));
    let max = tidy(folded.max);
    Some(SeriesStats { min, mean, p50: inside(p50), p95: inside(p95), max, delta })
}

/// The samples next to a window that no sample falls into.
struct Around {
    window: Window,
    interval: Micros,
    /// The last sample at or before the start.
    before: Option<usize>,
    /// The first sample at or after the end.
    after: Option<usize>,
}

impl Around {
    fn new(times: &[Micros], window: Window, interval: Micros, after: Option<usize>) -> Around {
        let before = times.partition_point(|ts| *ts <= window.start).checked_sub(1);
        Around { window, interval, before, after }
    }

    /// The samples whose values count for its extremes and quantiles: the two around it. Where
    /// there is one on one side only, the window lies outside of what was sampled, and it counts
    /// only when it is near.
    fn looked_at(&self, times: &[Micros]) -> Vec<usize> {
        let near = GAP * self.interval;
        match (self.before, self.after) {
            (Some(before), Some(after)) if before < after => vec![before, after],
            (Some(same), Some(_)) => vec![same],
            (Some(before), None) if self.window.start - times[before] <= near => vec![before],
            (None, Some(after)) if times[after] - self.window.end <= near => vec![after],
            _ => vec![],
        }
    }

    /// Whether a window of no length lies in the time for which a sample speaks.
    fn covers_moment(&self, times: &[Micros]) -> bool {
        self.before.is_some_and(|before| {
            let end = times.get(before + 1).copied().unwrap_or(Micros::MAX);
            let joined = are_joined(end.saturating_sub(times[before]), self.interval);
            self.window.start < if joined { end } else { times[before] + self.interval }
        })
    }
}

impl Folded {
    /// Whether there was no value inside.
    fn is_empty(&self) -> bool {
        self.min > self.max
    }

    /// Counts `value` as if it were inside.
    fn look_at(&mut self, value: f64, series: &Series) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.quantiles.extend(&[value], series.unit);
    }
}

/// The median of the spacings, in seconds.
fn median_spacing(spacings: &mut Quantiles) -> Option<f64> {
    let median = spacings.median(records::Unit::Count)?;
    // Between two whole numbers at most: a whole one again, or half of one.
    Some(round(seconds(median.round() as Micros), 4))
}

/// The median of the spacings inside of `window` and next to it.
fn spacing_around(samples: &Samples, window: Window) -> Option<Micros> {
    let times = samples.times();
    let first = times.partition_point(|ts| *ts < window.start);
    let end = times.partition_point(|ts| *ts < window.end);
    let around = &times[first.saturating_sub(AROUND + 1)..(end + AROUND + 1).min(times.len())];
    let spacings: Vec<f64> = around.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    (!spacings.is_empty()).then(|| quantile(&spacings, 0.5).round() as Micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::{Origin, Resources, Sample};

    use super::{finish, resources};
    use crate::{
        Samples, Window,
        fold::{Fold, reach},
        window::micros,
    };

    const INTERVAL: f64 = 0.2;

    /// Spacings in hundredths of a second; a gauge, a slow gauge, a rate, and a gauge that
    /// stands still.
    type Row = (i64, [Option<f64>; 4]);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let step = prop_oneof![9 => 15i64..26, 1 => 30i64..500];
        let value = |p| prop::option::weighted(p, (0u32..100).prop_map(f64::from));
        let still = prop::option::weighted(0.97, Just(7.5));
        let values = (value(0.95), value(0.2), value(0.8), still);
        let values = values.prop_map(|(a, b, c, d)| [a, b, c, d]);
        prop::collection::vec((step, values), 2..80)
    }

    fn sample(ts: f64, values: [Option<f64>; 4]) -> Sample {
        let mut sample = Sample::at(ts, &Origin::default());
        [sample.ram_free_gb, sample.tree_pss_gb, sample.cpu_user, sample.load_1] = values;
        sample
    }

    /// Sums in another order may round to the neighbouring last decimal.
    fn alike(a: &Resources, b: &Resources) -> bool {
        let value = |r: &Resources| serde_json::to_value(r).unwrap();
        let near = |a: &serde_json::Value, b: &serde_json::Value| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 0.011,
            _ => a == b,
        };
        let (a, b) = (value(a), value(b));
        let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
        a.len() == b.len()
            && a.iter().all(|(key, value)| match (value.as_object(), b[key].as_object()) {
                (Some(x), Some(y)) => x.len() == y.len() && x.iter().all(|(k, v)| near(v, &y[k])),
                _ => near(value, &b[key]),
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_window_taken_in_piece_by_piece_comes_to_the_same_as_at_once(
            rows in rows(),
            start in -50i64..1500,
            length in 0i64..3000,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut at = 0;
            let mut all = Samples::default();
            for (step, values) in &rows {
                at += step;
                all.push(&sample(at as f64 / 100.0, *values));
            }
            let time = |at: i64| at as f64 / 100.0;
            let window = Window::new(time(start), Some(time(start + length)), None).unwrap();
            let want = resources(&all, window, Some(INTERVAL)).unwrap();

            // Samples go as they were taken in, but for those that are still looked at.
            let interval = micros(INTERVAL);
            let mut kept = all.clone();
            let mut fold = Fold::open(&kept, window.start, interval);
            // What is let go lies far back: the last samples of a window are always here.
            let end = kept.times().partition_point(|ts| *ts < window.end).saturating_sub(1);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(end + 1)).collect();
            cuts.sort_unstable();
            let mut gone = 0;
            for cut in cuts {
                let rest = fold.rest(&kept);
                fold.take(&kept, rest.start..rest.end.min(cut - gone));
                let taken = kept.times().partition_point(|ts| *ts <= fold.taken_to()).min(cut - gone);
                // The last one, which the next window may look at, and what reaches it.
                let oldest = taken.checked_sub(1).map_or(i64::MIN, |t| kept.times()[t] - reach(interval));
                let count = kept.times()[..taken.saturating_sub(1)].partition_point(|ts| *ts < oldest);
                kept.let_go(count);
                gone += count;
            }
            prop_assume!(fold.end(window.end));
            let got = finish(&mut fold, &kept, window).unwrap().into();
            prop_assert!(alike(&got, &want), "{got:?}\n{want:?}");
        }
    }
}
