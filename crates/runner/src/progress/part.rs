//! How far a batch has come, how fast it goes and how long the rest will take.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::batch::Going;

/// The rate is that of so long a time.
const WINDOW: Duration = Duration::from_secs(10);
/// So often it is noted how many were done.
const STEP: Duration = Duration::from_millis(500);

/// A batch that runs.
#[derive(Debug)]
pub(super) struct Part {
    going: Going,
    /// How many were done then, the earliest first.
    seen: VecDeque<(Instant, u64)>,
}

impl Part {
    pub(super) fn new(now: Instant, going: Going) -> Part {
        Part { going, seen: VecDeque::from([(now, going.done)]) }
    }

    pub(super) fn note(&mut self, now: Instant, going: Going) {
        self.going = going;
        if self.seen.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= STEP) {
            self.seen.push_back((now, going.done));
        }
        // One of them is as old as the window is long.
        while self.seen.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            self.seen.pop_front();
        }
    }

    /// `1200/5000`.
    pub(super) fn count(&self) -> String {
        format!("{}/{}", self.going.done, self.going.of)
    }

    /// `1200/5000, 83/s, 4 failed, 46s left`.
    pub(super) fn message(&self, now: Instant) -> String {
        let Going { done, failed, of } = self.going;
        let mut parts = vec![self.count()];
        let rate = self.rate(now);
        if let Some(rate) = rate {
            let decimals = usize::from(rate < 10.0);
            parts.push(format!("{rate:.decimals$}/s"));
        }
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        let left = rate.map(|rate| of.saturating_sub(done) as f64 / rate);
        if let Some(left) = left.and_then(|left| Duration::try_from_secs_f64(left).ok()) {
            let text = humantime::format_duration(Duration::from_secs(left.as_secs()));
            parts.push(format!("{text} left"));
        }
        parts.join(", ")
    }

    /// Requests a second; nothing before anything is known.
    fn rate(&self, now: Instant) -> Option<f64> {
        let (since, before) = *self.seen.front()?;
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        let more = self.going.done.saturating_sub(before);
        (more > 0 && seconds >= STEP.as_secs_f64()).then(|| more as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Part;
    use crate::batch::Going;

    #[test]
    fn the_rate_is_that_of_the_last_seconds_and_the_rest_follows_from_it() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let going = |done, failed| Going { done, failed, of: 1000 };
        let mut part = Part::new(at(0), going(100, 0));
        assert_eq!(part.message(at(0)), "100/1000", "nobody knows how fast it is");
        (1..=10).for_each(|s| part.note(at(s), going(100 + s, 0)));
        assert_eq!(part.message(at(10)), "110/1000, 1.0/s, 14m 50s left");
        // Then it is faster, and after a while what was before is forgotten.
        (11..=30).for_each(|s| part.note(at(s), going(110 + (s - 10) * 20, 3)));
        assert_eq!(part.message(at(30)), "510/1000, 20/s, 3 failed, 24s left");
        // When nothing comes any more, the rate falls.
        assert_eq!(part.message(at(50)), "510/1000, 6.7/s, 3 failed, 1m 13s left");
    }
}
