//! How a figure went over many runs, in one line.

use super::Better;

/// The bars of a line, the least first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where a run has no figure.
const GAP: char = '·';

/// `values` as a line of bars, one each: the least is `▁`, the greatest `█`, the others by
/// where they lie between; all alike are in the middle. What is missing or not finite is `·`.
#[must_use]
pub fn sparkline(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let least = known().fold(f64::INFINITY, f64::min);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: f64| {
        // Halves, so that the width of very large values is finite too.
        let place = (value / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0);
        let flat = BARS.len() / 2 - 1;
        // From 0 to 1, so from the first bar to one behind the last.
        let at = if place.is_finite() { (place * BARS.len() as f64) as usize } else { flat };
        BARS[at.min(BARS.len() - 1)]
    };
    let each = values.iter().map(|value| value.filter(|value| value.is_finite()).map_or(GAP, bar));
    each.collect()
}

/// A figure over several runs: each with the number of its run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// How many there are.
    pub n: usize,
    /// The first.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// The best, the earliest of equals.
    pub best: f64,
    /// The number of its run.
    pub best_run: usize,
}

/// The trend of `points`, by run; none of less than two.
#[must_use]
pub fn trend(points: &[(usize, f64)], better: Better) -> Option<Trend> {
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 2 {
        return None;
    }
    let beats = |a: f64, b: f64| match better {
        Better::More => a > b,
        Better::Less => a < b,
    };
    let best = points.iter().fold(first, |best, one| if beats(one.1, best.1) { one } else { best });
    Some(Trend { n: points.len(), first: first.1, last: last.1, best: best.1, best_run: best.0 })
}

impl Trend {
    /// The last against the first in percent of it; none where the first is not above 0.
    #[must_use]
    pub fn change_pct(&self) -> Option<f64> {
        (self.first > 0.0).then(|| 100.0 * (self.last - self.first) / self.first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BARS, GAP, sparkline, trend};
    use crate::numbers::Better;

    #[test]
    fn bars_show_the_least_the_greatest_and_gaps() {
        let values = [Some(1.0), None, Some(8.0), Some(4.5), Some(f64::NAN)];
        assert_eq!(sparkline(&values), "▁·█▅·");
        assert_eq!(sparkline(&[Some(3.0), Some(3.0)]), "▄▄");
        assert_eq!(sparkline(&[Some(f64::MAX), Some(-f64::MAX)]), "█▁");
        assert_eq!(sparkline(&[None, None]), "··");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn the_best_is_the_least_of_times_and_the_greatest_of_speeds() {
        let points = [(0, 2.0), (2, 4.0), (3, 1.0), (4, 1.0), (5, 3.0)];
        let less = trend(&points, Better::Less).unwrap();
        assert_eq!((less.n, less.first, less.last), (5, 2.0, 3.0));
        assert_eq!((less.best, less.best_run, less.change_pct()), (1.0, 3, Some(50.0)));
        assert_eq!(trend(&points, Better::More).unwrap().best_run, 2);
        assert_eq!(trend(&points[..1], Better::Less), None);
    }

    proptest! {
        #[test]
        fn a_greater_value_never_has_a_lower_bar(
            values in prop::collection::vec(prop::option::of(-1e6f64..1e6), 0..60),
        ) {
            let line: Vec<char> = sparkline(&values).chars().collect();
            prop_assert_eq!(line.len(), values.len());
            let height = |at: usize| BARS.iter().position(|bar| *bar == line[at]);
            let known: Vec<(f64, usize)> = values
                .iter().enumerate().filter_map(|(at, value)| Some(((*value)?, height(at)?))).collect();
            prop_assert_eq!(known.len(), values.iter().flatten().count());
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(line[at] == GAP, value.is_none());
            }
            for (a, low) in &known {
                for (b, high) in &known {
                    prop_assert!(a > b || low <= high, "{} {}", a, b);
                }
            }
            let different = known.iter().any(|(value, _)| *value != known[0].0);
            if different {
                prop_assert!(known.iter().any(|(_, bar)| *bar == 0));
                prop_assert!(known.iter().any(|(_, bar)| *bar == BARS.len() - 1));
            }
        }
    }
}
