//! Control groups: which one this process is in, and what a limit file says.

use super::text::{digits, lines, words};

/// Where a process stands in the hierarchies that can limit memory.
/// The paths are relative to where the hierarchy is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// Path in the version 1 hierarchy that has the memory controller.
    pub v1_memory: Option<String>,
    /// Path in the version 2 hierarchy.
    pub v2: Option<String>,
}

impl Membership {
    /// Reads the text of `/proc/PID/cgroup`: lines `id:controllers:path`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Membership {
        let mut found = Membership::default();
        for line in lines(text) {
            let mut parts = line.splitn(3, |&byte| byte == b':');
            let (Some(id), Some(controllers), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            // A name that is not UTF-8 cannot be opened by this; that one is left out.
            let Ok(path) = std::str::from_utf8(path) else {
                continue;
            };
            if id == b"0" && controllers.is_empty() {
                found.v2 = Some(path.to_owned());
            } else if controllers.split(|&byte| byte == b',').any(|c| c == b"memory") {
                found.v1_memory = Some(path.to_owned());
            }
        }
        found
    }
}

/// The names of the groups from `path` up to, not including, the root of the
/// hierarchy: `/a/b` gives `a/b`, then `a`. Empty for the root, and for a path
/// that leads out of what is mounted here (`/../x`, another namespace).
pub fn lineage(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_matches('/');
    let outside = path.split('/').any(|part| part == "..");
    let start = (!path.is_empty() && !outside).then_some(path);
    std::iter::successors(start, |path| path.rsplit_once('/').map(|(up, _)| up))
}

/// What a limit file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No limit: `max` in version 2, a number near 2⁶³ in version 1.
    Unlimited,
    /// The limit in bytes.
    Bytes(u64),
}

/// Version 1 knows no word for "none" and prints the largest multiple of the
/// page size; no machine has this much memory.
const V1_NO_LIMIT: u64 = 1 << 62;

impl Limit {
    /// Reads `memory.max` or `memory.limit_in_bytes`. `None` if it is neither.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Limit> {
        let text = text.trim_ascii();
        if text == b"max" {
            return Some(Limit::Unlimited);
        }
        Some(match digits(text)? {
            bytes if bytes >= V1_NO_LIMIT => Limit::Unlimited,
            bytes => Limit::Bytes(bytes),
        })
    }
}

/// Reads a file that holds one number of bytes, such as `memory.current`.
#[must_use]
pub fn bytes(text: &[u8]) -> Option<u64> {
    digits(text.trim_ascii())
}

/// Reads `memory.stat` for the file cache that a group and those below it hold,
/// in bytes: what the kernel takes back first when the limit comes near. Version
/// 1 has lines for the group alone as well; `total_` ones include those below.
#[must_use]
pub fn file_cache(stat: &[u8]) -> Option<u64> {
    let value = |name: &[u8]| {
        // A last line without its end may hold a cut number.
        let whole = &stat[..stat.iter().rposition(|&byte| byte == b'\n')?];
        let line = lines(whole).find(|line| words(line).next() == Some(name))?;
        words(line).nth(1).and_then(digits)
    };
    let sum = |inactive: &[u8], active: &[u8]| value(inactive)?.checked_add(value(active)?);
    sum(b"total_inactive_file", b"total_active_file")
        .or_else(|| sum(b"inactive_file", b"active_file"))
}

/// What a group can still have below its limit, in bytes.
#[must_use]
pub fn free(limit: u64, used: u64, file_cache: u64) -> u64 {
    // A limit that was lowered can lie below what is used.
    limit.saturating_sub(used.saturating_sub(file_cache))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pure_version_2_machine_has_one_line() {
        let member = Membership::parse(b"0::/user.slice/user-1000.slice/session-3.scope\n");
        assert_eq!(member.v2.as_deref(), Some("/user.slice/user-1000.slice/session-3.scope"));
        assert_eq!(member.v1_memory, None);
    }

    #[test]
    fn the_memory_controller_of_version_1_is_found_among_the_others() {
        let text =
            b"9:name=systemd:/\n5:cpu,cpuacct:/x\n4:hugetlb,memory:/process_api/f1:de\n0::/\n";
        let member = Membership::parse(text);
        assert_eq!(member.v1_memory.as_deref(), Some("/process_api/f1:de"));
        assert_eq!(member.v2.as_deref(), Some("/"));
    }

    #[test]
    fn lineage_climbs_to_below_the_root_and_stays_inside() {
        assert_eq!(lineage("/a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        assert_eq!(lineage("/").count(), 0);
        assert_eq!(lineage("/../other").count(), 0);
    }

    #[test]
    fn max_and_the_huge_number_are_no_limit() {
        assert_eq!(Limit::parse(b"max\n"), Some(Limit::Unlimited));
        assert_eq!(Limit::parse(b"9223372036854771712\n"), Some(Limit::Unlimited));
        assert_eq!(Limit::parse(b"2147483648\n"), Some(Limit::Bytes(2_147_483_648)));
        assert_eq!(Limit::parse(b""), None);
        assert_eq!(Limit::parse(b"-1\n"), None);
        assert_eq!(bytes(b"4096\n"), Some(4096));
    }

    #[test]
    fn the_file_cache_is_that_of_the_whole_group_in_both_versions() {
        let v2 = b"anon 100\nfile 70\ninactive_file 40\nactive_file 2\nunevictable 0\n";
        assert_eq!(file_cache(v2), Some(42));
        let v1 = b"inactive_file 1\nactive_file 1\ntotal_inactive_file 300\ntotal_active_file 5\n";
        assert_eq!(file_cache(v1), Some(305));
        assert_eq!(file_cache(b"inactive_file 1\nactive_file 1"), None, "cut");
        assert_eq!(file_cache(b""), None);
    }

    #[test]
    fn free_is_what_is_left_with_the_cache_and_never_more_than_the_limit() {
        assert_eq!(free(1_000, 900, 300), 400);
        assert_eq!(free(1_000, 1_200, 0), 0);
        assert_eq!(free(1_000, 100, 500), 1_000);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(text: Vec<u8>, path: String, numbers: [u64; 3]) {
            let _ = (file_cache(&text), free(numbers[0], numbers[1], numbers[2]));
            let _ = (Membership::parse(&text), Limit::parse(&text), bytes(&text));
            prop_assert!(lineage(&path).count() <= path.len());
        }
    }
}
