//! Times of memory pressure, as bands.

use crate::columns::Columns;
use crate::rows::PRESSURE;

/// How many bands a page may hold: shapes are dear to draw.
const MOST: usize = 100;

/// How hard memory was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pressure {
    Warn,
    Critical,
}

/// A time of pressure, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub(crate) pressure: Pressure,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

/// The bands of a recording, and how many times of pressure they stand for.
pub(crate) struct Bands {
    pub(crate) bands: Vec<Band>,
    pub(crate) times: usize,
}

/// Runs of samples under pressure. A level holds until the next sample, and at least
/// for one `interval` (seconds). Where there are too many, near ones are drawn as one.
pub(crate) fn bands(columns: &Columns, interval: f64) -> Bands {
    let runs = runs(&columns.times, columns.get(PRESSURE).unwrap_or_default(), interval);
    let times = runs.len();
    let mut bands = runs.clone();
    let mut reach = interval;
    while bands.len() > MOST && reach.is_finite() {
        bands = joined(&runs, reach);
        reach *= 2.0;
    }
    Bands { bands, times }
}

fn runs(times: &[f64], levels: &[f32], interval: f64) -> Vec<Band> {
    let mut runs: Vec<Band> = Vec::new();
    let mut open = false;
    for (i, level) in levels.iter().enumerate() {
        let pressure = match *level {
            level if level >= 4.0 => Some(Pressure::Critical),
            level if level >= 2.0 => Some(Pressure::Warn),
            _ => None,
        };
        let start = times[i];
        // Across a gap in the samples nobody knows the level.
        let next = times.get(i + 1).copied().unwrap_or(start);
        let end = next.clamp(start + interval, start + 3.0 * interval);
        match (pressure, runs.last_mut()) {
            (Some(pressure), Some(run)) if open && run.pressure == pressure && start <= run.end => {
                run.end = end;
            }
            (Some(pressure), _) => runs.push(Band { pressure, start, end }),
            (None, _) => {}
        }
        open = pressure.is_some();
    }
    runs
}

/// `runs` with those of one kind drawn together that are at most `reach` apart.
fn joined(runs: &[Band], reach: f64) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for pressure in [Pressure::Warn, Pressure::Critical] {
        for run in runs.iter().filter(|run| run.pressure == pressure) {
            match bands.last_mut() {
                Some(band) if band.pressure == pressure && run.start - band.end <= reach => {
                    band.end = run.end;
                }
                _ => bands.push(*run),
            }
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use records::{Origin, Sample};

    use super::{Band, Pressure, bands};
    use crate::columns::Columns;

    fn columns(levels: impl IntoIterator<Item = (f64, u8)>) -> Columns {
        let mut columns = Columns::of(|_| true);
        for (ts, level) in levels {
            let mut sample = Sample::at(ts, &Origin::default());
            sample.memory_pressure = Some(level);
            columns.push(&sample);
        }
        columns
    }

    #[test]
    fn runs_are_merged_and_one_sample_has_a_width() {
        let levels = [(0.0, 1), (1.0, 2), (2.0, 2), (3.0, 4), (4.0, 1), (5.0, 2)];
        let found = bands(&columns(levels), 1.0);
        let band = |pressure, start, end| Band { pressure, start, end };
        let want = [
            band(Pressure::Warn, 1.0, 3.0),
            band(Pressure::Critical, 3.0, 4.0),
            band(Pressure::Warn, 5.0, 6.0),
        ];
        assert_eq!((found.bands, found.times), (want.to_vec(), 3));
    }

    #[test]
    fn a_band_does_not_reach_across_a_gap_in_the_samples() {
        let found = bands(&columns([(0.0, 2), (100.0, 2), (101.0, 1)]), 1.0);
        assert_eq!(found.bands.len(), 2);
        assert_eq!(found.bands[0].end, 3.0);
    }

    #[test]
    fn flickering_makes_no_thousand_shapes() {
        let found = bands(&columns((0..5000u16).map(|i| (f64::from(i), 1 + (i % 2) as u8))), 1.0);
        assert_eq!(found.times, 2500);
        assert!(found.bands.len() <= 100);
        assert_eq!(found.bands.last().unwrap().end, 5000.0);
    }
}
