//! `/proc/PID/stat`: whose child a process is, and whether it still runs.

use super::text::{digits, number, words};

/// What the tree needs of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PidStat {
    /// State letter: `R`, `S`, `D`, `T`, `Z` …
    pub state: u8,
    /// The parent's number; 0 for those the kernel started.
    pub ppid: i32,
    /// The kernel's flags, `PF_*`.
    pub flags: u32,
    /// CPU time of all its threads, user and kernel, in ticks of 1/100 s.
    pub cpu_ticks: u64,
    /// That of the children that it waited for, and of those that they did.
    pub waited_ticks: u64,
    /// Start in ticks after boot: with the number it names one process, also
    /// when the number is given out again.
    pub start_ticks: u64,
    /// Pages of memory that are resident for it.
    pub resident_pages: u64,
}

impl PidStat {
    /// Reads the text of `/proc/PID/stat`. The name in parentheses is the
    /// program's to choose and may hold blanks, newlines and parentheses, so
    /// the fields are counted from the last closing one.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<PidStat> {
        let name_end = text.iter().rposition(|&byte| byte == b')')?;
        let mut fields = words(&text[name_end + 1..]);
        let state = match fields.next()? {
            [letter] => *letter,
            _ => return None,
        };
        let ppid = number(fields.next()?)?;
        // Fields 5 to 8 lie between, then 10 to 13, 18 to 21, and 23; one more must
        // follow field 24, or it may be cut.
        let flags = number(fields.nth(4)?)?;
        let mut ticks = |skipped| digits(fields.nth(skipped)?);
        let cpu_ticks = ticks(4)?.checked_add(ticks(0)?)?;
        let waited_ticks = ticks(0)?.checked_add(ticks(0)?)?;
        let start_ticks = digits(fields.nth(4)?)?;
        let resident_pages = digits(fields.nth(1)?)?;
        fields.next()?;
        Some(PidStat { state, ppid, flags, cpu_ticks, waited_ticks, start_ticks, resident_pages })
    }

    /// A thread of the kernel, which has no memory of its own.
    #[must_use]
    pub fn is_kernel_thread(&self) -> bool {
        /// `PF_KTHREAD` of the kernel's `sched.h`.
        const KERNEL_THREAD: u32 = 0x0020_0000;
        self.flags & KERNEL_THREAD != 0
    }

    /// Ended, but its parent has not yet asked for its exit status.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        self.state == b'Z'
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: &str = "S 17 42 42 0 -1 4194560 9 0 0 0 1 2 3 4 20 0 1 0 8675309 5000 250 99";

    #[test]
    fn hostile_names_do_not_move_the_fields() {
        for name in ["cat", "a b c", ") R 1 1 (", "x) Z 1 (y)", "((((", "))))", "new\nline", ""] {
            let text = format!("4711 ({name}) {REST}\n");
            let stat = PidStat::parse(text.as_bytes()).unwrap();
            assert_eq!(
                (stat.state, stat.ppid, stat.start_ticks, stat.resident_pages),
                (b'S', 17, 8_675_309, 250),
                "{name:?}"
            );
            assert_eq!((stat.cpu_ticks, stat.waited_ticks), (1 + 2, 3 + 4), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_is_fine() {
        let text = [b"1 (\xff\xfe) ".as_slice(), REST.as_bytes()].concat();
        assert_eq!(PidStat::parse(&text).unwrap().ppid, 17);
    }

    #[test]
    fn a_zombie_is_one_by_its_state() {
        let text = format!("1 (S) {}", REST.replacen('S', "Z", 1));
        assert!(PidStat::parse(text.as_bytes()).unwrap().is_zombie());
    }

    #[test]
    fn a_thread_of_the_kernel_is_known_by_its_flag() {
        let text = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 12 0 0 20 0 1 0 5 0 0 99";
        assert!(PidStat::parse(text).unwrap().is_kernel_thread());
        let text = format!("4711 (cat) {REST}");
        assert!(!PidStat::parse(text.as_bytes()).unwrap().is_kernel_thread());
    }

    #[test]
    fn what_is_cut_is_none() {
        assert_eq!(PidStat::parse(b""), None);
        assert_eq!(PidStat::parse(b"1 (cat) S"), None);
        assert_eq!(
            PidStat::parse(b"1 (cat) S 17 42 42 0 -1 4 9 0 0 0 1 2 3 4 20 0 1 0 8675"),
            None
        );
        let text = format!("4711 (cat) {REST}");
        let rss = text.find(" 250").unwrap();
        assert_eq!(PidStat::parse(&text.as_bytes()[..rss + 3]), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = PidStat::parse(&bytes);
        }
    }
}
