//! Whether a change is one, or noise.

use super::rank::{least_p, p_value};
use crate::numbers::{Better, median};

/// The chance below which a difference counts as one.
pub const ALPHA: f64 = 0.05;

/// What is thought of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Beyond the noise, to the better.
    Better,
    /// Beyond the noise, to the worse.
    Worse,
    /// Not to be told from noise.
    Noise,
}

/// How much a quantity changed from some values to others.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The median of the old values.
    pub old: f64,
    /// The median of the new values.
    pub new: f64,
    /// How many values there are of each.
    pub n: (usize, usize),
    /// The chance of such a difference among values that do not differ, where there are
    /// enough of them that it could be below [`ALPHA`].
    pub p: Option<f64>,
    /// What is thought of it.
    pub shift: Shift,
}

impl Change {
    /// From `old` to `new`, in percent of the old; none from nothing.
    #[must_use]
    pub fn pct(&self) -> Option<f64> {
        change_pct(self.old, self.new)
    }

    /// By how many percent it became worse, beyond the noise: of a time by how much it grew,
    /// of a speed by how much it fell.
    #[must_use]
    pub fn worse_by_pct(&self) -> Option<f64> {
        (self.shift == Shift::Worse).then(|| self.pct().map(f64::abs))?
    }
}

/// How a quantity changed from `old` to `new`; none where one of them is empty.
///
/// With enough values of both the Mann–Whitney test decides, at 5 %. With fewer it is beyond
/// the noise when the medians differ by more than `noise_pct` and no value of the one lies
/// among those of the other.
#[must_use]
pub fn judge(old: &[f64], new: &[f64], better: Better, noise_pct: f64) -> Option<Change> {
    let (was, is) = (median(old.to_vec())?, median(new.to_vec())?);
    let tested = least_p(old.len(), new.len()) <= ALPHA;
    let p = tested.then(|| p_value(old, new));
    let moved = 100.0 * (is - was).abs() > noise_pct * was.abs();
    let beyond = p.map_or_else(|| moved && apart(old, new), |p| p <= ALPHA);
    let shift = match (beyond && is != was, (is > was) == (better == Better::More)) {
        (false, _) => Shift::Noise,
        (true, true) => Shift::Better,
        (true, false) => Shift::Worse,
    };
    Some(Change { old: was, new: is, n: (old.len(), new.len()), p, shift })
}

/// From `old` to `new`, in percent of the old; none from nothing.
pub(super) fn change_pct(old: f64, new: f64) -> Option<f64> {
    let pct = 100.0 * (new - old) / old;
    pct.is_finite().then_some(pct)
}

/// Whether all values of one lie on one side of all of the other.
fn apart(a: &[f64], b: &[f64]) -> bool {
    let most = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
    most(a) < least(b) || most(b) < least(a)
}

#[cfg(test)]
mod tests {
    use super::{Shift, judge};
    use crate::numbers::Better;

    fn shift(old: &[f64], new: &[f64], better: Better) -> Shift {
        judge(old, new, better, 5.0).unwrap().shift
    }

    #[test]
    fn a_single_value_is_beyond_the_noise_only_past_the_threshold() {
        assert_eq!(shift(&[10.0], &[10.4], Better::Less), Shift::Noise);
        assert_eq!(shift(&[10.0], &[10.6], Better::Less), Shift::Worse);
        assert_eq!(shift(&[10.0], &[10.6], Better::More), Shift::Better);
        assert_eq!(shift(&[10.0], &[9.4], Better::More), Shift::Worse);
        assert_eq!(shift(&[0.0], &[0.0], Better::Less), Shift::Noise);
        assert_eq!(judge(&[], &[1.0], Better::Less, 5.0), None);
    }

    #[test]
    fn few_values_that_overlap_are_noise_however_far_their_medians_are() {
        assert_eq!(shift(&[10.0, 20.0, 30.0], &[29.0, 40.0, 50.0], Better::Less), Shift::Noise);
        assert_eq!(shift(&[10.0, 11.0, 12.0], &[20.0, 21.0, 22.0], Better::Less), Shift::Worse);
    }

    #[test]
    fn with_enough_values_the_test_decides_and_small_changes_count() {
        let old = [10.00, 10.01, 10.02, 10.03, 10.04];
        let change = judge(&old, &old.map(|x| x + 0.1), Better::Less, 5.0).unwrap();
        assert_eq!(change.shift, Shift::Worse);
        assert!(change.p.is_some_and(|p| p < 0.01) && change.pct().is_some_and(|p| p < 2.0));
        let noisy = [8.0, 14.0, 9.0, 13.0, 10.0];
        assert_eq!(shift(&noisy, &noisy.map(|x| x + 0.9), Better::Less), Shift::Noise);
    }
}
