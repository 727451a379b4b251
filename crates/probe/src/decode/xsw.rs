//! macOS swap: the sysctl `vm.swapusage`, as a struct and as text.

use super::text::{number, words};

/// Swap space in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapUsage {
    /// Size of all swap files. macOS adds files as it needs them, so this
    /// grows, and is 0 until the first use.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
}

impl SwapUsage {
    /// From the bytes of `struct xsw_usage`: total, available and used, 64
    /// bits each. `None` when there are fewer, or when they contradict each
    /// other.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<SwapUsage> {
        let field = |at: usize| {
            let bytes = bytes.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        SwapUsage::from_fields(field(0)?, field(16)?)
    }

    /// From the figures themselves. `None` when they contradict each other.
    #[must_use]
    pub fn from_fields(total: u64, used: u64) -> Option<SwapUsage> {
        (used <= total).then_some(SwapUsage { total, used })
    }

    /// Reads a line as `sysctl vm.swapusage` prints it; the unit is MiB.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<SwapUsage> {
        let value = |name: &[u8]| {
            let mut words = words(text).skip_while(|word| *word != name).skip(1);
            (words.next() == Some(b"=")).then(|| words.next())?
        };
        let bytes = |word: &[u8]| {
            let mib: f64 = number(word.strip_suffix(b"M")?)?;
            // 2³² MiB is more than any machine has, and fits.
            (0.0..4e9).contains(&mib).then_some((mib * 1_048_576.0).round() as u64)
        };
        SwapUsage::from_fields(bytes(value(b"total")?)?, bytes(value(b"used")?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_captured_line_is_read() {
        let text = include_str!("../../tests/data/macos/sysctl.txt");
        let line = text.lines().find(|line| line.starts_with("vm.swapusage"));
        let swap = SwapUsage::parse(line.unwrap().as_bytes()).unwrap();
        assert_eq!(swap.total, 4096 << 20);
        assert_eq!(swap.used, 3_163_815_936);
    }

    #[test]
    fn the_struct_of_the_sysctl_is_read() {
        let words = [4096_u64 << 20, 1000, (4096 << 20) - 1000, 16_384];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let swap = SwapUsage::from_bytes(&bytes).unwrap();
        assert_eq!((swap.total, swap.used), (4096 << 20, (4096 << 20) - 1000));
        assert_eq!(SwapUsage::from_bytes(&bytes[..20]), None);
    }

    #[test]
    fn what_is_cut_or_contradictory_is_none() {
        assert_eq!(SwapUsage::parse(b""), None);
        assert_eq!(SwapUsage::parse(b"vm.swapusage: total = 4096.00M  used = 30"), None);
        assert_eq!(SwapUsage::from_fields(1, 2), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = (SwapUsage::parse(&bytes), SwapUsage::from_bytes(&bytes));
        }
    }
}
