//! How far tests are that have no result yet: their requests, counted and not kept.

use records::{Metric, Phase};
use serde::{Deserialize, de::IgnoredAny};

/// What is read of a `request` line.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestLine {
    pub(crate) run: String,
    pub(crate) host: String,
    pub(crate) id: String,
    ts: f64,
    end_ts: f64,
    phase: Option<Phase>,
    error: Option<IgnoredAny>,
    #[serde(default)]
    metrics: Tokens,
}

#[derive(Debug, Default, Deserialize)]
struct Tokens {
    completion_tokens: Option<Metric>,
}

/// The requests of a test that came to an end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// How many there are.
    pub done: u64,
    /// How many of them have no answer.
    pub failed: u64,
    /// Whether they are those of a batch; a bench or a baseline says in which phase each is.
    pub batch: bool,
    /// Those since its runner began, or went on with it, the last time.
    pub lately: Option<Lately>,
}

/// Requests that were sent without a break between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lately {
    /// How many there are.
    pub done: u64,
    /// When the first was sent, in Unix seconds.
    pub from_ts: f64,
    /// When the last came to an end, in Unix seconds.
    pub to_ts: f64,
    /// Tokens of all answers; none once an answer did not tell its own.
    pub completion_tokens: Option<f64>,
}

impl Progress {
    /// Counts a request.
    pub(crate) fn count(&mut self, line: &RequestLine) {
        self.done += 1;
        self.failed += u64::from(line.error.is_some());
        self.batch = line.phase.is_none();
        let lately = self.lately.get_or_insert(Lately {
            done: 0,
            from_ts: line.ts,
            to_ts: line.end_ts,
            completion_tokens: Some(0.0),
        });
        lately.done += 1;
        lately.from_ts = lately.from_ts.min(line.ts);
        lately.to_ts = lately.to_ts.max(line.end_ts);
        // What has no answer has no tokens either.
        if line.error.is_none() {
            let tokens = line.metrics.completion_tokens.as_ref().map(Metric::value);
            lately.completion_tokens =
                lately.completion_tokens.zip(tokens).map(|(sum, more)| sum + more);
        }
    }

    /// Requests that come to an end in a second; nothing when no time has passed.
    #[must_use]
    pub fn request_tps(&self) -> Option<f64> {
        // Counts are far below 2^53.
        self.lately.and_then(|lately| lately.over(lately.done as f64))
    }

    /// Tokens of answers in a second, where all answers tell theirs.
    #[must_use]
    pub fn output_tps(&self) -> Option<f64> {
        self.lately.and_then(|lately| lately.over(lately.completion_tokens?))
    }

    /// Seconds that the rest of `requests` takes at the rate so far.
    #[must_use]
    pub fn left_s(&self, requests: u64) -> Option<f64> {
        let rest = requests.checked_sub(self.done)?;
        Some(rest as f64 / self.request_tps()?)
    }
}

impl Lately {
    fn over(self, amount: f64) -> Option<f64> {
        let time = self.to_ts - self.from_ts;
        (time.is_finite() && time > 0.0).then(|| amount / time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Progress, RequestLine};

    fn line(ts: f64, end_ts: f64, rest: &str) -> RequestLine {
        let text = format!(
            r#"{{"record":"request","v":1,"ts":{ts},"run":"r","host":"h","id":"s::b","index":0,"end_ts":{end_ts},"duration_s":1,"tries":1{rest}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_estimate_needs_time_that_has_passed() {
        let mut progress = Progress::default();
        assert_eq!((progress.request_tps(), progress.left_s(10)), (None, None));
        progress.count(&line(100.0, 100.0, ""));
        assert_eq!((progress.request_tps(), progress.left_s(10)), (None, None));
        progress.count(&line(100.0, 104.0, ""));
        assert_eq!((progress.request_tps(), progress.left_s(10)), (Some(0.5), Some(16.0)));
        assert_eq!(progress.left_s(1), None, "more requests came to an end than there are");
    }

    #[test]
    fn tokens_are_counted_only_where_every_answer_tells_its_own() {
        let mut progress = Progress::default();
        progress.count(&line(0.0, 2.0, r#","metrics":{"completion_tokens":30}"#));
        progress.count(&line(0.0, 4.0, r#","error":{"kind":"timeout","message":"late"}"#));
        assert_eq!((progress.failed, progress.output_tps()), (1, Some(7.5)));
        progress.count(&line(0.0, 4.0, ""));
        assert_eq!(progress.output_tps(), None);
    }

    #[test]
    fn the_break_before_a_run_went_on_is_no_time_that_requests_took() {
        let mut progress = Progress::default();
        progress.count(&line(0.0, 1.0, ""));
        progress.lately = None;
        progress.count(&line(9000.0, 9000.5, ""));
        assert_eq!((progress.done, progress.request_tps()), (2, Some(2.0)));
    }

    proptest! {
        #[test]
        fn what_is_left_takes_as_long_as_at_the_mean_rate(
            times in prop::collection::vec((0u32..1000, 1u32..1000), 1..40),
            more in 0u64..1000,
        ) {
            let mut progress = Progress::default();
            for (start, length) in &times {
                progress.count(&line(f64::from(*start), f64::from(start + length), ""));
            }
            let first = times.iter().map(|(start, _)| *start).min().unwrap();
            let last = times.iter().map(|(start, length)| start + length).max().unwrap();
            let n = times.len() as u64;
            let left = progress.left_s(n + more).unwrap();
            let expected = more as f64 * f64::from(last - first) / n as f64;
            prop_assert!((left - expected).abs() <= 1e-9 * (1.0 + expected));
        }
    }
}
