//! Samples read fast.
//!
//! A million samples are an everyday file, and nearly all of its lines look alike.
//! The [`Scanner`] remembers what the last lines looked like and reads the numbers of
//! the next one in place. A line that surprises is read in full; the outcome is the same.

mod decimal;
mod grid;
mod shape;

use std::sync::Arc;

use serde::de::IgnoredAny;

use shape::{Numbers, Reading, Shape};

pub use grid::{Grid, Piece};

use crate::{Kind, LineKind, Malformed, Origin, SERIES, Sample, classify, parse};

/// Shapes that are remembered. A sampler has a handful: with and without what is slow to
/// read, late or not.
const SHAPES: usize = 16;

const _: () = assert!(SERIES.len() <= u64::BITS as usize, "a `Grid` has a bit for each");

/// A sample, as far as those need it who look at numbers only; its values are in a [`Grid`].
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
    /// The series that any of them had: a bit for each place in [`SERIES`].
    places: u64,
    origins: Vec<Arc<Origin>>,
}

impl Scanner {
    /// What `line` is. If it is a sample, `grid` has a row more.
    pub fn scan(&mut self, line: &[u8], grid: &mut Grid) -> Scanned {
        self.agree_on_columns(grid);
        match self.scan_alike(line, grid) {
            Some(row) => Scanned::Sample(row),
            None => self.read_in_full(line, grid),
        }
    }

    /// Whose samples there were so far. Only ever grows.
    #[must_use]
    pub fn origins(&self) -> &[Arc<Origin>] {
        &self.origins
    }

    /// A grid may come from a scanner that knows other series.
    fn agree_on_columns(&mut self, grid: &mut Grid) {
        if grid.places() == self.places {
            return;
        }
        grid.widen(self.places);
        self.places = grid.places();
        self.shapes.iter_mut().for_each(|shape| shape.write_to(self.places));
    }

    /// The sample in `line`, if it looks like one that came before.
    fn scan_alike(&mut self, line: &[u8], grid: &mut Grid) -> Option<Row> {
        let next = grid.next();
        let none = Reading::none_of(line);
        // The shape that it was like longest, and how far.
        let mut nearest: Option<(&Shape, Reading<'_>)> = None;
        let found = self.shapes.iter().enumerate().find_map(|(index, shape)| {
            // Where that one and this begin in the same way, it was read that far.
            let same = nearest.filter(|(nearest, read)| shape.begins_as(nearest, read));
            match shape.read(same.map_or(none, |(_, read)| read), next) {
                Ok(numbers) => Some((index, numbers)),
                Err(read) => {
                    if nearest.is_none_or(|(_, known)| known.count < read.count) {
                        nearest = Some((shape, read));
                    }
                    None
                }
            }
        });
        let Some((index, Numbers { ts, seq, missed })) = found else {
            grid.wipe_next(0);
            return None;
        };
        let Shape { origin, present, .. } = self.shapes[index];
        if index > 0 {
            // Those before it read on until the line surprised them.
            grid.wipe_next(present);
            self.shapes[..=index].rotate_right(1);
        }
        grid.keep();
        Some(Row { ts, seq, missed, origin })
    }

    fn read_in_full(&mut self, line: &[u8], grid: &mut Grid) -> Scanned {
        let kind = classify(line);
        if kind != LineKind::Ours(Kind::Sample) {
            return Scanned::Other(kind, None);
        }
        let sample = match parse::<Sample>(line) {
            Ok(sample) => sample,
            Err(why) => return Scanned::Other(kind, Some(why)),
        };
        let origin = self.origin(&sample);
        let values = SERIES.iter().enumerate();
        let values = values.filter_map(|(place, series)| Some((place, (series.get)(&sample)?)));
        grid.widen(values.clone().fold(0, |places, (place, _)| places | 1 << place));
        self.agree_on_columns(grid);
        grid.push(values);
        // NaN and the like are no JSON, and their lines no model for others.
        if serde_json::from_slice::<IgnoredAny>(line).is_ok()
            && let Some(mut shape) = Shape::of(line, origin)
        {
            grid.widen(shape.present);
            self.agree_on_columns(grid);
            shape.write_to(self.places);
            self.shapes.insert(0, shape);
            self.shapes.truncate(SHAPES);
        }
        let Sample { ts, seq, missed, .. } = sample;
        Scanned::Sample(Row { ts, seq, missed: missed.unwrap_or(0), origin })
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
