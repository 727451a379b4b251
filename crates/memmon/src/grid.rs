//! When to sample: fixed points in time, n × interval after the start.

use std::time::Duration;

/// The grid, and which of its points have been used. Times are since the start.
#[derive(Clone, Debug)]
pub struct Grid {
    /// In nanoseconds, as everything here: 64 bits of them are 584 years.
    interval: u64,
    /// The last point that was used or passed.
    last: Option<u64>,
}

/// Where a sample stands on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The number of the latest grid point at or before the sample.
    pub point: u64,
    /// Time from that point to the sample; nothing when the point was used
    /// before, so that the sample stands beside the grid.
    pub late: Option<Duration>,
    /// Points that passed unused since the sample before.
    pub missed: u64,
}

impl Grid {
    /// A grid with points every `interval`, which must not be zero.
    #[must_use]
    pub fn new(interval: Duration) -> Grid {
        Grid { interval: nanos(interval).max(1), last: None }
    }

    /// The first point after `now`. A sampler that is late waits for it, and
    /// never catches up with what it missed.
    #[must_use]
    pub fn next_deadline(&self, now: Duration) -> Duration {
        let next = nanos(now) / self.interval + 1;
        Duration::from_nanos(next.saturating_mul(self.interval))
    }

    /// Uses the latest point at or before `now` for a sample that starts now.
    pub fn take(&mut self, now: Duration) -> Slot {
        let point = nanos(now) / self.interval;
        let late = Some(Duration::from_nanos(nanos(now) % self.interval));
        let (late, missed) = match self.last {
            Some(last) if point <= last => (None, 0),
            Some(last) => (late, point - last - 1),
            None => (late, point),
        };
        self.last = Some(point);
        Slot { point, late, missed }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Grid, Slot};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_late_sample_skips_what_it_missed_and_says_so() {
        let mut grid = Grid::new(200 * MS);
        assert_eq!(grid.take(MS), Slot { point: 0, late: Some(MS), missed: 0 });
        assert_eq!(grid.next_deadline(5 * MS), 200 * MS);
        // Held up until 650 ms: the points at 200 and 400 are gone.
        assert_eq!(grid.take(650 * MS), Slot { point: 3, late: Some(50 * MS), missed: 2 });
        assert_eq!(grid.next_deadline(650 * MS), 800 * MS);
        // The last sample, when the command ends between two points.
        assert_eq!(grid.take(700 * MS), Slot { point: 3, late: None, missed: 0 });
        assert_eq!(grid.take(800 * MS), Slot { point: 4, late: Some(Duration::ZERO), missed: 0 });
    }

    #[test]
    fn sixty_days_of_milliseconds_do_not_overflow() {
        let grid = Grid::new(MS);
        let day = Duration::from_secs(86_400);
        assert_eq!(grid.next_deadline(60 * day), 60 * day + MS);
    }

    proptest! {
        /// A sampler that wakes up late and reads slowly, played through.
        #[test]
        fn samples_never_burst_and_every_point_is_used_or_counted_as_missed(
            interval_us in 1_000u64..60_000_000,
            delays in proptest::collection::vec((0u64..200_000_000, 0u64..200_000_000), 1..60),
        ) {
            let interval = Duration::from_micros(interval_us);
            let mut grid = Grid::new(interval);
            let mut now = Duration::ZERO;
            let (mut used, mut missed, mut last_point) = (0, 0, 0);
            for (wakes_late, reads) in delays {
                let slot = grid.take(now);
                prop_assert!(slot.late.unwrap() < interval);
                prop_assert_eq!(now - slot.late.unwrap(), interval * u32::try_from(slot.point).unwrap());
                used += 1;
                missed += slot.missed;
                last_point = slot.point;

                now += Duration::from_micros(reads);
                let deadline = grid.next_deadline(now);
                prop_assert!(deadline > now && deadline <= now + interval);
                prop_assert_eq!(deadline.as_nanos() % interval.as_nanos(), 0);
                now = deadline + Duration::from_micros(wakes_late);
            }
            prop_assert_eq!(used + missed, last_point + 1);
        }
    }
}
