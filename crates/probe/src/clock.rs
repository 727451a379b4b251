//! Time on both clocks: the wall's, which others can compare with, and a
//! monotonic one, which durations are made of.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One moment on both clocks, taken before whatever it stamps is read.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Unix seconds. May jump when the clock is set.
    pub wall_s: f64,
    /// Monotonic; stands still while the machine sleeps.
    pub mono: Instant,
}

impl Stamp {
    /// Now.
    #[must_use]
    pub fn now() -> Stamp {
        let mono = Instant::now();
        let wall_s = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            // A clock set to before 1970 is wrong, but still says when.
            Err(before) => -before.duration().as_secs_f64(),
        };
        Stamp { wall_s, mono }
    }

    /// Monotonic time since `earlier`; zero if that was later.
    #[must_use]
    pub fn since(&self, earlier: &Stamp) -> Duration {
        self.mono.saturating_duration_since(earlier.mono)
    }

    /// Seconds by which the wall clock went further than the monotonic one
    /// since `earlier`. Far above 0: the machine slept, or the clock was set
    /// forward. Far below: it was set back.
    #[must_use]
    pub fn gap_s(&self, earlier: &Stamp) -> f64 {
        (self.wall_s - earlier.wall_s) - self.since(earlier).as_secs_f64()
    }
}

/// Has the calling thread woken as close to its deadlines as the system does
/// without privileges; without it, timers are put off to go off together. For
/// the thread that samples, once, before it waits for the first time.
///
/// Linux: a timer slack of 1 ns instead of 50 µs. macOS: the quality of service
/// "user-initiated". It is a wish, and cannot fail. On Linux what the thread
/// starts afterwards has the same slack: to leave a command as it is, start it
/// first, or from another thread.
pub fn be_punctual() {
    crate::platform::be_punctual();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_punctual_thread_has_no_slack_and_the_others_keep_theirs() {
        use nix::sys::prctl::get_timerslack;
        let slack = get_timerslack().unwrap();
        std::thread::spawn(|| {
            be_punctual();
            assert_eq!(get_timerslack(), Ok(1));
        })
        .join()
        .unwrap();
        assert_eq!(get_timerslack(), Ok(slack));
    }

    #[test]
    fn now_is_after_2020_and_time_goes_on() {
        let first = Stamp::now();
        let second = Stamp::now();
        assert!(first.wall_s > 1_577_836_800.0);
        assert_eq!(first.since(&second), Duration::ZERO);
        assert!(second.gap_s(&first).abs() < 1.0);
    }

    #[test]
    fn an_hour_asleep_is_a_gap_of_an_hour() {
        let before = Stamp::now();
        let after = Stamp {
            wall_s: before.wall_s + 3_600.2,
            mono: before.mono + Duration::from_millis(200),
        };
        assert!((after.gap_s(&before) - 3_600.0).abs() < 1e-6);
    }
}
