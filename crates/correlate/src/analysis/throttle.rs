//! A processor that is busy all the time and gets slower.

use std::collections::VecDeque;

use super::{
    second::SECOND,
    spell::{Spell, Spells},
};
use crate::window::Micros;

/// From this use in percent on, a processor runs as fast as it can.
const FULL_LOAD_PCT: f64 = 90.0;
/// Seconds of full load that are averaged: shorter dips are not throttling.
const AVERAGED: usize = 10;
/// Full load that pauses for longer starts anew.
const PAUSE: Micros = 5 * SECOND;

/// Compares the frequency at full load with the best that it has been there.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    drop: f64,
    not_above_c: f64,
    recent: VecDeque<f64>,
    last: Micros,
    /// Since when each second was slow, by itself.
    slow_since: Option<Micros>,
    /// Up to when that was told.
    told_to: Micros,
    best: f64,
    spells: Spells,
}

impl Throttle {
    pub(crate) fn new(drop_pct: f64, not_above_c: f64) -> Throttle {
        Throttle {
            drop: drop_pct / 100.0,
            not_above_c,
            recent: VecDeque::with_capacity(AVERAGED),
            last: Micros::MIN / 2,
            slow_since: None,
            told_to: Micros::MIN / 2,
            best: f64::NEG_INFINITY,
            spells: Spells::new(3 * PAUSE, 0),
        }
    }

    /// A second with that use and frequency; `temp` is NaN where it is not measured.
    pub(crate) fn second(
        &mut self,
        from: Micros,
        to: Micros,
        use_pct: Option<f64>,
        mhz: Option<f64>,
        temp: f64,
    ) {
        let (Some(_), Some(mhz)) = (use_pct.filter(|pct| *pct >= FULL_LOAD_PCT), mhz) else {
            return;
        };
        if from - self.last > PAUSE {
            self.recent.clear();
            self.slow_since = None;
        }
        self.last = to;
        if self.recent.len() == AVERAGED {
            self.recent.pop_front();
        }
        self.recent.push_back(mhz);
        let limit = self.best * (1.0 - self.drop);
        self.slow_since = (mhz < limit).then(|| self.slow_since.unwrap_or(from));
        if self.recent.len() < AVERAGED {
            return;
        }
        let mean = self.recent.iter().sum::<f64>() / AVERAGED as f64;
        self.best = self.best.max(mean);
        let cool = temp <= self.not_above_c;
        // The mean says that it is no dip, some seconds late; the seconds say since when.
        if let Some(since) = self.slow_since.filter(|_| mean < limit && !cool) {
            self.spells.see(since.max(self.told_to), to, 2 * SECOND, mean, self.best);
            self.told_to = to;
        }
    }

    pub(crate) fn all(&self) -> Vec<Spell> {
        self.spells.all()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SECOND, Throttle};

    /// The spells, in whole seconds, of a processor at full load.
    fn spells(mhz: &[f64]) -> Vec<(i64, i64)> {
        let mut throttle = Throttle::new(15.0, 75.0);
        for (at, mhz) in (0i64..).zip(mhz) {
            let (from, to) = (at * SECOND, (at + 1) * SECOND - 1);
            throttle.second(from, to, Some(99.0), Some(*mhz), 90.0);
        }
        let whole = |micros: i64| (micros as f64 / SECOND as f64).round() as i64;
        throttle.all().iter().map(|spell| (whole(spell.from), whole(spell.to))).collect()
    }

    #[test]
    fn a_spell_is_the_time_that_was_slow() {
        let phases = [(30, 3000.0), (20, 2000.0), (30, 3000.0)];
        let mhz: Vec<f64> = phases.iter().flat_map(|(s, mhz)| vec![*mhz; *s]).collect();
        assert_eq!(spells(&mhz), [(30, 50)]);
        // Slow to the end, and only a little slower.
        assert_eq!(spells(&[vec![3000.0; 15], vec![2400.0; 12]].concat()), [(15, 27)]);
    }

    proptest! {
        #[test]
        fn dips_and_noise_are_no_spells(
            noise in prop::collection::vec(-0.1..0.1f64, 60), dip in 10usize..50, length in 1usize..4
        ) {
            let mut mhz: Vec<f64> = noise.iter().map(|noise| 3000.0 * (1.0 + noise * 0.3)).collect();
            mhz[dip..dip + length].fill(1800.0);
            prop_assert_eq!(spells(&mhz), []);
        }
    }
}
