//! What the machine did during a test or a span.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the samples say about one window [start, end). Added by correlate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resources {
    /// Samples inside the window.
    pub samples: u64,
    /// Share of the window that samples cover, 0 to 1.
    pub coverage: f64,
    /// Seconds between samples: the median around the window; absent with one sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
    /// No sample fell inside the window: the figures are those of the ones around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bracketed: Option<bool>,
    /// Each series that was measured, under its name.
    #[serde(flatten)]
    pub series: BTreeMap<String, SeriesStats>,
}

/// One series over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesStats {
    /// The least value of the samples inside.
    pub min: f64,
    /// The mean over time; absent when no sample's time reaches into the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Median of the samples inside.
    pub p50: f64,
    /// 95th percentile of the samples inside.
    pub p95: f64,
    /// The greatest value of the samples inside.
    pub max: f64,
    /// Value after the window less the value before it; gauges only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
}
