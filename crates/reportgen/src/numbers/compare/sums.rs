//! What tests took together, then and now: of those that came through both times.

use records::Test;

use super::{Comparison, Shift, judge::change_pct};
use crate::numbers::median;

/// The times of some tests that both runs have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// How many tests these are.
    pub tests: u64,
    /// Seconds then, of each test the median of its results.
    pub old_s: f64,
    /// Seconds now.
    pub new_s: f64,
}

impl Sum {
    /// The change in percent of then; none from nothing.
    #[must_use]
    pub fn pct(&self) -> Option<f64> {
        change_pct(self.old_s, self.new_s)
    }

    /// What is thought of it, when changes up to `noise_pct` percent are noise.
    #[must_use]
    pub fn shift(&self, noise_pct: f64) -> Shift {
        match self.pct() {
            Some(pct) if pct > noise_pct => Shift::Worse,
            Some(pct) if pct < -noise_pct => Shift::Better,
            _ => Shift::Noise,
        }
    }
}

impl Comparison<'_> {
    /// The times of those tests that `wanted` picks.
    #[must_use]
    pub fn sum(&self, wanted: impl Fn(&Test) -> bool) -> Option<Sum> {
        self.times(wanted).fold(None, |sum: Option<Sum>, (old, new)| {
            let Sum { tests, old_s, new_s } =
                sum.unwrap_or(Sum { tests: 0, old_s: 0.0, new_s: 0.0 });
            Some(Sum { tests: tests + 1, old_s: old_s + old, new_s: new_s + new })
        })
    }

    /// The median times of those tests that `wanted` picks.
    #[must_use]
    pub fn medians(&self, wanted: impl Fn(&Test) -> bool) -> Option<Sum> {
        let (old, new): (Vec<f64>, Vec<f64>) = self.times(wanted).unzip();
        let tests = old.len() as u64;
        Some(Sum { tests, old_s: median(old)?, new_s: median(new)? })
    }

    fn times(&self, wanted: impl Fn(&Test) -> bool) -> impl Iterator<Item = (f64, f64)> {
        let wanted = self.pairs.iter().filter(move |pair| wanted(pair.test()));
        wanted.filter_map(|pair| pair.time()).map(|change| (change.old, change.new))
    }
}
