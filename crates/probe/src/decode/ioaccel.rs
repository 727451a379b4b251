//! `PerformanceStatistics` of Apple's `IOAccelerator`: pairs of a key and an
//! integer, in no particular order, any of which may be missing.

/// Utilisation of the whole device. A delta since anyone's last read.
pub const DEVICE_UTIL: &str = "Device Utilization %";
/// Utilisation of the renderer.
pub const RENDERER_UTIL: &str = "Renderer Utilization %";
/// Utilisation of the tiler.
pub const TILER_UTIL: &str = "Tiler Utilization %";
/// Memory that the GPU uses now. Not to be mixed up with the key that has
/// `(driver)` after the same words.
pub const MEM_USED: &str = "In use system memory";

/// The keys that are read; a caller that can look keys up needs no others.
pub const KEYS: [&str; 4] = [DEVICE_UTIL, RENDERER_UTIL, TILER_UTIL, MEM_USED];

/// The GPU numbers of one `PerformanceStatistics`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AccelStats {
    /// Percent of the time since anyone's last read.
    pub device_util_pct: Option<f64>,
    /// Percent.
    pub renderer_util_pct: Option<f64>,
    /// Percent.
    pub tiler_util_pct: Option<f64>,
    /// Bytes.
    pub mem_used_bytes: Option<u64>,
}

impl AccelStats {
    /// Gathers the known keys from `pairs`; others are passed over.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, i64)>) -> AccelStats {
        let mut stats = AccelStats::default();
        for (key, value) in pairs {
            match key {
                DEVICE_UTIL => stats.device_util_pct = percent(value),
                RENDERER_UTIL => stats.renderer_util_pct = percent(value),
                TILER_UTIL => stats.tiler_util_pct = percent(value),
                // Integers all the way: memory does not pass through a double.
                MEM_USED => stats.mem_used_bytes = u64::try_from(value).ok(),
                _ => {}
            }
        }
        stats
    }

    /// Nothing was found: this node is not the one that counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == AccelStats::default()
    }
}

/// Drivers of Intel and AMD Macs add up engines and can pass 100, by which
/// they mean a busy GPU; below 0 there is no meaning.
fn percent(value: i64) -> Option<f64> {
    (value >= 0).then_some(value.min(100) as f64)
}

/// The pairs of the first `PerformanceStatistics` in what `ioreg` prints.
/// Values that are no integers are left out; a text cut short gives the pairs
/// before the cut.
#[must_use]
pub fn parse_ioreg(text: &str) -> Vec<(&str, i64)> {
    const NAME: &str = "\"PerformanceStatistics\"";
    let mut pairs = Vec::new();
    let body = text
        .find(NAME)
        .map(|at| text[at + NAME.len()..].trim_start())
        .and_then(|rest| rest.strip_prefix('='))
        .and_then(|rest| rest.trim_start().strip_prefix('{'));
    let Some(mut rest) = body else {
        return pairs;
    };
    while let Some((key, after)) = quoted(rest) {
        let Some(after) = after.trim_start().strip_prefix('=') else {
            break;
        };
        let Some(end) = value_end(after) else { break };
        // Unsigned in the registry, signed in Core Foundation: same bits.
        let value = after[..end].trim();
        let bits = value.parse::<u64>().map(|value| value as i64);
        if let Ok(value) = bits.or_else(|_| value.parse::<i64>()) {
            pairs.push((key, value));
        }
        match after[end..].strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    pairs
}

/// A string in quotes at the start of `text`, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.trim_start().strip_prefix('"')?.split_once('"')
}

/// Where the value at the start of `text` ends: at the first comma or closing
/// brace outside any string or nested value. `None` when it does not.
fn value_end(text: &str) -> Option<usize> {
    let (mut depth, mut in_string) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'(' | b'<' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b'}' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Device, renderer and tiler percent, and bytes in use, of a capture.
    fn read(text: &str) -> (f64, f64, f64, u64) {
        let stats = AccelStats::from_pairs(parse_ioreg(text));
        (
            stats.device_util_pct.unwrap(),
            stats.renderer_util_pct.unwrap(),
            stats.tiler_util_pct.unwrap(),
            stats.mem_used_bytes.unwrap(),
        )
    }

    macro_rules! capture {
        ($name:literal) => {
            include_str!(concat!("../../tests/data/macos/ioreg-", $name, ".txt"))
        };
    }

    #[test]
    fn m1_max_on_macos_12_has_no_driver_key() {
        assert_eq!(read(capture!("m1max-macos12")), (2.0, 2.0, 2.0, 340_983_808));
    }

    #[test]
    fn m1_max_running_a_model() {
        let expected = (94.0, 62.0, 62.0, 2_541_387_776);
        assert_eq!(read(capture!("m1max-model-run")), expected);
    }

    #[test]
    fn m2_idle() {
        assert_eq!(read(capture!("m2")), (4.0, 0.0, 0.0, 632_307_712));
    }

    #[test]
    fn m3_pro() {
        assert_eq!(read(capture!("m3pro")), (16.0, 11.0, 7.0, 568_164_352));
    }

    #[test]
    fn m4_whose_renderer_and_tiler_differ() {
        assert_eq!(read(capture!("m4-trimmed")), (30.0, 29.0, 30.0, 356_089_856));
    }

    #[test]
    fn m5_with_fewer_keys() {
        assert_eq!(read(capture!("m5")), (46.0, 60.0, 3.0, 843_038_720));
    }

    #[test]
    fn the_driver_key_after_the_plain_one_does_not_replace_it() {
        let text = r#""PerformanceStatistics" = {"In use system memory"=7,"In use system memory (driver)"=0}"#;
        let stats = AccelStats::from_pairs(parse_ioreg(text));
        assert_eq!(stats.mem_used_bytes, Some(7));
        let only_driver = r#""PerformanceStatistics" = {"In use system memory (driver)"=0}"#;
        assert!(AccelStats::from_pairs(parse_ioreg(only_driver)).is_empty());
    }

    #[test]
    fn integers_above_2_to_the_53_keep_every_digit() {
        let text = r#""PerformanceStatistics" = {"In use system memory"=9007199254740993,"x"=18446744073709551615}"#;
        let pairs = parse_ioreg(text);
        assert_eq!(pairs[1], ("x", -1));
        let stats = AccelStats::from_pairs(pairs);
        assert_eq!(stats.mem_used_bytes, Some(9_007_199_254_740_993));
    }

    #[test]
    fn strings_and_nested_values_are_passed_over() {
        let text = r#""PerformanceStatistics"={"a"={"Device Utilization %"=9},"b"="x,}y","c"=(1,2),"Device Utilization %"=5}"#;
        assert_eq!(parse_ioreg(text), [("Device Utilization %", 5)]);
    }

    #[test]
    fn a_busy_gpu_counted_past_100_is_100_and_a_negative_one_unknown() {
        let stats = AccelStats::from_pairs([(DEVICE_UTIL, 117), (TILER_UTIL, -1)]);
        assert_eq!((stats.device_util_pct, stats.tiler_util_pct), (Some(100.0), None));
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(text: String, body: String) {
            let _ = parse_ioreg(&text);
            let _ = parse_ioreg(&format!("\"PerformanceStatistics\" = {{{body}"));
        }

        #[test]
        fn no_cut_gives_a_wrong_number(cut in 0..capture!("m5").len()) {
            let whole = parse_ioreg(capture!("m5"));
            for pair in parse_ioreg(&capture!("m5")[..cut]) {
                prop_assert!(whole.contains(&pair));
            }
        }
    }
}
