//! Quantiles of values that come one after the other: exact ones as long as there are
//! not too many, then from a histogram.

use hdrhistogram::Histogram;
use records::Unit;

use crate::fold::all_are;

/// Up to so many values are kept as they are.
const EXACT: usize = 10_000;
/// Significant digits of the histogram: half a part in a thousand, for its figures stand
/// in the middle of their buckets.
const DIGITS: u8 = 3;

/// The values of one series in one window.
#[derive(Clone, Debug)]
pub(crate) struct Quantiles {
    /// How many there are.
    count: usize,
    /// What all of them are, as long as they are the same: much of a machine stands still most
    /// of the time.
    same: f64,
    /// Each as its [`key`], once they differ.
    keys: Vec<i64>,
    /// Once there are many: in units of the last decimal that the series is written with.
    counted: Option<Box<Histogram<u32>>>,
}

impl Quantiles {
    /// Of no values.
    pub(crate) const NONE: Quantiles =
        Quantiles { count: 0, same: f64::NAN, keys: Vec::new(), counted: None };

    /// Forgets all of them, but not the room that they took.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.keys.clear();
        self.counted = None;
    }

    /// Takes `values`, none of which is NaN, of a series in `unit`.
    pub(crate) fn extend(&mut self, values: &[f64], unit: Unit) {
        let Some(first) = values.first() else {
            return;
        };
        if self.are_all(*first) && all_are(*first, values) {
            return self.extend_same(*first, values.len(), unit);
        }
        if let Some(histogram) = &mut self.counted {
            values.iter().for_each(|value| add(histogram, *value, unit));
        } else {
            if self.keys.is_empty() {
                self.keys.reserve(self.count + values.len());
                self.keys.resize(self.count, key(self.same));
            }
            self.keys.extend(values.iter().map(|value| key(*value)));
            if self.keys.len() > EXACT {
                self.counted = count(&self.keys, unit).map(Box::new);
            }
            if self.counted.is_some() {
                self.keys = Vec::new();
            }
        }
        self.count += values.len();
    }

    /// Takes `count` times the same value.
    pub(crate) fn extend_same(&mut self, value: f64, count: usize, unit: Unit) {
        if self.are_all(value) {
            self.same = value;
            self.count += count;
        } else {
            self.extend(&vec![value; count], unit);
        }
    }

    /// Whether no other value came so far.
    fn are_all(&self, value: f64) -> bool {
        self.count == 0 || (self.keys.is_empty() && self.counted.is_none() && self.same == value)
    }

    /// The quantile in the middle. None when there are no values.
    pub(crate) fn median(&mut self, unit: Unit) -> Option<f64> {
        if self.keys.is_empty() {
            return Some(self.pair(0.5, 0.5, unit)?.0);
        }
        Some(quantile_among(&mut self.keys, 0, 0.5))
    }

    /// Two quantiles, the lower one first. None when there are no values.
    pub(crate) fn pair(&mut self, low: f64, high: f64, unit: Unit) -> Option<(f64, f64)> {
        if let Some(histogram) = &self.counted {
            let at = |q| {
                let value = histogram.median_equivalent(histogram.value_at_quantile(q));
                value as f64 / scale(unit)
            };
            return Some((at(low), at(high)));
        }
        if self.keys.is_empty() {
            return (self.count > 0).then_some((self.same, self.same));
        }
        let below = quantile_among(&mut self.keys, 0, low);
        // That put what is higher behind it, where the higher quantile is.
        let known = place(self.keys.len(), low).0;
        Some((below, quantile_among(&mut self.keys, known, high)))
    }
}

fn scale(unit: Unit) -> f64 {
    10f64.powi(unit.decimals().into())
}

/// The histogram of the values with those keys. None when one is negative, which no
/// histogram counts.
fn count(keys: &[i64], unit: Unit) -> Option<Histogram<u32>> {
    let mut histogram = Histogram::new(DIGITS).ok()?;
    let values = || keys.iter().map(|key| value(*key));
    if values().any(|value| value < 0.0) {
        return None;
    }
    values().for_each(|value| add(&mut histogram, value, unit));
    Some(histogram)
}

fn add(histogram: &mut Histogram<u32>, value: f64, unit: Unit) {
    // Saturates: at 0 from below, and where 64 bits end.
    let value = (value * scale(unit)).round() as u64;
    // It grows as it must, up to those 64 bits.
    let _ = histogram.record(value);
}

/// The `q` quantile by linear interpolation between order statistics: type 7 of
/// Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), the default
/// of numpy and R. `values` are not empty, and none is NaN.
pub(crate) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut keys: Vec<i64> = values.iter().map(|value| key(*value)).collect();
    quantile_among(&mut keys, 0, q)
}

/// The same of the values with those keys, of which the first `known` are known to be the
/// lowest, and it does not lie among them. The order of the others changes.
fn quantile_among(keys: &mut [i64], known: usize, q: f64) -> f64 {
    let (below, part) = place(keys.len(), q);
    let (_, low, higher) = keys[known..].select_nth_unstable(below - known);
    let low = *low;
    // Nothing lies higher only where it is the last one itself.
    let high = value(least(higher).unwrap_or(low));
    let low = value(low);
    low + part * (high - low)
}

