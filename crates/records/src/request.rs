//! One request of a bench or batch case.

use crate::{ErrorInfo, Metrics, head::record};

record! {
    /// One request of a bench or batch case.
    Request {
        /// The id of the test that it belongs to.
        pub id: String,
        /// The caller's own name for it, in a batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub custom_id: Option<String>,
        /// Counts the requests of the test from 0.
        pub index: u64,
        /// End, in Unix seconds.
        pub end_ts: f64,
        /// Seconds by the monotonic clock.
        pub duration_s: f64,
        /// How often it was sent.
        pub tries: u64,
        /// The HTTP status of the last try.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub status: Option<u16>,
        /// What was measured of it.
        #[serde(default)]
        pub metrics: Metrics,
        /// Why it has no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<ErrorInfo>,
    }
}
