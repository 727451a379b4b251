//! CPU shares from tick counters, whichever platform counted them.

use crate::reading::Cpu;

/// Ticks that passed between two reads, summed over all cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    /// User code, niced or not, guests included.
    pub user: u64,
    /// The kernel, interrupts included.
    pub sys: u64,
    /// Nothing to do, or waiting for a device.
    pub idle: u64,
    /// Taken by the hypervisor: neither ours nor idle, but time that passed.
    pub steal: u64,
}

impl Ticks {
    /// Percentages of the time that passed; `None` when no tick did, which is
    /// usual between reads closer together than a tick (10 ms as a rule).
    #[must_use]
    pub fn share(&self) -> Option<Cpu> {
        let parts = [self.user, self.sys, self.idle, self.steal];
        let total = parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part))?;
        if total == 0 {
            return None;
        }
        let pct = |part: u64| part as f64 * 100.0 / total as f64;
        Some(Cpu { user_pct: pct(self.user), sys_pct: pct(self.sys), idle_pct: pct(self.idle) })
    }
}

/// One core's counters as Mach gives them: user, system, idle, nice.
pub type CoreTicks = [u32; 4];

/// Ticks between two `PROCESSOR_CPU_LOAD_INFO` answers. The counters are 32
/// bits wide and wrap after 497 days of one state at 100 Hz, so each is
/// subtracted with wrapping. `None` when the number of cores changed.
#[must_use]
pub fn mach_delta(before: &[CoreTicks], now: &[CoreTicks]) -> Option<Ticks> {
    if before.len() != now.len() {
        return None;
    }
    let mut ticks = Ticks::default();
    for (before, now) in before.iter().zip(now) {
        let delta = |state: usize| u64::from(now[state].wrapping_sub(before[state]));
        ticks.user += delta(0) + delta(3);
        ticks.sys += delta(1);
        ticks.idle += delta(2);
    }
    Some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_of_all_cores_and_nice_counts_as_user() {
        let before = [[100, 50, 1000, 0], [0, 0, 0, 0]];
        let now = [[110, 60, 1070, 10], [0, 0, 100, 0]];
        let cpu = mach_delta(&before, &now).unwrap().share().unwrap();
        assert_eq!((cpu.user_pct, cpu.sys_pct, cpu.idle_pct), (10.0, 5.0, 85.0));
    }

    #[test]
    fn a_counter_that_wrapped_still_gives_a_small_delta() {
        let before = [[u32::MAX - 4, 0, 0, 0]];
        let now = [[5, 0, 10, 0]];
        let ticks = mach_delta(&before, &now).unwrap();
        assert_eq!((ticks.user, ticks.idle), (10, 10));
    }

    #[test]
    fn no_tick_or_another_number_of_cores_is_no_measurement() {
        assert_eq!(Ticks::default().share(), None);
        assert_eq!(mach_delta(&[[0; 4]], &[[0; 4], [0; 4]]), None);
    }

    proptest! {
        #[test]
        fn shares_lie_between_0_and_100(user: u64, sys: u64, idle: u64, steal: u64) {
            if let Some(cpu) = (Ticks { user, sys, idle, steal }).share() {
                for pct in [cpu.user_pct, cpu.sys_pct, cpu.idle_pct] {
                    prop_assert!((0.0..=100.0).contains(&pct));
                }
            }
        }
    }
}
