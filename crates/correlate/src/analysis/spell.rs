//! Stretches of time in which something held.

use crate::window::Micros;

/// Beyond this many spells, neighbours are joined: nobody reads more of one kind, and
/// what is kept must not grow with the samples.
const MOST: usize = 64;

/// A stretch of time in which something held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spell {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    /// How long it held: the stretch less the pauses in it.
    pub(crate) held: Micros,
    /// The least and the greatest value that it was seen by.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spell {
    /// Both as one.
    pub(crate) fn with(self, other: Spell) -> Spell {
        Spell {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            held: self.held + other.held,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// Gathers spells from pieces that come in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct Spells {
    done: Vec<Spell>,
    open: Option<Spell>,
    /// Pauses up to this do not end a spell.
    bridge: Micros,
    /// Spells that held for less are nothing.
    least: Micros,
}

impl Spells {
    pub(crate) fn new(bridge: Micros, least: Micros) -> Spells {
        Spells { done: Vec::new(), open: None, bridge, least }
    }

    /// It held from `from` to `to`. Pieces no further apart than `step` are one.
    pub(crate) fn see(&mut self, from: Micros, to: Micros, step: Micros, low: f64, high: f64) {
        let piece = Spell { from, to, held: to - from, low, high };
        match &mut self.open {
            Some(open) if from - open.to <= self.bridge.max(step) => {
                let pause = (from - open.to).max(0);
                *open = open.with(piece);
                open.held += if pause <= step { pause } else { 0 };
            }
            _ => {
                self.close();
                self.open = Some(piece);
            }
        }
    }

    fn close(&mut self) {
        self.done.extend(self.open.take().filter(|spell| spell.held >= self.least));
        while self.done.len() > MOST {
            self.bridge *= 2;
            let bridge = self.bridge;
            self.done.dedup_by(|later, first| {
                let near = later.from - first.to <= bridge;
                if near {
                    *first = first.with(*later);
                }
                near
            });
        }
    }

    /// All of them, in the order of time.
    pub(crate) fn all(&self) -> Vec<Spell> {
        let mut all = self.clone();
        all.close();
        all.done
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MOST, Spells};

    fn spells(pieces: &[(i64, i64)], bridge: i64, least: i64) -> Vec<(i64, i64, i64)> {
        let mut spells = Spells::new(bridge, least);
        for (from, to) in pieces {
            spells.see(*from, *to, 1, 0.0, *to as f64);
        }
        spells.all().iter().map(|spell| (spell.from, spell.to, spell.held)).collect()
    }

    #[test]
    fn pieces_that_touch_are_one_and_short_ones_are_none() {
        assert_eq!(spells(&[(0, 2), (3, 5), (9, 12), (30, 31)], 5, 3), [(0, 12, 8)]);
        assert_eq!(spells(&[(0, 2), (10, 14)], 5, 3), [(10, 14, 4)]);
        assert_eq!(spells(&[], 5, 0), []);
    }

    proptest! {
        #[test]
        fn however_many_there_are_few_are_kept_and_none_is_lost(
            steps in proptest::collection::vec((1i64..40, 1i64..20), 1..600)
        ) {
            let mut at = 0;
            let pieces: Vec<(i64, i64)> = steps
                .into_iter()
                .map(|(pause, length)| {
                    let from = at + pause;
                    at = from + length;
                    (from, at)
                })
                .collect();
            let found = spells(&pieces, 3, 0);
            prop_assert!(found.len() <= MOST + 1);
            for piece in &pieces {
                prop_assert!(found.iter().any(|f| f.0 <= piece.0 && piece.1 <= f.1));
            }
            prop_assert!(found.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