/// The least key: of four at a time, so that they need not wait for one another.
fn least(keys: &[i64]) -> Option<i64> {
    let (quads, rest) = keys.as_chunks::<4>();
    let lesser = |a: [i64; 4], b: &[i64; 4]| std::array::from_fn(|lane| a[lane].min(b[lane]));
    let least = quads.iter().fold([i64::MAX; 4], lesser);
    let all = quads.first().map(|_| least).into_iter().flatten();
    all.chain(rest.iter().copied()).min()
}

/// A whole number for each value, in the same order: they are far quicker to compare.
fn key(value: f64) -> i64 {
    flip(value.to_bits().cast_signed())
}

fn value(key: i64) -> f64 {
    f64::from_bits(flip(key).cast_unsigned())
}

/// Of a negative number all bits but the sign: the further from zero, the lower.
fn flip(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

/// The order statistic below the `q` quantile of `count` values, from 0, and how far it
/// is from there to the next.
fn place(count: usize, q: f64) -> (usize, f64) {
    let at = (count - 1) as f64 * q;
    // A place in a slice: not negative, small.
    let below = at as usize;
    (below, at - below as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::Unit;

    use super::{EXACT, Quantiles, quantile};

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        // numpy.quantile([1, 2, 3, 4], [0.5, 0.95]) = [2.5, 3.85]
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.5), 2.5);
        assert!((quantile(&values, 0.95) - 3.85).abs() < 1e-12);
        assert_eq!(quantile(&[7.0], 0.95), 7.0);
        assert_eq!(quantile(&[1.0, 9.0, 5.0], 0.5), 5.0);
        assert_eq!(quantile(&[-1.0, 9.0, -5.0, 0.0], 0.5), -0.5);
    }

    #[test]
    fn values_below_zero_are_kept_as_they_are() {
        let values: Vec<f64> = (0..=2 * EXACT).map(|n| n as f64 - 5000.0).collect();
        let mut quantiles = Quantiles::NONE;
        quantiles.extend(&values, Unit::Celsius);
        assert!(quantiles.counted.is_none());
        assert_eq!(quantiles.pair(0.5, 0.95, Unit::Celsius), Some((5000.0, 14000.0)));
        assert_eq!(Quantiles::NONE.clone().pair(0.5, 0.95, Unit::Gb), None);
    }

    #[test]
    fn values_that_are_all_the_same_take_no_room_until_one_differs() {
        let mut quantiles = Quantiles::NONE;
        quantiles.extend(&[], Unit::Gb);
        for _ in 0..3 {
            quantiles.extend(&[2.5; EXACT], Unit::Gb);
        }
        assert_eq!((quantiles.count, quantiles.keys.capacity()), (3 * EXACT, 0));
        assert_eq!(quantiles.pair(0.5, 0.95, Unit::Gb), Some((2.5, 2.5)));

        quantiles.clear();
        assert_eq!(quantiles.pair(0.5, 0.95, Unit::Gb), None);
        quantiles.extend(&[1.0, 1.0], Unit::Gb);
        quantiles.extend(&[1.0, 3.0, 3.0], Unit::Gb);
        assert_eq!(quantiles.pair(0.25, 0.5, Unit::Gb), Some((1.0, 1.0)));
        assert_eq!(quantiles.pair(0.0, 1.0, Unit::Gb), Some((1.0, 3.0)));
    }

    proptest! {
        #[test]
        fn a_pair_is_what_each_quantile_is_by_itself(
            values in prop::collection::vec((-25i32..25).prop_map(f64::from), 1..40),
            low in 0.0..1.0f64,
            high in 0.0..1.0f64,
        ) {
            let (low, high) = (low.min(high), low.max(high));
            let mut quantiles = Quantiles::NONE;
            quantiles.extend(&values, Unit::Gb);
            let alone = |q| quantile(&values, q);
            prop_assert_eq!(quantiles.pair(low, high, Unit::Gb), Some((alone(low), alone(high))));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

        #[test]
        fn many_values_give_the_order_statistic_within_a_thousandth(
            most in prop::sample::select(vec![10u64, 1000, 100_000, 512_000_000]),
            seed in 1u64..1_000_000,
            count in 10_001usize..12_000,
            pieces in 1usize..4,
        ) {
            // A cheap sequence that fills the range unevenly.
            let mut state = seed;
            let mut sorted: Vec<f64> = (0..count)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let unit = (state >> 33) as f64 / (1u64 << 31) as f64;
                    (unit * unit * most as f64).floor() / 1000.0
                })
                .collect();
            let mut quantiles = Quantiles::NONE;
            for part in sorted.chunks(count.div_ceil(pieces)) {
                quantiles.extend(part, Unit::Gb);
            }
            prop_assert!(quantiles.counted.is_some());
            sorted.sort_by(f64::total_cmp);
            let (p50, p95) = quantiles.pair(0.5, 0.95, Unit::Gb).unwrap();
            for (got, q) in [(p50, 0.5), (p95, 0.95)] {
                let at = (q * (count - 1) as f64) as usize;
                let near = sorted[at..=at + 1].iter().any(|value| (got - value).abs() <= 0.001 * value + 1e-9);
                prop_assert!(near, "{got} {:?}", &sorted[at..=at + 1]);
            }
        }
    }
}
