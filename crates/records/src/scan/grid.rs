//! The values of samples, series by series.

use std::ops::Range;

/// Samples whose values lie together: few enough that who goes through them series by
/// series finds them in a processor's first cache.
pub(super) const CHUNK: usize = 64;

/// The values of samples, one row for each. NaN, which JSON does not know, stands for a
/// value that a sample lacks.
///
/// Of 64 rows the values of one series lie behind one another, then those of the
/// next series, as far as any sample has them.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// The series that have a column: a bit for each place in [`crate::SERIES`].
    places: u64,
    /// How many these are.
    width: usize,
    rows: usize,
    /// Chunk after chunk.
    values: Vec<f64>,
}

/// Rows of a grid that lie together.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    places: u64,
    /// Those of the chunk.
    values: &'a [f64],
    /// Which rows of the chunk.
    rows: Range<usize>,
}

impl Grid {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Without rows, with its memory and its columns.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.values.clear();
    }

    /// The value of the series at `place` in that row.
    #[must_use]
    pub fn value(&self, place: usize, row: usize) -> f64 {
        let piece = self.pieces(row..row + 1).next();
        let column = piece.as_ref().and_then(|piece| piece.columns().find(|(at, _)| *at == place));
        column.and_then(|(_, values)| values.first().copied()).unwrap_or(f64::NAN)
    }

    /// The rows in pieces, in order.
    pub fn pieces(&self, rows: Range<usize>) -> impl Iterator<Item = Piece<'_>> {
        let mut from = rows.start;
        let end = rows.end.min(self.rows);
        std::iter::from_fn(move || {
            let (chunk, first) = (from / CHUNK, from % CHUNK);
            let count = end.saturating_sub(from).min(CHUNK - first);
            from += count;
            (count > 0).then(|| Piece {
                places: self.places,
                values: &self.values[chunk * CHUNK * self.width..][..CHUNK * self.width],
                rows: first..first + count,
            })
        })
    }

    pub(super) fn places(&self) -> u64 {
        self.places
    }

    /// Gives every series in `places` a column.
    pub(super) fn widen(&mut self, places: u64) {
        if places & !self.places == 0 {
            return;
        }
        let narrow = std::mem::take(self);
        self.places = narrow.places | places;
        self.width = ranks(self.places).count();
        for row in 0..narrow.rows {
            self.push(ranks(narrow.places).map(|(place, _)| (place, narrow.value(place, row))));
        }
    }

    /// Adds a row with those values, whose series have columns, at those places.
    pub(super) fn push(&mut self, values: impl Iterator<Item = (usize, f64)>) {
        let places = self.places;
        let next = self.next();
        for (place, value) in values {
            if let Some(slot) = next.get_mut(slot(places, place)) {
                *slot = value;
            }
        }
        self.keep();
    }

    /// Where the values of the next row go, each at its [`slot`]: NaN now.
    #[inline]
    pub(super) fn next(&mut self) -> &mut [f64] {
        let (chunk, row) = (self.rows / CHUNK, self.rows % CHUNK);
        let first = chunk * CHUNK * self.width + row;
        if first >= self.values.len() {
            self.values.resize((chunk + 1) * CHUNK * self.width, f64::NAN);
        }
        self.values.get_mut(first..).unwrap_or_default()
    }

    /// The next row is one.
    #[inline]
    pub(super) fn keep(&mut self) {
        self.rows += 1;
    }

    /// Takes back what was written to the next row, but for those series.
    pub(super) fn wipe_next(&mut self, but: u64) {
        let places = self.places;
        let next = self.next();
        for (_, slot) in ranks(places).filter(|(place, _)| but >> place & 1 == 0) {
            next[slot] = f64::NAN;
        }
    }
}

/// Where the value of the series at `place` goes in a row of a grid with those columns.
pub(super) fn slot(places: u64, place: usize) -> usize {
    CHUNK * (places & ((1 << place) - 1)).count_ones() as usize
}

/// The places in `places`, each with where its values begin.
fn ranks(places: u64) -> impl Iterator<Item = (usize, usize)> {
    let mut rest = places;
    let places = std::iter::from_fn(move || {
        // An index below 64, so it fits.
        let place = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
        rest &= rest - 1;
        Some(place)
    });
    places.zip((0..).step_by(CHUNK))
}

impl<'a> Piece<'a> {
    /// How many rows it has; one at least.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "none is empty")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The series that have a column, as places in [`crate::SERIES`], each with its values.
    pub fn columns(&self) -> impl Iterator<Item = (usize, &'a [f64])> + use<'a> {
        let (values, rows) = (self.values, self.rows.clone());
        ranks(self.places).map(move |(place, first)| (place, &values[first..][rows.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CHUNK, Grid};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

        #[test]
        fn each_row_keeps_its_values_whatever_columns_come(
            rows in prop::collection::vec(prop::collection::btree_map(0usize..60, 0.0..1.0f64, 0..3), 0..3 * CHUNK),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut grid = Grid::default();
            for row in &rows {
                grid.widen(row.keys().fold(0, |places, place| places | 1 << place));
                prop_assert!(grid.next().iter().step_by(CHUNK).all(|value| value.is_nan()));
                grid.push(row.iter().map(|(place, value)| (*place, *value)));
            }
            prop_assert_eq!(grid.len(), rows.len());
            let value = |place, row: usize| rows[row].get(&place).copied();
            let measured = |value: f64| Some(value).filter(|value| !value.is_nan());
            for row in 0..rows.len() {
                for place in 0..60 {
                    prop_assert_eq!(measured(grid.value(place, row)), value(place, row));
                }
            }
            let from = cut.index(rows.len() + 1);
            let mut at = from;
            for piece in grid.pieces(from..rows.len()) {
                for (place, values) in piece.columns() {
                    prop_assert_eq!(values.len(), piece.len());
                    for (row, found) in (at..).zip(values) {
                        prop_assert_eq!(measured(*found), value(place, row));
                    }
                }
                at += piece.len();
            }
            prop_assert_eq!(at, rows.len());
        }
    }

    #[test]
    fn what_is_taken_back_is_not_there() {
        let mut grid = Grid::default();
        grid.widen(0b111);
        grid.next()[..=2 * CHUNK].fill(1.5);
        grid.wipe_next(0b10);
        grid.keep();
        let row = [0, 1, 2].map(|place| grid.value(place, 0));
        assert!(row[0].is_nan() && row[1] == 1.5 && row[2].is_nan());
        grid.clear();
        assert!(grid.is_empty() && grid.next().iter().all(|slot| slot.is_nan()));
    }
}
