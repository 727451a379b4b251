//! The last sample as Prometheus reads it: the text format, version 0.0.4.
//!
//! Names and units follow Prometheus' conventions: base units (bytes, seconds, ratios
//! from 0 to 1, watts), the unit at the end of the name.

use std::fmt::Write as _;

use records::{GpuSample, Hold, SERIES, Sample, Unit, round, schema};
use serde_json::Value;

/// What is slow to read is in one sample of many. It is shown until it is so old.
const HELD_S: f64 = 10.0;

/// What is served.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The last sample.
    pub sample: Sample,
    /// Samples so far.
    pub samples: u64,
    /// Grid points that passed unused.
    pub missed: u64,
    /// Of each of [`SERIES`] its last value, and when in the stream that was.
    held: [Option<(f64, f64)>; SERIES.len()],
}

impl Latest {
    /// `sample`, after those that led to `before`.
    #[must_use]
    pub fn new(sample: Sample, samples: u64, missed: u64, before: Option<&Latest>) -> Latest {
        let mut held = before.map_or([None; SERIES.len()], |before| before.held);
        for (series, held) in SERIES.iter().zip(&mut held) {
            let value = (series.get)(&sample);
            // A rate is about its own interval and says nothing of the next.
            let kept = held.filter(|(_, at_s)| {
                series.hold == Hold::Gauge && sample.elapsed_s - at_s <= HELD_S
            });
            *held = value.map(|value| (value, sample.elapsed_s)).or(kept);
        }
        Latest { sample, samples, missed, held }
    }
}

/// The page, once made up: names, units and help do not change.
pub struct Page {
    /// One for each of [`SERIES`].
    metrics: Vec<Metric>,
}

/// A series under Prometheus' name.
struct Metric {
    name: String,
    help: String,
    /// From our unit to the base unit.
    scale: f64,
    decimals: u8,
    /// Its value for one GPU, when it is one that each GPU has.
    of_gpu: Option<fn(&GpuSample) -> Option<f64>>,
}

impl Page {
    /// The page; help is what the schema says of each field.
    #[must_use]
    pub fn new() -> Page {
        let text = schema::named("sample.v1").map_or("{}", |schema| schema.text);
        let schema: Value = serde_json::from_str(text).unwrap_or_default();
        let metrics = SERIES.iter().map(|series| {
            let said = schema["properties"][series.name]["description"].as_str();
            Metric::of(series.name, series.unit, said.unwrap_or(series.name))
        });
        Page { metrics: metrics.collect() }
    }

    /// The text for `latest`.
    #[must_use]
    pub fn text(&self, latest: &Latest) -> String {
        let mut out = String::with_capacity(8 << 10);
        for (metric, held) in self.metrics.iter().zip(latest.held) {
            // Several GPUs have a value each: their sum or maximum beside them would
            // be counted twice by whoever adds up.
            match (&latest.sample.gpus, metric.of_gpu) {
                (Some(gpus), Some(value)) => {
                    let values = gpus.iter().enumerate().filter_map(|(index, gpu)| {
                        let name = escape(gpu.name.as_deref().unwrap_or_default());
                        Some((format!("{{gpu=\"{index}\",name=\"{name}\"}}"), value(gpu)?))
                    });
                    metric.write(&mut out, values);
                }
                _ => {
                    let value = held.map(|(value, _)| (String::new(), value));
                    metric.write(&mut out, value.into_iter());
                }
            }
        }
        let sampler = [
            ("samples_total", "counter", "Samples taken.", latest.samples as f64),
            ("missed_total", "counter", "Deadlines that passed unused.", latest.missed as f64),
            (
                "sample_timestamp_seconds",
                "gauge",
                "When the last sample was taken.",
                latest.sample.ts,
            ),
        ];
        for (name, kind, help, value) in sampler {
            let _ = write!(
                out,
                "# HELP memmon_{name} {help}\n# TYPE memmon_{name} {kind}\nmemmon_{name} {value}\n"
            );
        }
        out
    }
}

impl Default for Page {
    fn default() -> Page {
        Page::new()
    }
}

