//! The lines of mlx-knife's own sampler: the same keys in the same order, the same
//! units and decimals, so that its plots and reports read them.
//!
//! Its units are not those of our records: what it calls GB and MB are 2³⁰ and 2²⁰
//! bytes. Where it always wrote 0 (`ram_used_gb`, `ram_percent`, `swap_percent`) stands
//! what was measured. What was not measured is left out and never null: its tools ask
//! for a key with a default and do arithmetic with what they get. `vm_pressure`, which
//! is no level but a count of pages, is left out.

use std::{ffi::OsString, io, time::Duration};

use jiff::Timestamp;
use records::{MinMeanMax, Sample, Summary, round};
use serde::Serialize;
use serde_json::{Map, Value, ser::Formatter};

/// 10⁹ bytes in units of 2³⁰.
const GIB: f64 = 1e9 / (1u64 << 30) as f64;
/// 10⁶ bytes in units of 2²⁰.
const MIB: f64 = 1e6 / (1u64 << 20) as f64;

/// What is written of a sample.
#[must_use]
pub fn sample(sample: &Sample) -> Map<String, Value> {
    let share = |part: Option<f64>, whole: Option<f64>| {
        let (part, whole) = (part?, whole.filter(|whole| *whole > 0.0)?);
        number(100.0 * part / whole, 1)
    };
    let percent = |value: Option<f64>| value.and_then(|value| number(value, 1));
    let load = |value: Option<f64>| value.and_then(|value| number(value, 2));
    let ram_taken = sample.ram_total_gb.zip(sample.ram_free_gb).map(|(total, free)| total - free);
    object([
        ("ram_free_gb", sample.ram_free_gb.and_then(gib)),
        ("ram_used_gb", sample.ram_used_gb.and_then(gib)),
        ("ram_percent", share(ram_taken, sample.ram_total_gb)),
        ("swap_used_mb", sample.swap_used_mb.and_then(mib)),
        ("swap_percent", share(sample.swap_used_mb, sample.swap_total_mb)),
        ("memory_pressure", sample.memory_pressure.map(Value::from)),
        ("load_1", load(sample.load_1)),
        ("load_5", load(sample.load_5)),
        ("load_15", load(sample.load_15)),
        ("cpu_user", percent(sample.cpu_user)),
        ("cpu_sys", percent(sample.cpu_sys)),
        ("cpu_idle", percent(sample.cpu_idle)),
        ("gpu_active", Some(Value::from(sample.gpu_device_util.is_some()))),
        ("gpu_device_util", percent(sample.gpu_device_util)),
        ("gpu_renderer_util", percent(sample.gpu_renderer_util)),
        ("gpu_tiler_util", percent(sample.gpu_tiler_util)),
        ("ts", number(sample.ts, 3)),
        // One decimal more than mlx-knife writes: its shortest interval is not ours.
        ("elapsed_s", number(sample.elapsed_s, 3)),
    ])
}

/// What is written at the end of a run at `interval`; of `command`, when there was one,
/// with its `exit` code.
#[must_use]
pub fn summary(
    summary: &Summary,
    interval: Duration,
    command: &[OsString],
    exit: u8,
) -> Map<String, Value> {
    let series = |name: &str| summary.series.get(name).copied();
    let least = |series: MinMeanMax| series.min;
    let mean = |series: MinMeanMax| series.mean;
    let most = |series: MinMeanMax| series.max;
    let rounded = |name, of: fn(MinMeanMax) -> f64, decimals| {
        series(name).and_then(|series| number(of(series), decimals))
    };
    let ram = series("ram_free_gb");
    let swap = series("swap_used_mb");
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let inner = object([
        ("duration_s", number(summary.duration_s, 2)),
        ("samples", Some(Value::from(summary.samples))),
        ("interval_ms", Some(Value::from(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)))),
        ("ram_free_min_gb", ram.map(least).and_then(gib)),
        ("ram_free_max_gb", ram.map(most).and_then(gib)),
        ("ram_free_avg_gb", ram.map(mean).and_then(gib)),
        ("swap_max_mb", swap.map(most).and_then(mib)),
        ("swap_avg_mb", swap.map(mean).and_then(|mb| number(mb * MIB, 1))),
        ("load_max", rounded("load_1", most, 2)),
        ("load_avg", rounded("load_1", mean, 2)),
        ("cpu_user_max", rounded("cpu_user", most, 1)),
        ("cpu_sys_max", rounded("cpu_sys", most, 1)),
        ("gpu_device_max", rounded("gpu_device_util", most, 1)),
        ("gpu_device_avg", rounded("gpu_device_util", mean, 1)),
        ("gpu_renderer_max", rounded("gpu_renderer_util", most, 1)),
        ("gpu_renderer_avg", rounded("gpu_renderer_util", mean, 1)),
        ("exit_code", (!command.is_empty()).then(|| Value::from(exit))),
        ("command", (!command.is_empty()).then(|| Value::from(words.join(" ")))),
        ("timestamp", iso_8601(summary.end_ts).map(Value::from)),
    ]);
    object([("summary", Some(Value::Object(inner)))])
}

