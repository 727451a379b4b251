//! The series of a sample: one table for everyone who summarises, joins, draws
//! or documents them.

use crate::Sample;

/// What a value means between two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A level: it holds until the next sample.
    Gauge,
    /// Something counted since the sample before: it covers that interval.
    Rate,
}

/// The unit of a series, and with it how many decimals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 10⁹ bytes, 3 decimals.
    Gb,
    /// 10⁶ bytes, 1 decimal.
    Mb,
    /// Percent from 0 to 100, 1 decimal.
    Pct,
    /// Watts, 2 decimals.
    Watt,
    /// Degrees Celsius, 1 decimal.
    Celsius,
    /// Runnable tasks, 2 decimals.
    Load,
    /// 10⁶ cycles a second, a whole number.
    Mhz,
    /// A whole number.
    Count,
    /// A step on a small scale.
    Level,
}

impl Unit {
    /// Decimals with which values of this unit are written.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        match self {
            Unit::Gb => 3,
            Unit::Watt | Unit::Load => 2,
            Unit::Mb | Unit::Pct | Unit::Celsius => 1,
            Unit::Mhz | Unit::Count | Unit::Level => 0,
        }
    }
}

/// One series of the samples.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Its field in a sample.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it means between samples.
    pub hold: Hold,
    /// Its value in a sample, if it was measured.
    pub get: fn(&Sample) -> Option<f64>,
}

/// The series called `name`.
#[must_use]
pub fn series(name: &str) -> Option<&'static Series> {
    SERIES.iter().find(|series| series.name == name)
}

/// The place in [`SERIES`] of the series called `name`. For constants: a name that is
/// no series does not compile.
#[must_use]
pub const fn place(name: &str) -> usize {
    let name = name.as_bytes();
    let mut place = 0;
    // No iterators, no comparison of texts: this runs while compiling.
    while place < SERIES.len() {
        let other = SERIES[place].name.as_bytes();
        let mut at = 0;
        while at < name.len() && other.len() == name.len() && other[at] == name[at] {
            at += 1;
        }
        if at == name.len() && at == other.len() {
            return place;
        }
        place += 1;
    }
    // Out of bounds, which while compiling is an error.
    SERIES.len()
}

/// The values of one sample, in the order of [`SERIES`]. NaN, which JSON does not
/// know, stands for a value that the sample lacks.
#[derive(Clone, Copy, Debug)]
pub struct Values(pub [f64; SERIES.len()]);

impl Values {
    /// No value of any series.
    pub const NONE: Values = Values([f64::NAN; SERIES.len()]);

    /// Those of `sample`.
    #[must_use]
    pub fn of(sample: &Sample) -> Values {
        let mut values = Values::NONE;
        for (value, series) in values.0.iter_mut().zip(SERIES) {
            *value = (series.get)(sample).unwrap_or(f64::NAN);
        }
        values
    }

    /// The value of the series at `place`, if it was measured.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<f64> {
        Some(self.0[place]).filter(|value| !value.is_nan())
    }
}

macro_rules! table {
    ($($field:ident $unit:ident $hold:ident;)*) => {
        /// Every series, in the order of the sample's fields.
        pub const SERIES: &[Series] = &[$(Series {
            name: stringify!($field),
            unit: Unit::$unit,
            hold: Hold::$hold,
            get: |sample| sample.$field.map(f64::from),
        },)*];
    };
}

table! {
    ram_total_gb Gb Gauge;
    ram_free_gb Gb Gauge;
    ram_used_gb Gb Gauge;
    ram_wired_gb Gb Gauge;
    ram_compressed_gb Gb Gauge;
    swap_used_mb Mb Gauge;
    swap_total_mb Mb Gauge;
    memory_pressure Level Gauge;
    memory_free_pct Pct Gauge;
    load_1 Load Gauge;
    load_5 Load Gauge;
    load_15 Load Gauge;
    cpu_user Pct Rate;
    cpu_sys Pct Rate;
    cpu_idle Pct Rate;
    cpu_freq_mhz Mhz Rate;
    cpu_power_w Watt Rate;
    cpu_temp_c Celsius Gauge;
    gpu_device_util Pct Rate;
    gpu_renderer_util Pct Rate;
    gpu_tiler_util Pct Rate;
    gpu_mem_used_gb Gb Gauge;
    gpu_power_w Watt Rate;
    gpu_temp_c Celsius Gauge;
    gpu_residency_pct Pct Rate;
    gpu_freq_mhz Mhz Rate;
    ane_power_w Watt Rate;
    dram_power_w Watt Rate;
    thermal_level Level Gauge;
    tree_rss_gb Gb Gauge;
    tree_pss_gb Gb Gauge;
    tree_footprint_gb Gb Gauge;
    tree_cpu_pct Pct Rate;
    tree_procs Count Gauge;
    zombies Count Gauge;
    cgroup_limit_gb Gb Gauge;
    cgroup_used_gb Gb Gauge;
    cgroup_free_gb Gb Gauge;
    cgroup_swap_mb Mb Gauge;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SERIES, Values, place, series};
    use crate::{Origin, Sample};

    #[test]
    fn every_numeric_field_of_a_sample_is_a_series_or_tells_of_the_sampling() {
        let sample: Sample = serde_json::from_value(serde_json::json!({
            "record": "sample", "v": 1, "ts": 1.0, "run": "r", "host": "h", "seq": 0, "elapsed_s": 0.0,
        }))
        .unwrap();
        assert!(SERIES.iter().all(|s| (s.get)(&sample).is_none()));

        let not_series = [
            "record",
            "v",
            "ts",
            "run",
            "host",
            "seq",
            "elapsed_s",
            "read_us",
            "late_us",
            "missed",
            "gpus",
            "tree_incomplete",
            "vm_stale",
        ];
        let schema = serde_json::to_value(schemars::schema_for!(Sample)).unwrap();
        let fields: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|name| !not_series.contains(name))
            .collect();
        let known: BTreeSet<&str> = SERIES.iter().map(|s| s.name).collect();
        assert_eq!(fields, known);
    }

    #[test]
    fn a_series_reads_its_own_field() {
        let mut sample = Sample::at(1.0, &Origin::default());
        sample.swap_used_mb = Some(12.5);
        sample.memory_pressure = Some(4);
        assert_eq!((series("swap_used_mb").unwrap().get)(&sample), Some(12.5));
        assert_eq!((series("memory_pressure").unwrap().get)(&sample), Some(4.0));
        assert_eq!((series("load_1").unwrap().get)(&sample), None);
        assert!(series("nothing").is_none());

        const SWAP: usize = place("swap_used_mb");
        const LAST: usize = place("cgroup_swap_mb");
        let values = Values::of(&sample);
        assert_eq!((values.get(SWAP), values.get(LAST)), (Some(12.5), None));
        assert_eq!(LAST, SERIES.len() - 1);
        assert_eq!(place("swap_used"), SERIES.len());
    }
}
