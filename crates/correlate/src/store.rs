//! The samples of one sampler, kept for the join: a time and the values of the
//! series, column by column, and nothing else of the line.

use records::{SERIES, Sample};

use crate::window::{Micros, micros};

/// Samples in the order of time.
///
/// Values are `f64`: an `f32` would lose the third decimal of large ones. NaN,
/// which JSON does not know, stands for a value that a sample lacks; a series that
/// no sample has takes no room.
#[derive(Clone, Debug)]
pub struct Samples {
    times: Vec<Micros>,
    /// One for each of [`SERIES`]. Shorter than `times` where its end is missing.
    columns: Vec<Vec<f64>>,
    out_of_order: bool,
    /// The time of the last sample that was let go.
    let_go: Option<Micros>,
}

impl Default for Samples {
    fn default() -> Samples {
        let columns = vec![Vec::new(); SERIES.len()];
        Samples { times: Vec::new(), columns, out_of_order: false, let_go: None }
    }
}

impl Samples {
    /// Takes a sample. One that comes late finds its place in [`Samples::sort`].
    pub fn push(&mut self, sample: &Sample) {
        let values = SERIES.iter().enumerate();
        let values = values.filter_map(|(place, series)| Some((place, (series.get)(sample)?)));
        self.push_row(micros(sample.ts), values);
    }

    /// Takes every sample of `other`.
    pub(crate) fn extend(&mut self, other: &Samples) {
        for (row, &time) in other.times.iter().enumerate() {
            let values =
                (0..SERIES.len()).filter_map(|place| Some((place, other.value(place, row)?)));
            self.push_row(time, values);
        }
    }

    /// Takes a sample of the values at those places of [`SERIES`].
    pub(crate) fn push_row(&mut self, time: Micros, values: impl Iterator<Item = (usize, f64)>) {
        // Time running backwards is mended later, all at once.
        self.out_of_order |= self.times.last().is_some_and(|last| time <= *last);
        let row = self.times.len();
        self.times.push(time);
        for (place, value) in values {
            let column = &mut self.columns[place];
            if column.len() != row {
                column.resize(row, f64::NAN);
            }
            column.push(value);
        }
    }

    /// Takes samples that were scanned, at times that are `shift` later.
    pub(crate) fn push_rows(&mut self, part: &pipe::Samples<'_>, shift: Micros) {
        let mut known = self.times.len();
        for row in part.rows {
            let time = micros(row.ts) + shift;
            self.out_of_order |= self.times.last().is_some_and(|last| time <= *last);
            self.times.push(time);
        }
        for piece in part.pieces() {
            for (place, values) in piece.columns() {
                let column = &mut self.columns[place];
                // One that no sample had yet need not begin.
                if column.is_empty() && values.iter().all(|value| value.is_nan()) {
                    continue;
                }
                column.resize(known, f64::NAN);
                column.extend_from_slice(values);
            }
            known += piece.len();
        }
    }

    /// Brings the samples into the order of time, if they are not, and drops all but
    /// the first of those with one and the same time.
    pub fn sort(&mut self) {
        if !std::mem::take(&mut self.out_of_order) {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        // Stable, and fast on what are mostly a few ascending pieces.
        order.sort_by_key(|row| self.times[*row]);
        order.dedup_by(|later, first| self.times[*later] == self.times[*first]);
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            *column =
                order.iter().map(|row| column.get(*row).copied().unwrap_or(f64::NAN)).collect();
        }
        self.times = order.iter().map(|row| self.times[*row]).collect();
    }

    /// Lets the first `count` samples go.
    pub(crate) fn let_go(&mut self, count: usize) {
        let Some(last) = count.checked_sub(1).and_then(|last| self.times.get(last)) else {
            return;
        };
        self.let_go = Some(*last);
        self.times.drain(..count);
        for column in &mut self.columns {
            column.drain(..count.min(column.len()));
        }
    }

    /// Whether none was let go.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.let_go.is_none()
    }

    /// Whether every sample is here that a window beginning at `start` has to do with:
    /// those inside, the last one before, and what lies within `reach` before that.
    #[must_use]
    pub(crate) fn reach_back(&self, start: Micros, reach: Micros) -> bool {
        let Some(gone) = self.let_go else {
            return true;
        };
        let before = self.times.partition_point(|ts| *ts <= start).checked_sub(1);
        before.is_some_and(|before| gone < self.times[before] - reach)
    }

    /// The times in microseconds, ascending after [`Samples::sort`].
    #[must_use]
    pub(crate) fn times(&self) -> &[Micros] {
        &self.times
    }

    /// The value of the series at that place of [`SERIES`] in that sample, if it was measured.
    #[must_use]
    pub(crate) fn value(&self, series: usize, row: usize) -> Option<f64> {
        self.columns.get(series)?.get(row).copied().filter(|value| !value.is_nan())
    }

    /// The values of the series at that place of [`SERIES`]: NaN where a sample lacks it,
    /// and none for the last samples, if they do.
    #[must_use]
    pub(crate) fn column(&self, series: usize) -> &[f64] {
        &self.columns[series]
    }

    /// Whether any sample has the series.
    #[must_use]
    pub(crate) fn has(&self, series: usize) -> bool {
        self.columns.get(series).is_some_and(|column| !column.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use records::{Origin, SERIES, Sample};

    use super::Samples;

    fn place(name: &str) -> usize {
        SERIES.iter().position(|series| series.name == name).unwrap()
    }

    fn sample(ts: f64, load: Option<f64>) -> Sample {
        let mut sample = Sample::at(ts, &Origin::default());
        sample.load_1 = load;
        sample
    }

    #[test]
    fn late_samples_find_their_place_and_repeated_ones_go() {
        let mut samples = Samples::default();
        for (ts, load) in
            [(3.0, Some(0.3)), (1.0, Some(0.1)), (2.0, None), (3.0, Some(9.0)), (1.0, None)]
        {
            samples.push(&sample(ts, load));
        }
        samples.sort();
        assert_eq!(samples.times(), [1_000_000, 2_000_000, 3_000_000]);
        let load: Vec<_> = (0..3).map(|row| samples.value(place("load_1"), row)).collect();
        assert_eq!(load, [Some(0.1), None, Some(0.3)]);
        assert!(!samples.has(place("zombies")));
    }

    #[test]
    fn what_was_let_go_is_known_to_be_gone() {
        let mut samples = Samples::default();
        for ts in 0..5 {
            samples.push(&sample(f64::from(ts), (ts > 2).then_some(1.0)));
        }
        assert!(samples.reach_back(-1, 0));
        samples.let_go(0);
        samples.let_go(2);
        assert_eq!(samples.times(), [2_000_000, 3_000_000, 4_000_000]);
        assert_eq!(samples.value(place("load_1"), 0), None);
        assert_eq!(samples.value(place("load_1"), 1), Some(1.0));
        assert!(!samples.reach_back(1_999_999, 0) && samples.reach_back(2_000_000, 0));
        assert!(samples.reach_back(3_500_000, 1_999_999));
        assert!(!samples.reach_back(3_500_000, 2_000_000));
    }
}