/// Writes `line` as Python's `json.dumps` does, without a newline.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write(out: impl io::Write, line: &Map<String, Value>) -> serde_json::Result<()> {
    line.serialize(&mut serde_json::Serializer::with_formatter(out, Spaced))
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn number(value: f64, decimals: u8) -> Option<Value> {
    serde_json::Number::from_f64(round(value, decimals)).map(Value::Number)
}

fn gib(gb: f64) -> Option<Value> {
    number(gb * GIB, 2)
}

/// A whole number, as there.
fn mib(mb: f64) -> Option<Value> {
    Some(Value::from((mb * MIB).round() as u64))
}

fn iso_8601(unix_s: f64) -> Option<String> {
    let stamp = Timestamp::from_microsecond((unix_s * 1e6).round() as i64).ok()?;
    // Six decimals or none, as Python; its older versions read nothing else.
    let is_whole = stamp.subsec_nanosecond() == 0;
    let format = if is_whole { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S%.6f+00:00" };
    Some(stamp.strftime(format).to_string())
}

/// A space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use proptest::prelude::*;
    use records::{LineKind, MinMeanMax, Origin, Sample, Summary, legacy::LegacySample};
    use serde_json::{Map, Value};

    use super::{GIB, MIB, sample, summary, write};

    /// Two lines of the layout, and its summary.
    const THEIRS: [&str; 2] = [
        r#"{"ram_free_gb": 36.25, "ram_used_gb": 0, "ram_percent": 0, "swap_used_mb": 1524, "swap_percent": 0, "memory_pressure": 1, "vm_pressure": 0, "load_1": 2.0, "load_5": 2.0, "load_15": 2.0, "cpu_user": 4.9, "cpu_sys": 3.1, "cpu_idle": 92.0, "gpu_active": true, "gpu_device_util": 3.0, "gpu_renderer_util": 2.0, "gpu_tiler_util": 2.0, "ts": 1770811205.001, "elapsed_s": 0.0}"#,
        r#"{"ram_free_gb": 35.75, "ram_used_gb": 0, "ram_percent": 0, "swap_used_mb": 1524, "swap_percent": 0, "memory_pressure": 1, "vm_pressure": 0, "load_1": 4.87, "load_5": 5.81, "load_15": 4.25, "cpu_user": 2.6, "cpu_sys": 1.0, "cpu_idle": 96.4, "gpu_active": true, "gpu_device_util": 2.0, "gpu_renderer_util": 1.0, "gpu_tiler_util": 1.0, "ts": 1770811384.803, "elapsed_s": 179.8}"#,
    ];
    const THEIR_SUMMARY: &str = r#"{"summary": {"duration_s": 180.0, "samples": 900, "interval_ms": 200, "ram_free_min_gb": 10.87, "ram_free_max_gb": 36.25, "ram_free_avg_gb": 25.05, "swap_max_mb": 1563, "swap_avg_mb": 1525.5, "load_max": 6.09, "load_avg": 5.7, "cpu_user_max": 20.0, "cpu_sys_max": 24.8, "gpu_device_max": 99.0, "gpu_device_avg": 59.2, "gpu_renderer_max": 98.0, "gpu_renderer_avg": 49.7, "exit_code": 0, "command": "pytest -m wet -v", "timestamp": "2026-02-11T12:03:05+00:00"}}"#;

    fn text(line: &Map<String, Value>) -> String {
        let mut out = Vec::new();
        write(&mut out, line).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// A sample of ours that says what one of theirs says.
    fn ours(theirs: &LegacySample) -> Sample {
        Sample {
            ram_free_gb: theirs.ram_free_gb.map(|gib| gib / GIB),
            swap_used_mb: theirs.swap_used_mb.map(|mib| mib / MIB),
            elapsed_s: theirs.elapsed_s.unwrap(),
            ..theirs.upgrade(0, &Origin::default())
        }
    }

    #[test]
    fn what_we_write_is_byte_for_byte_what_they_wrote_but_for_zeros_that_mean_nothing() {
        for line in THEIRS {
            let theirs: LegacySample = records::parse(line.as_bytes()).unwrap();
            let mut wanted = line.to_owned();
            for nothing in ["ram_used_gb", "ram_percent", "swap_percent", "vm_pressure"] {
                wanted = wanted.replace(&format!("\"{nothing}\": 0, "), "");
            }
            assert_eq!(text(&sample(&ours(&theirs))), wanted);
        }
    }

    #[test]
    fn the_summary_is_byte_for_byte_theirs() {
        let all = |min, mean, max| MinMeanMax { min, mean, max };
        let series = [
            ("ram_free_gb", all(10.87 / GIB, 25.05 / GIB, 36.25 / GIB)),
            ("swap_used_mb", all(0.0, 1525.5 / MIB, 1563.0 / MIB)),
            ("load_1", all(0.0, 5.7, 6.09)),
            ("cpu_user", all(0.0, 5.0, 20.0)),
            ("cpu_sys", all(0.0, 5.0, 24.8)),
            ("gpu_device_util", all(0.0, 59.2, 99.0)),
            ("gpu_renderer_util", all(0.0, 49.7, 98.0)),
        ];
        let end = Summary {
            end_ts: 1_770_811_385.0,
            duration_s: 180.001,
            samples: 900,
            series: BTreeMap::from(series.map(|(name, all)| (name.to_owned(), all))),
            ..Summary::at(1_770_811_205.0, &Origin::default())
        };
        let command = ["pytest", "-m", "wet", "-v"].map(Into::into);
        let line = text(&summary(&end, Duration::from_millis(200), &command, 0));
        assert_eq!(line, THEIR_SUMMARY);
        assert_eq!(records::classify(line.as_bytes()), LineKind::LegacySummary);
    }

    #[test]
    fn what_was_not_measured_is_left_out_and_what_they_could_not_measure_is_there() {
        let mut seen = Sample::at(1.5, &Origin::default());
        assert_eq!(text(&sample(&seen)), r#"{"gpu_active": false, "ts": 1.5, "elapsed_s": 0.0}"#);
        (seen.ram_total_gb, seen.ram_free_gb, seen.ram_used_gb) =
            (Some(16.0), Some(4.0), Some(12.0));
        (seen.swap_total_mb, seen.swap_used_mb) = (Some(0.0), Some(0.0));
        assert_eq!(
            text(&sample(&seen)),
            r#"{"ram_free_gb": 3.73, "ram_used_gb": 11.18, "ram_percent": 75.0, "swap_used_mb": 0, "gpu_active": false, "ts": 1.5, "elapsed_s": 0.0}"#
        );
    }

    #[test]
    fn a_time_has_six_decimals_or_none() {
        let at = |s| super::iso_8601(s).unwrap();
        assert_eq!(at(1_770_811_385.0), "2026-02-11T12:03:05+00:00");
        assert_eq!(at(1_770_811_385.642_51), "2026-02-11T12:03:05.642510+00:00");
    }

    proptest! {
        #[test]
        fn the_legacy_reader_reads_back_what_was_measured(
            ram_gb in proptest::option::of(0.0..2_000.0),
            swap_mb in proptest::option::of(0.0..100_000.0),
            pressure in proptest::option::of(proptest::sample::select(vec![1u8, 2, 4])),
            load in proptest::option::of(0.0..500.0),
            cpu in proptest::option::of(0.0..=100.0),
            gpu in proptest::option::of(0.0..=100.0),
            ts in 1.0e9..4.0e9,
        ) {
            let seen = Sample {
                ram_free_gb: ram_gb.map(|v| records::round(v, 3)),
                swap_used_mb: swap_mb.map(|v| records::round(v, 1)),
                memory_pressure: pressure,
                load_15: load.map(|v| records::round(v, 2)),
                cpu_sys: cpu.map(|v| records::round(v, 1)),
                gpu_device_util: gpu.map(|v| records::round(v, 1)),
                ..Sample::at(ts, &Origin::default())
            };
            let line = text(&sample(&seen));
            let read: LegacySample = records::parse(line.as_bytes()).unwrap();
            let near = |a: Option<f64>, b: Option<f64>, by: f64| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= by,
                (a, b) => a.is_none() && b.is_none(),
            };
            prop_assert!(near(read.ram_free_gb.map(|v| v / GIB), seen.ram_free_gb, 0.0054));
            prop_assert!(near(read.swap_used_mb.map(|v| v / MIB), seen.swap_used_mb, 0.53));
            prop_assert_eq!(read.memory_pressure, seen.memory_pressure);
            prop_assert_eq!(read.load_15, seen.load_15);
            prop_assert_eq!(read.cpu_sys, seen.cpu_sys);
            prop_assert_eq!(read.gpu_device_util, seen.gpu_device_util);
            prop_assert_eq!(read.gpu_active, Some(seen.gpu_device_util.is_some()));
            prop_assert!((read.ts - seen.ts).abs() <= 0.000_51);
            prop_assert_eq!(read.vm_pressure, None);
        }
    }
}
