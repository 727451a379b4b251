//! The lane of tests: classes that are told apart, and bars that do not overlap.

use records::Outcome;
use serde::Serialize;

use crate::case::Case;

/// What tests are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    WithModel,
    WithoutModel,
    Failed,
    Error,
    Skipped,
}

impl Class {
    /// The class of `case`. What was expected to fail came out as it should.
    pub(crate) fn of(case: &Case) -> Class {
        match case.outcome {
            Outcome::Failed => Class::Failed,
            Outcome::Error => Class::Error,
            Outcome::Skipped => Class::Skipped,
            _ if case.model.is_some() => Class::WithModel,
            _ => Class::WithoutModel,
        }
    }
}

/// Overlaps up to this many seconds are rounding of the clocks.
const TOUCH: f64 = 0.005;

/// Rows at most; more at once are drawn over one another, in the last.
const MOST: usize = 12;

/// The row of each of `bars` (start and end), which ascend by start; the first row
/// that is free. A bar of no length takes no room, but stands on none that does.
pub(crate) fn rows(bars: impl Iterator<Item = (f64, f64)>) -> Vec<usize> {
    let mut ends: Vec<f64> = Vec::new();
    bars.map(|(start, end)| {
        let free = ends.iter().position(|busy_until| start >= busy_until - TOUCH);
        let row = match free {
            Some(row) => row,
            None if ends.len() < MOST => {
                ends.push(end);
                ends.len() - 1
            }
            None => MOST - 1,
        };
        ends[row] = ends[row].max(end);
        row
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MOST, TOUCH, rows};

    #[test]
    fn tests_one_after_the_other_share_a_row_and_skipped_ones_take_none() {
        let bars =
            [(0.0, 10.0), (10.0, 10.0), (10.0, 10.0), (9.999, 20.0), (15.0, 30.0), (15.0, 15.0)];
        assert_eq!(rows(bars.into_iter()), [0, 0, 0, 0, 1, 2]);
    }

    proptest! {
        #[test]
        fn bars_of_one_row_never_overlap(
            mut bars in proptest::collection::vec((0.0f64..100.0, 0.0f64..8.0), 0..60),
        ) {
            bars.sort_by(|a, b| a.0.total_cmp(&b.0));
            let bars: Vec<(f64, f64)> = bars.into_iter().map(|(start, d)| (start, start + d)).collect();
            let placed = rows(bars.iter().copied());
            for (i, a) in bars.iter().enumerate() {
                for (j, b) in bars.iter().enumerate().skip(i + 1) {
                    if placed[i] == placed[j] && placed[i] < MOST - 1 {
                        prop_assert!(b.0 >= a.1 - TOUCH, "{a:?} {b:?}");
                    }
                }
            }
        }
    }
}
