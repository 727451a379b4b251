//! Extremes, means and medians.

/// The least, the mean and the greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
    /// How many there are.
    pub n: u64,
}

impl Spread {
    /// Of `values`; nothing when there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let (mut range, mut sum, mut n) = (None::<Range>, 0.0, 0u64);
        for value in values {
            range = Range::with(range, Range { min: value, max: value });
            sum += value;
            n += 1;
        }
        // The count is far below 2^53.
        range.map(|range| Spread { min: range.min, mean: sum / n as f64, max: range.max, n })
    }
}

/// The least and the greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Range {
    /// `range`, widened to hold `more`.
    #[must_use]
    pub fn with(range: Option<Range>, more: Range) -> Option<Range> {
        Some(range.map_or(more, |range| Range {
            min: range.min.min(more.min),
            max: range.max.max(more.max),
        }))
    }
}

/// The median: the middle value, or the mean of the two in the middle.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, median};

    #[test]
    fn nothing_measured_has_no_figures() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(vec![4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_spread_holds_its_mean() {
        let spread = Spread::of([1.0, 2.0, 6.0]).unwrap();
        assert_eq!((spread.min, spread.mean, spread.max, spread.n), (1.0, 3.0, 6.0, 3));
    }
}
