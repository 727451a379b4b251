//! Taking samples in, and joining what they complete.

use super::*;

impl Join {
    /// Takes samples that were scanned. What can be joined once they are here comes before
    /// all of them.
    pub fn scanned(&mut self, part: &pipe::Samples<'_>) {
        self.note_input(part.input);
        let index = match &self.last_origin {
            Some((last, stream)) if Arc::ptr_eq(last, part.origin) => *stream,
            _ => {
                let stream = self.stream(&part.origin.run, &part.origin.host);
                self.last_origin = Some((Arc::clone(part.origin), stream));
                stream
            }
        };
        // Lines are joined once what they wait for is here, and before a sample that comes out
        // of order, whatever came with it.
        let shift = self.shift(part.input).all;
        let mut rest = Some(*part);
        while let Some(part) = rest {
            let count = in_order(part.rows);
            let is_before = |end| part.rows[..count].partition_point(|row| time(row, shift) < end);
            let count = match self.streams[index].awaited() {
                Some(end) => count.min(is_before(end) + 1),
                None => count,
            };
            let (some, later) = part.split(count);
            self.scanned_in_order(index, &some, shift);
            rest = later;
        }
    }

    fn scanned_in_order(&mut self, index: usize, part: &pipe::Samples<'_>, shift: Micros) {
        let stream = &mut self.streams[index];
        let rows = stream.scanned(part, shift);
        if let Some(analysis) = &mut self.analysis {
            let missed = part.rows.iter().fold(0u64, |sum, row| sum.saturating_add(row.missed));
            let mut columns = Columns::NONE;
            for (place, column) in columns.0.iter_mut().enumerate() {
                *column = stream.samples.column(place).get(rows.clone()).unwrap_or_default();
            }
            let times = &stream.samples.times()[rows];
            analysis.samples(index, times, missed, &columns);
        }
        self.after_sample(index, part.input);
    }

    pub(super) fn read_sample(&mut self, sample: &Sample, seq: Option<u64>, input: usize) {
        let index = self.stream(&sample.run, &sample.host);
        let ts = micros(sample.ts) + self.shift(input).all;
        let values = SERIES.iter().enumerate();
        let values = values.filter_map(|(place, series)| Some((place, (series.get)(sample)?)));
        self.streams[index].sample(ts, seq, values);
        if let Some(analysis) = &mut self.analysis {
            analysis.sample(index, ts, sample.missed.unwrap_or(0), &Values::of(sample));
        }
        self.after_sample(index, input);
    }

    fn after_sample(&mut self, index: usize, input: usize) {
        self.join_complete(index);
        // Tests of a later input may need any of them.
        if input + 1 >= self.inputs {
            let held = &self.held;
            let needed_from =
                || held.values().filter_map(|held| held.needs_from()).min().unwrap_or(Micros::MAX);
            self.streams[index].let_go(needed_from);
        }
    }
}

fn time(row: &Row, shift: Micros) -> Micros {
    micros(row.ts) + shift
}

/// How many of the first of `rows` follow one another in number and in time.
fn in_order(rows: &[Row]) -> usize {
    let follows =
        |pair: &[Row]| pair[1].seq.wrapping_sub(1) == pair[0].seq && pair[1].ts >= pair[0].ts;
    rows.windows(2).position(|pair| !follows(pair)).map_or(rows.len(), |last| last + 1)
}
