//! One request of a bench or batch case.

use crate::{ErrorInfo, Metrics, Phase, head::record};

record! {
    /// One request of a bench or batch case.
    Request {
        /// The id of the test that it belongs to.
        pub id: String,
        /// The caller's own name for it, in a batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub custom_id: Option<String>,
        /// Counts the requests of the test from 0; in a bench or a baseline, those of its phase.
        pub index: u64,
        /// Whether it was one before those that are measured (`warmup`), or one of those
        /// (`measure`); absent in a batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub phase: Option<Phase>,
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds by the monotonic clock.
        pub duration_s: f64,
        /// How often it was sent.
        pub tries: u64,
        /// The HTTP status of the last try.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub status: Option<u16>,
        /// How long after it was due it was sent first, where a rate says when that is.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub late_s: Option<f64>,
        /// Its answer, where the suite wants it kept.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sample_output: Option<String>,
        /// What was measured of it.
        #[serde(default)]
        pub metrics: Metrics,
        /// Why it has no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorInfo>,
    }
}
