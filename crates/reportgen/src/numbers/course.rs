//! How a figure went from run to run.

use super::Consistency;

/// Figures of the same measurement, the earliest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// How many there are: at least two.
    pub n: usize,
    /// The first.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The greatest less the least, in percent of the mean; none where the mean is not above 0.
    pub spread_pct: Option<f64>,
    /// Whether each is greater than the one before.
    pub only_grew: bool,
}

/// How `values` went; nothing of less than two, or where one is not finite.
#[must_use]
pub fn course(values: &[f64]) -> Option<Course> {
    let (&first, &last) = (values.first()?, values.last()?);
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Course {
        n: values.len(),
        first,
        last,
        mean,
        spread_pct: (mean > 0.0).then(|| 100.0 * (most - least) / mean),
        only_grew: values.windows(2).all(|pair| pair[1] > pair[0]),
    })
}

impl Course {
    /// The last less the first.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.last - self.first
    }

    /// That in percent of the first; none where the first is not above 0.
    #[must_use]
    pub fn change_pct(&self) -> Option<f64> {
        (self.first > 0.0).then(|| 100.0 * self.change() / self.first)
    }

    /// What the spread is called.
    #[must_use]
    pub fn consistency(&self) -> Option<Consistency> {
        self.spread_pct.and_then(Consistency::of)
    }

    /// How memory went.
    #[must_use]
    pub fn drift(&self) -> Option<Drift> {
        let spread = self.spread_pct?;
        Some(match () {
            () if spread <= STABLE_PCT => Drift::Stable,
            () if self.n > 2 && self.only_grew => Drift::Grew,
            () => Drift::Varies,
        })
    }
}

/// Memory that differs by no more than this is called stable, in percent.
pub const STABLE_PCT: f64 = 1.0;

/// How memory went from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The spread is at most [`STABLE_PCT`].
    Stable,
    /// Of at least three runs, each took more than the one before.
    Grew,
    /// It differs without a direction, or there are but two runs.
    Varies,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Drift, course};
    use crate::numbers::Consistency;

    #[test]
    fn one_value_goes_nowhere() {
        assert_eq!(course(&[]), None);
        assert_eq!(course(&[1.0]), None);
        assert_eq!(course(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn the_published_second_run_is_as_steady_as_the_first() {
        let steady = course(&[2.36, 2.344_591_617_584_228_5]).unwrap();
        assert_eq!(steady.consistency(), Some(Consistency::Excellent));
        let load = course(&[6.46, 8.055_409_908_294_678]).unwrap();
        assert!((load.change() - 1.60).abs() < 0.005);
        assert!((load.change_pct().unwrap() - 24.697).abs() < 0.001);
        assert_eq!(load.consistency(), Some(Consistency::Unstable));
    }

    #[test]
    fn memory_drifts_only_where_it_grows_from_run_to_run() {
        let drift = |values: &[f64]| course(values).unwrap().drift();
        assert_eq!(drift(&[19.55, 19.55]), Some(Drift::Stable));
        assert_eq!(drift(&[19.0, 19.1, 19.19]), Some(Drift::Stable));
        assert_eq!(drift(&[19.0, 19.5, 20.0]), Some(Drift::Grew));
        assert_eq!(drift(&[19.0, 20.0]), Some(Drift::Varies));
        assert_eq!(drift(&[19.0, 20.0, 19.5]), Some(Drift::Varies));
        assert_eq!(drift(&[0.0, 0.0]), None);
    }

    proptest! {
        #[test]
        fn the_spread_is_the_greatest_difference_of_any_two(
            values in prop::collection::vec(1u32..10_000, 2..20),
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let found = course(&values).unwrap();
            let mut widest = 0.0f64;
            let (mut sum, mut grew) = (0.0, true);
            for (at, a) in values.iter().enumerate() {
                sum += a;
                for (b_at, b) in values.iter().enumerate() {
                    widest = widest.max(a - b);
                    grew &= at >= b_at || a < b;
                }
            }
            let spread = 100.0 * widest * values.len() as f64 / sum;
            prop_assert!((found.spread_pct.unwrap() - spread).abs() < 1e-6);
            prop_assert_eq!(found.only_grew, grew);
            prop_assert!((found.first + found.change() - found.last).abs() < 1e-9);
        }
    }
}
