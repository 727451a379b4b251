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
        }
        self.last = to;
        if self.recent.len() == AVERAGED {
            self.recent.pop_front();
        }
        self.recent.push_back(mhz);
        if self.recent.len() < AVERAGED {
            return;
        }
        let mean = self.recent.iter().sum::<f64>() / AVERAGED as f64;
        self.best = self.best.max(mean);
        let cool = temp <= self.not_above_c;
        if mean < self.best * (1.0 - self.drop) && !cool {
            self.spells.see(from, to, 2 * SECOND, mean, self.best);
        }
    }

    pub(crate) fn all(&self) -> Vec<Spell> {
        self.spells.all()
    }
}
