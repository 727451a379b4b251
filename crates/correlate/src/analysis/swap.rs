//! Swap that grows.

use super::{
    second::{SECOND, Second},
    spell::{Spell, Spells},
};
use crate::window::Micros;

/// Growth counts when it happens within one to two of these.
const MINUTE: Micros = 60 * SECOND;

/// Finds swap that grew by some amount within a minute.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    by: f64,
    /// The least value, and when it was last seen, of this minute and of the one before.
    low: [(f64, Micros); 2],
    until: Micros,
    /// The greatest value since it began to grow.
    high: f64,
    spells: Spells,
}

impl Growth {
    pub(crate) fn new(by: f64) -> Growth {
        Growth {
            by,
            low: [(f64::INFINITY, 0); 2],
            until: Micros::MIN / 2,
            high: f64::NEG_INFINITY,
            spells: Spells::new(2 * MINUTE, 0),
        }
    }

    pub(crate) fn second(&mut self, second: &Second) {
        let (swap, now) = (second.swap, second.to);
        if swap.is_nan() {
            return;
        }
        if now >= self.until {
            // After a pause the minute before is long ago.
            let old = now - self.until >= MINUTE;
            self.low = [if old { (f64::INFINITY, 0) } else { self.low[1] }, (f64::INFINITY, 0)];
            self.until = now + MINUTE;
        }
        if second.swap_low <= self.low[1].0 {
            self.low[1] = (second.swap_low, second.swap_low_at);
        }
        let (low, since) = if self.low[1].0 <= self.low[0].0 { self.low[1] } else { self.low[0] };
        if swap - low < self.by {
            self.high = f64::NEG_INFINITY;
        } else if swap > self.high {
            self.high = swap;
            self.spells.see(since, second.swap_at, SECOND, low, swap);
        }
    }

    pub(crate) fn all(&self) -> Vec<Spell> {
        self.spells.all()
    }
}
