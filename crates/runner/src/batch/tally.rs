//! What came of the requests of a batch so far, folded: nothing is held for each of them.

use std::{collections::BTreeMap, time::Duration};

use records::{BatchTotals, ErrorInfo, Metric, Protocol, Request, round};

use super::{Sent, samples::Samples};
use crate::{
    case::{Came, Measured},
    expect::Observed,
    measure::Pool,
};

/// What is sent later than this after it was due is late, in seconds.
const LATE_S: f64 = 0.010;

/// What came of the requests so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) totals: BatchTotals,
    pool: Pool,
    first_error: Option<ErrorInfo>,
    sample: Option<String>,
    samples: Samples,
    goodput: Goodput,
}

/// Requests of this run that kept all limits.
#[derive(Default)]
struct Goodput {
    limits: BTreeMap<String, f64>,
    kept_them: u64,
    /// The limits whose metric was measured of any request.
    measured: Vec<String>,
}

impl Tally {
    /// Of nothing yet; requests are held to the `limits` of a goodput.
    pub(super) fn new(limits: BTreeMap<String, f64>) -> Tally {
        Tally { goodput: Goodput { limits, ..Goodput::default() }, ..Tally::default() }
    }

    /// How many have no answer.
    pub(super) fn failed(&self) -> u64 {
        self.totals.requests - self.totals.answered
    }

    /// Adds a request; one of this run with what was `sent`.
    pub(super) fn add(&mut self, request: &Request, sent: Option<&Sent>) {
        let totals = &mut self.totals;
        totals.requests += 1;
        totals.kept += u64::from(sent.is_none());
        totals.retried += u64::from(request.tries > 1);
        totals.retries += request.tries.saturating_sub(1);
        if let Some(late_s) = request.late_s {
            *totals.late_sends.get_or_insert(0) += u64::from(late_s > LATE_S);
            self.pool.add_one("late_s", late_s);
        }
        match &request.error {
            None => {
                totals.answered += 1;
                totals.kept_answered += u64::from(sent.is_none());
            }
            Some(error) => {
                *totals.errors.entry(error.kind.clone()).or_default() += 1;
                self.first_error.get_or_insert_with(|| error.clone());
            }
        }
        let sum = |sum: &mut Option<u64>, metric: &Option<Metric>| {
            if let Some(metric) = metric {
                *sum.get_or_insert(0) += metric.value() as u64;
            }
        };
        sum(&mut totals.prompt_tokens, &request.metrics.prompt_tokens);
        sum(&mut totals.completion_tokens, &request.metrics.completion_tokens);
        if self.sample.is_none() && request.error.is_none() {
            let text = sent.and_then(|sent| sent.text.as_ref());
            self.sample = text.filter(|text| !text.is_empty()).cloned();
        }
        if let (Some(text), Some(id)) = (&request.sample_output, &request.custom_id) {
            self.samples.add(request.index, id, text);
        }
        let gaps = sent.map(|sent| sent.gaps_s.as_slice()).unwrap_or_default();
        self.pool.add(&request.metrics, gaps);
        if sent.is_some() && request.error.is_none() {
            self.goodput.add(request);
        }
    }

    /// What came of them all. Rates are those of this run: of what was added in `time`
    /// since there was what is in `earlier`.
    pub(super) fn came(
        self,
        error: Option<ErrorInfo>,
        earlier: &BatchTotals,
        time: Duration,
        protocol: Protocol,
    ) -> Came {
        let Tally { pool, mut totals, first_error, sample, samples, goodput } = self;
        let mut metrics = pool.metrics();
        let seconds = time.as_secs_f64();
        totals.duration_s = round(seconds, 6);
        let rate = |n: u64| (seconds > 0.0).then(|| Metric::Number(round(n as f64 / seconds, 3)));
        let more =
            |all: Option<u64>, before: Option<u64>| rate(all?.saturating_sub(before.unwrap_or(0)));
        if totals.requests > 0 {
            let share = totals.answered as f64 / totals.requests as f64;
            metrics.success_rate = Some(Metric::Number(round(share, 6)));
        }
        if totals.answered > earlier.answered {
            metrics.request_tps = rate(totals.answered - earlier.answered);
            metrics.input_tps = more(totals.prompt_tokens, earlier.prompt_tokens);
            metrics.output_tps = more(totals.completion_tokens, earlier.completion_tokens);
        }
        metrics.goodput_rps = goodput.count().and_then(rate);
        // Where nothing was answered at all there is nothing to judge.
        let error = error.or_else(|| first_error.filter(|_| totals.answered == 0));
        let observed = Observed { text: sample, metrics, ..Observed::default() };
        let measured = Measured {
            protocol,
            batch: Some(totals),
            samples: samples.all(),
            ..Measured::default()
        };
        Came { observed, error, measured: Some(Box::new(measured)), ..Came::default() }
    }
}

