//! The slope through a few points, robust against some that are far off: Theil's
//! estimator with the confidence interval that Kendall's statistic gives.

/// A slope and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The median of the slopes between all pairs of points.
    pub median: f64,
    /// The true slope lies above this, at the stated confidence.
    pub low: f64,
    /// And below this.
    pub high: f64,
    /// How often an interval made this way holds the true slope, 0 to 1: at least 0.9.
    pub confidence: f64,
}

/// The chance on either side that the interval misses the true slope.
const ALPHA: f64 = 0.05;
/// Up to this many points Kendall's distribution is computed, beyond it is normal.
const EXACT: usize = 30;
/// Only so many points are looked at, evenly chosen: there are n(n − 1)/2 pairs.
const MOST: usize = 512;

/// The slope of `values` at 0, 1, 2, …, with an interval of at least 90 %. None where
/// there are too few for one: fewer than 4.
#[must_use]
pub fn slope(values: &[f64]) -> Option<Slope> {
    let step = values.len().div_ceil(MOST).max(1);
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().step_by(step).map(|(x, y)| (x as f64, *y)).collect();
    let mut slopes = Vec::new();
    for (later, (x, y)) in points.iter().enumerate() {
        slopes.extend(points[..later].iter().map(|(x0, y0)| (y - y0) / (x - x0)));
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let (skipped, chance) = outside(points.len())?;
    let last = slopes.len() - 1;
    Some(Slope {
        median: f64::midpoint(slopes[last / 2], slopes[last.div_ceil(2)]),
        low: slopes[skipped],
        high: slopes[last - skipped],
        confidence: 1.0 - 2.0 * chance,
    })
}

/// How many of the least slopes the interval leaves out, and how often the true slope
/// is among them. Theil, "A rank-invariant method of linear and polynomial regression
/// analysis" (1950): the number of slopes below the true one is the number of
/// inversions of a random order.
fn outside(n: usize) -> Option<(usize, f64)> {
    if n > EXACT {
        let n = n as f64;
        let pairs = n * (n - 1.0) / 2.0;
        let sd = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        // 1.645 standard deviations leave 5 % on either side.
        return Some((((pairs - 1.645 * sd) / 2.0).floor() as usize, ALPHA));
    }
    let (mut sum, mut found) = (0.0, None);
    for (inversions, chance) in inversions(n).into_iter().enumerate() {
        sum += chance;
        if sum > ALPHA {
            break;
        }
        found = Some((inversions, sum));
    }
    found
}

/// How likely each number of inversions is among the orders of `n` things.
fn inversions(n: usize) -> Vec<f64> {
    let mut chances = vec![1.0];
    for size in 2..=n {
        let mut next = vec![0.0; chances.len() + size - 1];
        for (at, chance) in chances.iter().enumerate() {
            for more in 0..size {
                next[at + more] += chance / size as f64;
            }
        }
        chances = next;
    }
    chances
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{inversions, outside, slope};

    /// Every order of 0..n, and how many pairs of it stand the wrong way round.
    fn counted(n: usize) -> Vec<f64> {
        fn orders(left: Vec<usize>, before: usize, found: &mut Vec<usize>) {
            if left.is_empty() {
                found.push(before);
            }
            for at in 0..left.len() {
                let mut rest = left.clone();
                rest.remove(at);
                orders(rest, before + at, found);
            }
        }
        let mut found = Vec::new();
        orders((0..n).collect(), 0, &mut found);
        let count = |k: usize| found.iter().filter(|seen| **seen == k).count() as f64;
        (0..=n * (n - 1) / 2).map(|k| count(k) / found.len() as f64).collect()
    }

    #[test]
    fn the_chances_are_those_of_all_orders() {
        for n in 1..=7 {
            for (have, want) in inversions(n).iter().zip(counted(n)) {
                assert!((have - want).abs() < 1e-12, "{n}");
            }
        }
        // 1 of 24 orders of four is the ascending one; three are too few.
        assert_eq!(outside(4), Some((0, 1.0 / 24.0)));
        assert_eq!(outside(3), None);
    }

    #[test]
    fn one_point_far_off_changes_little() {
        let mut values: Vec<f64> = (0..20).map(|x| 3.0 + 0.2 * f64::from(x)).collect();
        values[7] = 500.0;
        let slope = slope(&values).unwrap();
        assert!((slope.median - 0.2).abs() < 1e-9 && (slope.low - 0.2).abs() < 1e-9, "{slope:?}");
    }

    #[test]
    fn many_points_go_by_the_normal_distribution_as_few_go_by_the_exact_one() {
        let n = 30.0_f64;
        let exact = outside(30).unwrap().0 as f64;
        let sd = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        assert!((exact - (n * (n - 1.0) / 2.0 - 1.645 * sd) / 2.0).abs() < 2.0);
        let rising: Vec<f64> = (0..2000).map(f64::from).collect();
        assert_eq!(slope(&rising).unwrap().low, 1.0);
    }

    proptest! {
        #[test]
        fn the_median_slope_is_the_middle_of_all_pairs(
            values in proptest::collection::vec(-1e3..1e3f64, 4..40)
        ) {
            let mut pairs = Vec::new();
            for a in 0..values.len() {
                for b in 0..a {
                    pairs.push((values[a] - values[b]) / (a - b) as f64);
                }
            }
            let found = slope(&values).unwrap();
            let below = pairs.iter().filter(|s| **s < found.median - 1e-9).count();
            let above = pairs.iter().filter(|s| **s > found.median + 1e-9).count();
            prop_assert!(below * 2 <= pairs.len() && above * 2 <= pairs.len());
            prop_assert!(found.low <= found.median && found.median <= found.high);
            prop_assert!(found.confidence >= 0.9 && found.confidence < 1.0);
        }

        #[test]
        fn the_slope_moves_with_the_line_that_is_added(
            values in proptest::collection::vec(-1e3..1e3f64, 4..20), tilt in -10.0..10.0f64
        ) {
            let tilted: Vec<f64> =
                values.iter().enumerate().map(|(x, y)| y + tilt * x as f64).collect();
            let (flat, tilted) = (slope(&values).unwrap(), slope(&tilted).unwrap());
            prop_assert!((tilted.median - flat.median - tilt).abs() < 1e-6);
            prop_assert!((tilted.low - flat.low - tilt).abs() < 1e-6);
        }
    }
}
