//! The first line of `/proc/stat`: time of all cores since boot.

use super::cpu_ticks::Ticks;
use super::text::{digits, words};

/// Counters of the `cpu` line, in ticks of 1/100 s. Guest time is already in
/// `user` and `nice`, so its own columns are not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// Columns user, nice, system, idle, iowait, irq, softirq, steal.
    columns: [u64; 8],
}

impl CpuTimes {
    /// Reads the text of `/proc/stat`. `None` unless its first line is a whole
    /// `cpu` line with at least the four columns that every kernel prints.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<CpuTimes> {
        let end = text.iter().position(|&byte| byte == b'\n')?;
        let mut words = words(&text[..end]);
        if words.next() != Some(b"cpu") {
            return None;
        }
        let mut times = CpuTimes::default();
        for (index, column) in times.columns.iter_mut().enumerate() {
            *column = match words.next() {
                Some(word) => digits(word)?,
                None if index >= 4 => 0,
                None => return None,
            };
        }
        Some(times)
    }

    /// Ticks that passed on all cores together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.columns.iter().fold(0, |sum, column| sum.saturating_add(*column))
    }

    /// Ticks since `before`. A counter that went backwards, as idle and iowait
    /// may when a core goes off line, counts as standing still.
    #[must_use]
    pub fn since(&self, before: &CpuTimes) -> Ticks {
        let delta = |column: usize| self.columns[column].saturating_sub(before.columns[column]);
        let sum = |columns: &[usize]| {
            columns.iter().fold(0_u64, |sum, &column| sum.saturating_add(delta(column)))
        };
        Ticks { user: sum(&[0, 1]), sys: sum(&[2, 5, 6]), idle: sum(&[3, 4]), steal: sum(&[7]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(line: &str) -> CpuTimes {
        CpuTimes::parse(format!("{line}\ncpu0 1 2 3\n").as_bytes()).unwrap()
    }

    #[test]
    fn nice_irq_softirq_and_iowait_go_where_they_belong() {
        let ticks =
            times("cpu  110 10 40 800 30 5 5 0 0 0").since(&times("cpu  100 0 20 700 0 0 0 0"));
        assert_eq!((ticks.user, ticks.sys, ticks.idle), (20, 30, 130));
    }

    #[test]
    fn guest_time_is_not_counted_twice_and_steal_only_in_the_total() {
        let cpu = times("cpu 50 0 0 25 0 0 0 25 50 0")
            .since(&times("cpu 0 0 0 0 0 0 0 0 0 0"))
            .share()
            .unwrap();
        assert_eq!((cpu.user_pct, cpu.sys_pct, cpu.idle_pct), (50.0, 0.0, 25.0));
    }

    #[test]
    fn the_total_is_all_columns_but_the_guests_which_are_in_the_others() {
        assert_eq!(times("cpu 50 1 2 25 3 4 5 10 50 1").total(), 100);
    }

    #[test]
    fn idle_going_backwards_is_not_a_huge_number() {
        let ticks = times("cpu 10 0 0 99").since(&times("cpu 0 0 0 100"));
        assert_eq!((ticks.user, ticks.idle), (10, 0));
    }

    #[test]
    fn a_line_that_is_cut_or_another_file_is_not_read() {
        assert_eq!(CpuTimes::parse(b""), None);
        assert_eq!(CpuTimes::parse(b"cpu  7266 0 1752 1213"), None);
        assert_eq!(CpuTimes::parse(b"cpu  7266 0 1752\n"), None);
        assert_eq!(CpuTimes::parse(b"cpu0 1 2 3 4 5 6 7\n"), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(a: Vec<u8>, columns: [u64; 8], other: [u64; 8]) {
            let _ = CpuTimes::parse(&a);
            let _ = (CpuTimes { columns }).since(&CpuTimes { columns: other }).share();
        }
    }
}
