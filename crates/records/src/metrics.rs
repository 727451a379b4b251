//! What was measured of a case.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// A metric: one number, or the statistics of several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Metric {
    /// A single value.
    Number(f64),
    /// Over repetitions or requests.
    Stats(Box<Stats>),
}

impl Metric {
    /// The value to compare with: the number, or the mean.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self {
            Metric::Number(value) => *value,
            Metric::Stats(stats) => stats.mean,
        }
    }
}

impl Serialize for Metric {
    /// Whole numbers are written without a fraction: 128 tokens, not 128.0.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // The cast is exact: below 2^53 every whole f64 is an i64.
            Metric::Number(n) if n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0 => {
                serializer.serialize_i64(*n as i64)
            }
            Metric::Number(n) => serializer.serialize_f64(*n),
            Metric::Stats(stats) => stats.serialize(serializer),
        }
    }
}

/// Statistics of a metric over `n` values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stats {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1); absent for one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// How many values.
    pub n: u64,
    /// The least.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// The greatest.
    pub max: f64,
    /// 50th percentile, with enough requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// 90th percentile, with enough requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// 95th percentile, with enough requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// 99th percentile, with enough requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
}

/// Right answers of all answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accuracy {
    /// Right ones.
    pub correct: u64,
    /// All.
    pub total: u64,
}

macro_rules! metrics {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// The metrics of a case. What was not measured is absent.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct Metrics {
            $($(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<Metric>,)*
            /// Right answers of all answers; a baseline counts its warm-up.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub accuracy: Option<Accuracy>,
            /// What the server reports of itself, under its own names, beside ours; of several
            /// requests, the statistics of what follows from it (`docs/records.md`).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub server: Option<Map<String, Value>>,
        }

        impl Metrics {
            /// The names of the metrics that are numbers.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The metric called `name`, if it was measured.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<&Metric> {
                match name {
                    $(stringify!($name) => self.$name.as_ref(),)*
                    _ => None,
                }
            }

            /// Has the metric called `name` be `metric`; no metric has another name.
            pub fn set(&mut self, name: &str, metric: Metric) {
                match name {
                    $(stringify!($name) => self.$name = Some(metric),)*
                    _ => {}
                }
            }

            /// Whether nothing at all was measured.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                *self == Metrics::default()
            }
        }
    };
}

metrics! {
    /// Tokens of the prompt, by the server's count.
    prompt_tokens,
    /// Tokens of the answer, by the server's count.
    completion_tokens,
    /// Both together, by the server's count.
    total_tokens,
    /// Tokens of the prompt that came from a cache.
    cached_tokens,
    /// Time to first token: request sent → first content delta that is not empty (text, reasoning, a piece of a tool call).
    ttft_s,
    /// Time per output token: from the first token to the last / (`completion_tokens` − 1); absent at one token or none. The last is at `e2e_s`, or, where the model ended its answer, with the chunk that says so.
    tpot_s,
    /// Inter-token latency: the gaps between content chunks; of several requests, all their gaps together.
    itl_s,
    /// End to end: request sent → last content chunk, or the whole answer when not streamed.
    e2e_s,
    /// Prompt tokens evaluated / `ttft_s`, by our clock; absent when not streamed, and when a cache answered for part of the prompt (but for the `depth` of a bench).
    prompt_tps,
    /// (`completion_tokens` − 1) / the time from the first token to the last, as of `tpot_s`, by our clock; absent when not streamed.
    generation_tps,
    /// Length of the sound that was transcribed, by the header of its file (WAV, FLAC).
    audio_s,
    /// Real-time factor, inverted: `audio_s` / `e2e_s`; 10 transcribes ten seconds in one.
    rtfx,
    /// Spawn → ready.
    load_s,
    /// Spawn → first token of the first answer.
    first_token_s,
    /// The first query.
    warmup_s,
    /// Later queries.
    steady_s,
    /// Completed requests / duration.
    request_tps,
    /// Prompt tokens of completed requests / duration.
    input_tps,
    /// Answer tokens of completed requests / duration.
    output_tps,
    /// Requests per second that kept every limit of the batch's `goodput`; errors do not.
    goodput_rps,
    /// Completed requests / requests, 0 to 1.
    success_rate,
    /// Size of the model on disk.
    disk_gb,
    /// Memory of the backend's processes after the model was loaded.
    memory_gb,
    /// GPU memory in use after the model was loaded, less that before its backend was started.
    gpu_memory_gb,
    /// How long after they were due requests were sent first.
    late_s,
    /// Energy that the parts of the machine took which tell theirs.
    energy_j,
}

#[cfg(test)]
mod tests {
    use super::{Metric, Metrics};

    #[test]
    fn a_metric_is_a_number_or_an_object_and_whole_numbers_have_no_fraction() {
        let text = r#"{"prompt_tokens":37,"ttft_s":0.263,"generation_tps":{"mean":70.5,"sd":0.5,"n":3,"min":70.0,"median":70.5,"max":71.0}}"#;
        let metrics: Metrics = serde_json::from_str(text).unwrap();
        assert_eq!(metrics.get("prompt_tokens").map(Metric::value), Some(37.0));
        assert_eq!(metrics.get("generation_tps").map(Metric::value), Some(70.5));
        assert_eq!(metrics.get("nonsense"), None);
        let mut other = Metrics::default();
        other.set("ttft_s", Metric::Number(0.263));
        assert_eq!(other.ttft_s, metrics.ttft_s);
        assert_eq!(serde_json::to_string(&metrics).unwrap(), text);
        assert!(!metrics.is_empty());
    }
}