impl Metric {
    fn of(field: &str, unit: Unit, help: &str) -> Metric {
        let (suffix, scale, said) = match unit {
            Unit::Gb => ("_bytes", 1e9, " As bytes."),
            Unit::Mb => ("_bytes", 1e6, " As bytes."),
            Unit::Pct => ("_ratio", 0.01, " As a ratio from 0 to 1."),
            Unit::Watt => ("_watts", 1.0, " As watts."),
            Unit::Celsius => ("_celsius", 1.0, " As degrees Celsius."),
            Unit::Mhz => ("_hertz", 1e6, " As hertz."),
            Unit::Load | Unit::Count | Unit::Level => ("", 1.0, ""),
        };
        let stem = ["_gb", "_mb", "_pct", "_w", "_c", "_mhz"]
            .iter()
            .find_map(|unit| field.strip_suffix(unit))
            .unwrap_or(field);
        let help = help.replace('\\', "\\\\").replace('\n', " ");
        let of_gpu: Option<fn(&GpuSample) -> Option<f64>> = match field {
            "gpu_device_util" => Some(|gpu| gpu.device_util),
            "gpu_mem_used_gb" => Some(|gpu| gpu.mem_used_gb),
            "gpu_power_w" => Some(|gpu| gpu.power_w),
            "gpu_temp_c" => Some(|gpu| gpu.temp_c),
            _ => None,
        };
        Metric {
            name: format!("memmon_{stem}{suffix}"),
            help: format!("{help}{said}"),
            scale,
            // Of a ratio two more than of a percentage; of bytes none.
            decimals: if unit == Unit::Pct { unit.decimals() + 2 } else { unit.decimals() },
            of_gpu,
        }
    }

    /// Writes all values under one head, and nothing when there are none.
    fn write(&self, out: &mut String, values: impl Iterator<Item = (String, f64)>) {
        let Metric { name, help, .. } = self;
        let mut values = values.peekable();
        if values.peek().is_some() {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        }
        for (labels, value) in values {
            // What scaling adds beyond the decimals is the noise of binary fractions.
            let value = round(value * self.scale, self.decimals);
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    }
}

/// A label's value as the format wants it.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use records::{GpuSample, Origin, SERIES, Sample};

    use super::{Latest, Page};

    fn text(sample: Sample) -> String {
        Page::new().text(&Latest::new(sample, 7, 2, None))
    }

    #[test]
    fn units_become_base_units_and_what_was_not_measured_is_absent() {
        let text = text(Sample {
            ram_free_gb: Some(3.123),
            swap_used_mb: Some(0.1),
            cpu_user: Some(12.3),
            load_1: Some(0.29),
            memory_pressure: Some(2),
            gpu_freq_mhz: Some(1_338.0),
            ..Sample::at(1_770_811_205.001, &Origin::default())
        });
        let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            values,
            [
                "memmon_ram_free_bytes 3123000000",
                "memmon_swap_used_bytes 100000",
                "memmon_memory_pressure 2",
                "memmon_load_1 0.29",
                "memmon_cpu_user_ratio 0.123",
                "memmon_gpu_freq_hertz 1338000000",
                "memmon_samples_total 7",
                "memmon_missed_total 2",
                "memmon_sample_timestamp_seconds 1770811205.001",
            ]
        );
        assert!(text.contains("# HELP memmon_swap_used_bytes Swap in use. As bytes.\n"), "{text}");
    }

    #[test]
    fn what_is_slow_to_read_is_shown_until_it_is_old_and_a_rate_is_not() {
        let at = |elapsed_s| Sample { elapsed_s, ..Sample::at(0.0, &Origin::default()) };
        let slow = Sample { zombies: Some(3), cpu_user: Some(50.0), ..at(1.0) };
        let first = Latest::new(slow, 1, 0, None);
        let second = Latest::new(at(1.2), 2, 0, Some(&first));
        let text = Page::new().text(&second);
        assert!(text.contains("memmon_zombies 3\n") && !text.contains("memmon_cpu_user"), "{text}");
        assert_eq!(second.sample.zombies, None, "the sample is as it was written");
        let third = Latest::new(at(11.5), 3, 0, Some(&second));
        assert!(!Page::new().text(&third).contains("zombies"));
    }

    #[test]
    fn every_series_has_a_name_of_its_own_and_help_of_one_line() {
        let page = Page::new();
        let names: BTreeSet<&str> =
            page.metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names.len(), SERIES.len());
        for metric in &page.metrics {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(metric.name.chars().all(plain), "{}", metric.name);
            assert!(!metric.help.contains('\n') && metric.help.len() > 10, "{}", metric.help);
        }
    }

    #[test]
    fn several_gpus_have_a_value_each_and_no_sum() {
        let gpu = |name: &str, util| GpuSample {
            name: Some(name.into()),
            device_util: Some(util),
            ..GpuSample::default()
        };
        let text = text(Sample {
            gpu_device_util: Some(90.0),
            gpus: Some(vec![gpu("A \"x\"", 10.0), gpu("B", 90.0)]),
            ..Sample::at(0.0, &Origin::default())
        });
        let util: Vec<&str> =
            text.lines().filter(|line| line.starts_with("memmon_gpu_device_util_ratio")).collect();
        assert_eq!(
            util,
            [
                r#"memmon_gpu_device_util_ratio{gpu="0",name="A \"x\""} 0.1"#,
                r#"memmon_gpu_device_util_ratio{gpu="1",name="B"} 0.9"#,
            ]
        );
        assert_eq!(text.matches("# TYPE memmon_gpu_device_util_ratio gauge").count(), 1);
    }
}
