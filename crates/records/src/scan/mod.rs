//! Samples read fast.
//!
//! A million samples are an everyday file, and nearly all of its lines look alike.
//! The [`Scanner`] remembers what the last lines looked like and reads the numbers of
//! the next one in place. A line that surprises is read in full; the outcome is the same.

mod decimal;
mod shape;

use std::sync::Arc;

use serde::de::IgnoredAny;

use shape::{Numbers, Shape};

use crate::{Kind, LineKind, Malformed, Origin, SERIES, Sample, Values, classify, parse};

/// Shapes that are remembered. A sampler has a handful: with and without what is slow to
/// read, late or not.
const SHAPES: usize = 16;

const _: () = assert!(SERIES.len() <= u64::BITS as usize, "`Row::present` has a bit for each");

/// A sample, as far as those need it who look at numbers only.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// When it was taken, in Unix seconds.
    pub ts: f64,
    /// Its number in its stream.
    pub seq: u64,
    /// Deadlines that passed unused before it.
    pub missed: u64,
    /// Whose it is: an index into [`Scanner::origins`].
    pub origin: usize,
    /// The series that it has: a bit for each place in [`SERIES`].
    pub present: u64,
    /// Where its values begin among those of all rows.
    first: usize,
}

impl Row {
    /// The places in [`SERIES`] of the series that it has.
    pub fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let mut rest = self.present;
        std::iter::from_fn(move || {
            // An index below 64, so it fits.
            let place = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(place)
        })
    }

    /// Its own values, and those after them, of those that the scanner gathered.
    #[must_use]
    pub fn own<'a>(&self, values: &'a [f64]) -> &'a [f64] {
        values.get(self.first..).unwrap_or_default()
    }

    /// The places in [`SERIES`] and the values of the series that it has. `values` are
    /// those that the scanner gathered.
    pub fn series<'a>(&self, values: &'a [f64]) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        self.places().zip(self.own(values).iter().copied())
    }

    /// The value of that rank among the series that it has.
    #[must_use]
    pub fn value(&self, rank: usize, values: &[f64]) -> f64 {
        values.get(self.first + rank).copied().unwrap_or(f64::NAN)
    }

    /// The values of all series.
    #[must_use]
    pub fn values(&self, values: &[f64]) -> Values {
        let mut all = Values::NONE;
        self.fill(values, &mut all);
        all
    }

    /// Writes the values of the series that it has over those in `all`.
    #[inline]
    pub fn fill(&self, values: &[f64], all: &mut Values) {
        for (place, value) in self.series(values) {
            all.0[place] = value;
        }
    }
}

/// What a line is.
#[derive(Debug)]
pub enum Scanned {
    /// A sample of ours.
    Sample(Row),
    /// Anything else; a sample of ours only where it could not be read as one.
    Other(LineKind, Option<Malformed>),
}

/// Tells lines apart as [`classify`] does, and reads samples.
#[derive(Default)]
pub struct Scanner {
    /// The one that fitted last comes first.
    shapes: Vec<Shape>,
    origins: Vec<Arc<Origin>>,
}

impl Scanner {
    /// What `line` is. If it is a sample, its values are added to `values`.
    pub fn scan(&mut self, line: &[u8], values: &mut Vec<f64>) -> Scanned {
        match self.scan_alike(line, values) {
            Some(row) => Scanned::Sample(row),
            None => self.read_in_full(line, values),
        }
    }

    /// Whose samples there were so far. Only ever grows.
    #[must_use]
    pub fn origins(&self) -> &[Arc<Origin>] {
        &self.origins
    }

    /// The sample in `line`, if it looks like one that came before.
    fn scan_alike(&mut self, line: &[u8], values: &mut Vec<f64>) -> Option<Row> {
        let first = values.len();
        values.resize(first + SERIES.len(), f64::NAN);
        let found = self.shapes.iter().enumerate().find_map(|(index, shape)| {
            let numbers = shape.read(line, &mut values[first..])?;
            let Shape { origin, present, .. } = *shape;
            let Numbers { ts, seq, missed } = numbers;
            Some((index, Row { ts, seq, missed, origin, present, first }))
        });
        let count = found.map_or(0, |(_, row)| row.present.count_ones() as usize);
        values.truncate(first + count);
        let (index, row) = found?;
        self.shapes[..=index].rotate_right(1);
        Some(row)
    }

    fn read_in_full(&mut self, line: &[u8], values: &mut Vec<f64>) -> Scanned {
        let kind = classify(line);
        if kind != LineKind::Ours(Kind::Sample) {
            return Scanned::Other(kind, None);
        }
        let sample = match parse::<Sample>(line) {
            Ok(sample) => sample,
            Err(why) => return Scanned::Other(kind, Some(why)),
        };
        let origin = self.origin(&sample);
        // NaN and the like are no JSON, and their lines no model for others.
        if serde_json::from_slice::<IgnoredAny>(line).is_ok()
            && let Some(shape) = Shape::of(line, origin)
        {
            self.shapes.insert(0, shape);
            self.shapes.truncate(SHAPES);
        }
        let first = values.len();
        let mut present = 0;
        for (place, series) in SERIES.iter().enumerate() {
            if let Some(value) = (series.get)(&sample) {
                present |= 1 << place;
                values.push(value);
            }
        }
        let Sample { ts, seq, missed, .. } = sample;
        Scanned::Sample(Row { ts, seq, missed: missed.unwrap_or(0), origin, present, first })
    }

    fn origin(&mut self, sample: &Sample) -> usize {
        let same = |origin: &Arc<Origin>| origin.run == sample.run && origin.host == sample.host;
        self.origins.iter().rposition(same).unwrap_or_else(|| {
            let origin = Origin { run: sample.run.clone(), host: sample.host.clone() };
            self.origins.push(Arc::new(origin));
            self.origins.len() - 1
        })
    }
}

#[cfg(test)]
mod tests;
