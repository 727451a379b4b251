//! Samples and the summary of the reference sampler.

use serde::{Deserialize, Serialize};

use crate::{Origin, Sample};

/// A sample of the reference sampler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacySample {
    /// Unix seconds, taken **after** the reading.
    pub ts: f64,
    /// Seconds since the sampler began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<f64>,
    /// Free memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free_gb: Option<f64>,
    /// Always 0: not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_used_gb: Option<f64>,
    /// Always 0: not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_percent: Option<f64>,
    /// Swap in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_mb: Option<f64>,
    /// Always 0: not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_percent: Option<f64>,
    /// 1 normal, 2 warn, 4 critical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_pressure: Option<u8>,
    /// Pages reclaimed lately, not a level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_pressure: Option<f64>,
    /// Load average over one minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1: Option<f64>,
    /// Load average over five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_5: Option<f64>,
    /// Load average over fifteen minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_15: Option<f64>,
    /// Time in user code, in percent of all cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_user: Option<f64>,
    /// Time in the kernel, in percent of all cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_sys: Option<f64>,
    /// Idle time, in percent of all cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_idle: Option<f64>,
    /// Whether the GPU was read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_active: Option<bool>,
    /// How busy the GPU was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_device_util: Option<f64>,
    /// How busy its renderer was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_renderer_util: Option<f64>,
    /// How busy its tiler was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_tiler_util: Option<f64>,
}

/// Whether `name` is a series by which a sample of the reference is known.
#[must_use]
pub fn is_series(name: &str) -> bool {
    matches!(
        name,
        "ram_free_gb"
            | "swap_used_mb"
            | "memory_pressure"
            | "load_1"
            | "load_5"
            | "load_15"
            | "cpu_user"
            | "cpu_sys"
            | "cpu_idle"
            | "gpu_device_util"
            | "gpu_renderer_util"
            | "gpu_tiler_util"
    )
}

impl LegacySample {
    /// The same as a sample of ours. GPU figures of a sampler that says it read
    /// no GPU are absent, and so is whatever it always writes as 0.
    #[must_use]
    pub fn upgrade(&self, seq: u64, origin: &Origin) -> Sample {
        let gpu = |value: Option<f64>| value.filter(|_| self.gpu_active != Some(false));
        let mut sample = Sample::at(self.ts, origin);
        sample.seq = seq;
        sample.elapsed_s = self.elapsed_s.unwrap_or_default();
        sample.ram_free_gb = self.ram_free_gb;
        sample.swap_used_mb = self.swap_used_mb;
        sample.memory_pressure = self.memory_pressure;
        sample.load_1 = self.load_1;
        sample.load_5 = self.load_5;
        sample.load_15 = self.load_15;
        sample.cpu_user = self.cpu_user;
        sample.cpu_sys = self.cpu_sys;
        sample.cpu_idle = self.cpu_idle;
        sample.gpu_device_util = gpu(self.gpu_device_util);
        sample.gpu_renderer_util = gpu(self.gpu_renderer_util);
        sample.gpu_tiler_util = gpu(self.gpu_tiler_util);
        sample
    }
}

/// The last line of the reference sampler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacySummaryLine {
    /// What it says.
    pub summary: LegacySummary,
}

/// The summary of the reference sampler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LegacySummary {
    /// Seconds from start to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Samples taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// The interval that was asked for, not the one achieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<f64>,
    /// The command's exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The command in one string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When the sampler ended, ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::LegacySample;
    use crate::Origin;

    #[test]
    fn the_zeros_that_mean_nothing_do_not_survive() {
        let legacy: LegacySample = serde_json::from_str(
            r#"{"ram_free_gb": 36.25, "ram_used_gb": 0, "ram_percent": 0, "swap_percent": 0,
                "vm_pressure": 0, "gpu_active": false, "gpu_device_util": 0.0, "ts": 5.0, "elapsed_s": 0.2}"#,
        )
        .unwrap();
        let sample = legacy.upgrade(3, &Origin::default());
        assert_eq!((sample.seq, sample.elapsed_s, sample.ram_free_gb), (3, 0.2, Some(36.25)));
        assert_eq!((sample.ram_used_gb, sample.gpu_device_util), (None, None));
    }
}
