//! `/sys/class/powercap/intel-rapl:*`: energy counters of Intel's and AMD's
//! processors, in microjoules.

use std::time::Duration;

use super::text::digits;

/// Reads `energy_uj` or `max_energy_range_uj`.
#[must_use]
pub fn microjoules(text: &[u8]) -> Option<u64> {
    digits(text.trim_ascii())
}

/// No package draws this much. A counter that was reset, as after a sleep, looks
/// like one that wrapped, and would give megawatts.
const MOST_WATTS: f64 = 5_000.0;

/// Mean power between two reads of a counter that starts from 0 again after
/// `range`. `None` when no time passed, or when the counter cannot have wrapped.
#[must_use]
pub fn watts(before: u64, now: u64, range: Option<u64>, elapsed: Duration) -> Option<f64> {
    let energy = match now.checked_sub(before) {
        Some(energy) => energy,
        None => range?.checked_sub(before)?.checked_add(now)?,
    };
    let seconds = elapsed.as_secs_f64();
    let watts = energy as f64 / 1e6 / seconds;
    (seconds > 0.0 && watts <= MOST_WATTS).then_some(watts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RANGE: Option<u64> = Some(262_143_328_850);
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn thirteen_joules_in_a_fifth_of_a_second_are_65_watts() {
        assert_eq!(microjoules(b"13000000\n"), Some(13_000_000));
        assert_eq!(watts(1_000_000, 14_000_000, RANGE, MS * 200), Some(65.0));
        assert_eq!(watts(1, 2, RANGE, Duration::ZERO), None);
    }

    #[test]
    fn a_counter_that_wrapped_goes_on_from_0() {
        let before = 262_143_328_850 - 5_000_000;
        assert_eq!(watts(before, 5_000_000, RANGE, MS * 1_000), Some(10.0));
        assert_eq!(watts(before, 5_000_000, None, MS * 1_000), None);
    }

    #[test]
    fn a_counter_that_was_reset_is_no_measurement() {
        assert_eq!(watts(100_000_000_000, 12, RANGE, MS * 200), None);
    }

    proptest! {
        #[test]
        fn power_is_what_was_added_over_the_time_wrapped_or_not(
            before in 0..1_000_000_000_u64, energy in 0..1_000_000_000_u64, ms in 1..10_000_u64,
        ) {
            let range = 1_000_000_000;
            let got = watts(before, (before + energy) % range, Some(range), Duration::from_millis(ms));
            let want = energy as f64 / 1e3 / ms as f64;
            match got {
                Some(got) => prop_assert!((got - want).abs() < 1e-6),
                None => prop_assert!(want > MOST_WATTS),
            }
        }

        #[test]
        fn no_input_makes_it_panic(text: Vec<u8>, a: u64, b: u64, range: Option<u64>, ns: u64) {
            let _ = (microjoules(&text), watts(a, b, range, Duration::from_nanos(ns)));
        }
    }
}