impl Goodput {
    /// Adds a request that was answered.
    fn add(&mut self, request: &Request) {
        let mut keeps_all = true;
        for (name, limit) in &self.limits {
            let value = match name.as_str() {
                "late_s" => request.late_s,
                _ => request.metrics.get(name).map(Metric::value),
            };
            if value.is_some() && !self.measured.contains(name) {
                self.measured.push(name.clone());
            }
            keeps_all &= value.is_some_and(|value| value <= *limit);
        }
        self.kept_them += u64::from(keeps_all);
    }

    /// How many kept all limits; nothing where nobody can say, for a metric was not
    /// measured of any of them, or there are no limits.
    fn count(&self) -> Option<u64> {
        let known = self.limits.keys().all(|name| self.measured.contains(name));
        (known && !self.limits.is_empty()).then_some(self.kept_them)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use records::{ErrorInfo, Metric, Metrics, Origin, Request};

    use super::Goodput;

    fn goodput(limits: &[(&str, f64)], requests: &[(Option<f64>, Option<f64>)]) -> Option<u64> {
        let limits: BTreeMap<String, f64> =
            limits.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect();
        let mut goodput = Goodput { limits, ..Goodput::default() };
        for (ttft_s, e2e_s) in requests {
            let number = |value: &Option<f64>| value.map(Metric::Number);
            let metrics =
                Metrics { ttft_s: number(ttft_s), e2e_s: number(e2e_s), ..Metrics::default() };
            goodput.add(&Request { metrics, ..Request::at(0.0, &Origin::default()) });
        }
        goodput.count()
    }

    #[test]
    fn a_request_keeps_all_limits_or_does_not_count() {
        let limits = [("ttft_s", 0.5), ("e2e_s", 2.0)];
        let requests = [
            (Some(0.5), Some(2.0)),
            (Some(0.6), Some(1.0)),
            (Some(0.1), Some(2.1)),
            (None, Some(1.0)),
        ];
        assert_eq!(goodput(&limits, &requests), Some(1));
        assert_eq!(goodput(&limits, &requests[1..]), Some(0), "measured, and too slow");
    }

    #[test]
    fn what_was_measured_of_no_request_makes_no_goodput() {
        let limits = [("ttft_s", 0.5), ("e2e_s", 2.0)];
        assert_eq!(goodput(&limits, &[(None, Some(1.0))]), None);
        assert_eq!(goodput(&limits, &[]), None);
        assert_eq!(goodput(&[], &[(Some(0.1), Some(0.1))]), None);
    }

    #[test]
    fn nothing_is_held_for_a_request_and_its_share_counts() {
        let mut tally = super::Tally::default();
        let error = ErrorInfo { kind: "connection".into(), ..ErrorInfo::default() };
        for (tries, late_s, error) in
            [(1, Some(0.02), None), (3, Some(0.0), None), (2, None, Some(error))]
        {
            let request = Request::at(0.0, &Origin::default());
            tally.add(&Request { tries, late_s, error, ..request }, None);
        }
        let totals = &tally.totals;
        assert_eq!((totals.requests, totals.answered, totals.kept), (3, 2, 3));
        assert_eq!((totals.retried, totals.retries, totals.late_sends), (2, 3, Some(1)));
        assert_eq!((totals.errors["connection"], tally.failed()), (1, 1));
    }
}
