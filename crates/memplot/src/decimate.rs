//! Fewer points, the same picture: M4.
//!
//! Of the points in each bin of time the first, the least, the greatest and the last
//! are kept. Drawn as a line these give the same pixels as all points do, as long as
//! a bin is no wider than a pixel (Jugel et al., "M4: A Visualization-Oriented Time
//! Series Data Aggregation", VLDB 2014); and every peak keeps its exact value.

use crate::columns::median_interval;

/// Bins of time per curve: about the pixels of a wide screen.
const BINS: usize = 2000;

/// A curve breaks where this many intervals passed without a value.
const GAP: f64 = 3.0;

/// A curve as it is drawn.
pub(crate) struct Curve {
    /// Indices of samples; `None` is a break.
    pub(crate) points: Vec<Option<usize>>,
    /// How many samples have a value.
    pub(crate) measured: usize,
    /// How many of them are drawn.
    pub(crate) drawn: usize,
}

/// The points of `values` to draw, with a break at each gap.
pub(crate) fn curve(times: &[f64], values: &[f32]) -> Curve {
    let measured: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
    let kept = keep(times, values, &measured, BINS);
    let interval = median_interval(measured.iter().map(|i| times[*i]));
    let limit = interval.map_or(f64::INFINITY, |interval| GAP * interval);

    let mut points = Vec::with_capacity(kept.len());
    let mut before: Option<usize> = None;
    for &rank in &kept {
        // Only neighbours can have a gap between them: of others, points in between
        // were left out.
        let gap = before.is_some_and(|before| {
            rank == before + 1 && times[measured[rank]] - times[measured[before]] > limit
        });
        if gap {
            points.push(None);
        }
        points.push(Some(measured[rank]));
        before = Some(rank);
    }
    Curve { points, measured: measured.len(), drawn: kept.len() }
}

/// Which of `indices` to draw (ranks, ascending): all when they are few, else the
/// first, least, greatest and last of each of `bins` bins of equal time.
///
/// `times` ascend; `indices` name the values that are numbers.
fn keep(times: &[f64], values: &[f32], indices: &[usize], bins: usize) -> Vec<usize> {
    if indices.len() <= 4 * bins {
        return (0..indices.len()).collect();
    }
    let (first, last) = (times[indices[0]], times[indices[indices.len() - 1]]);
    let width = (last - first) / bins as f64;
    // Not negative, and at most `bins`: the cast cuts the fraction off, as it should.
    let bin = |rank: usize| (((times[indices[rank]] - first) / width) as usize).min(bins - 1);

    let mut kept = Vec::with_capacity(4 * bins);
    let mut start = 0;
    while start < indices.len() {
        let this = bin(start);
        let (mut least, mut greatest, mut end) = (start, start, start);
        while end < indices.len() && bin(end) == this {
            if values[indices[end]] < values[indices[least]] {
                least = end;
            }
            if values[indices[end]] > values[indices[greatest]] {
                greatest = end;
            }
            end += 1;
        }
        let mut four = [start, least, greatest, end - 1];
        four.sort_unstable();
        for rank in four {
            if kept.last() != Some(&rank) {
                kept.push(rank);
            }
        }
        start = end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{curve, keep};

    #[test]
    fn a_line_breaks_where_more_than_three_intervals_are_missing() {
        let times = [0.0, 1.0, 2.0, 5.0, 6.0, 9.5, 10.0];
        let curve = curve(&times, &[1.0; 7]);
        let breaks: Vec<usize> =
            (0..curve.points.len()).filter(|i| curve.points[*i].is_none()).collect();
        assert_eq!(breaks, [5], "after 6.0, not after 2.0: {:?}", curve.points);
        assert_eq!((curve.measured, curve.drawn), (7, 7));
    }

    #[test]
    fn a_series_that_is_read_more_seldom_has_no_gaps_for_that() {
        let times: Vec<f64> = (0..20).map(f64::from).collect();
        let values: Vec<f32> =
            (0..20u8).map(|i| if i % 5 == 0 { f32::from(i) } else { f32::NAN }).collect();
        let curve = curve(&times, &values);
        assert_eq!(curve.points, [Some(0), Some(5), Some(10), Some(15)]);
    }

    #[test]
    fn samples_of_one_instant_are_no_division_by_zero() {
        let kept = keep(&[5.0; 100], &[1.0; 100], &(0..100).collect::<Vec<_>>(), 2);
        assert!(kept.contains(&0) && kept.contains(&99));
    }

    proptest! {
        #[test]
        fn every_planted_peak_survives_with_its_exact_value(
            steps in proptest::collection::vec(0.01f64..3.0, 200..3000),
            bins in 2usize..50,
            peaks in proptest::collection::vec((0.0f64..1.0, -1000i32..1000), 1..12),
        ) {
            let times: Vec<f64> = steps.iter().scan(0.0, |t, step| { *t += step; Some(*t) }).collect();
            let mut values: Vec<f32> = (0..times.len()).map(|i| (i % 7) as f32).collect();
            for (at, height) in &peaks {
                let index = (at * (times.len() - 1) as f64) as usize;
                // Above or below everything else, in thousandths as memory is written.
                values[index] = (*height as f32).mul_add(1.001, 10_000.0f32.copysign(*height as f32));
            }
            let indices: Vec<usize> = (0..times.len()).collect();
            let kept = keep(&times, &values, &indices, bins);

            prop_assert!(kept.is_sorted_by(|a, b| a < b));
            prop_assert!(kept.len() <= times.len().max(4 * bins));
            // The oracle: in each bin, by brute force over all points, the extremes.
            let width = (times[times.len() - 1] - times[0]) / bins as f64;
            let bin = |i: usize| (((times[i] - times[0]) / width) as usize).min(bins - 1);
            for b in 0..bins {
                let all: Vec<f32> = indices.iter().filter(|i| bin(**i) == b).map(|i| values[*i]).collect();
                let some: Vec<f32> = kept.iter().filter(|i| bin(**i) == b).map(|i| values[*i]).collect();
                for extreme in [f32::min, f32::max] {
                    prop_assert_eq!(
                        all.iter().copied().reduce(extreme),
                        some.iter().copied().reduce(extreme)
                    );
                }
                prop_assert!(all.len() <= 4 || some.len() <= 4 || kept.len() == times.len());
            }
        }
    }
}
