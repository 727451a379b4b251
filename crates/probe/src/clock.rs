//! Time on three clocks: the wall's, which others can compare with; a monotonic one,
//! which durations are made of; and one that goes on while the machine sleeps, by
//! which a sleep is told from a clock that was set.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reading the clocks takes less than this, unless something came in between.
const AT_ONCE: Duration = Duration::from_millis(1);

/// One moment on all clocks, taken before whatever it stamps is read.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Unix seconds. May jump when the clock is set.
    pub wall_s: f64,
    /// Monotonic; stands still while the machine sleeps.
    pub mono: Instant,
    /// Since some fixed moment, sleep included; nothing where there is no such clock.
    pub with_sleep: Option<Duration>,
}

impl Stamp {
    /// Now.
    #[must_use]
    pub fn now() -> Stamp {
        let stamp = Stamp::read();
        // Stopped or put to sleep between two clocks, they would tell of different
        // moments. Once more then; a machine that is so busy gets what it has.
        if stamp.mono.elapsed() > AT_ONCE { Stamp::read() } else { stamp }
    }

    fn read() -> Stamp {
        let mono = Instant::now();
        let wall_s = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            // A clock set to before 1970 is wrong, but still says when.
            Err(before) => -before.duration().as_secs_f64(),
        };
        Stamp { wall_s, mono, with_sleep: with_sleep() }
    }

    /// Monotonic time since `earlier`; zero if that was later.
    #[must_use]
    pub fn since(&self, earlier: &Stamp) -> Duration {
        self.mono.saturating_duration_since(earlier.mono)
    }

    /// Time since `earlier`, sleep included, where that is known.
    #[must_use]
    pub fn since_with_sleep(&self, earlier: &Stamp) -> Option<Duration> {
        Some(self.with_sleep?.saturating_sub(earlier.with_sleep?))
    }
}

/// Has the calling thread woken as close to its deadlines as the system does
/// without privileges; without it, timers are put off to go off together. For
/// the thread that samples, once, before it waits for the first time.
///
/// Linux: a timer slack of 1 ns instead of 50 µs, and from 6.12 on a slice of the
/// scheduler of 0.1 ms, with which it need not wait for others to use theirs up.
/// macOS: the quality of service "user-initiated". It is a wish, and cannot fail.
/// On Linux what the thread starts afterwards has the same slack, but not the slice:
/// to leave a command as it is, start it first, or from another thread.
pub fn be_punctual() {
    crate::platform::be_punctual();
}

/// The clock that goes on while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn with_sleep() -> Option<Duration> {
    use nix::time::{ClockId, clock_gettime};
    #[cfg(target_os = "linux")]
    let clock = ClockId::CLOCK_BOOTTIME;
    // `mach_continuous_time`, where Instant is `mach_absolute_time`.
    #[cfg(target_os = "macos")]
    let clock = ClockId::from_raw(nix::libc::CLOCK_MONOTONIC_RAW);
    clock_gettime(clock).ok().map(Duration::from)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn with_sleep() -> Option<Duration> {
    None
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
    fn now_is_after_2020_and_time_goes_on_on_all_clocks() {
        let first = Stamp::now();
        std::thread::sleep(Duration::from_millis(20));
        let second = Stamp::now();
        assert!(first.wall_s > 1_577_836_800.0);
        assert_eq!(first.since(&second), Duration::ZERO);
        let awake = second.since(&first);
        assert!(awake >= Duration::from_millis(20));
        let with_sleep = second.since_with_sleep(&first).unwrap();
        assert!(with_sleep.abs_diff(awake) < Duration::from_millis(20), "{with_sleep:?}");
    }
}
