//! From what happened on the wire to metrics, by the definitions of
//! `docs/records.md`.

use std::time::Instant;

use records::{Metric, Metrics, Stats, round};

use crate::{
    backend,
    http::{Answer, Reply},
};

/// What was measured of one request.
#[must_use]
pub fn metrics(reply: &Reply, answer: &Answer) -> Metrics {
    let since = |at: Instant| at.saturating_duration_since(reply.sent).as_secs_f64();
    let first = answer.content_at.first().map(|at| since(*at));
    let last = answer.content_at.last().map(|at| since(*at));
    let streamed = answer.sse.is_some();
    let e2e = if streamed { last } else { Some(since(reply.done)) };
    let usage = answer.usage.unwrap_or_default();

    // n tokens have n − 1 gaps; the first token belongs to the prompt's time.
    let gaps = usage.completion.and_then(|n| n.checked_sub(1)).filter(|gaps| *gaps > 0);
    let decode = match (first, last) {
        (Some(first), Some(last)) if last > first => Some(last - first),
        _ => None,
    };
    let per_gap = gaps.zip(decode);
    let rtfx =
        answer.audio_s.zip(e2e).filter(|(_, e2e)| *e2e > 0.0).map(|(audio, e2e)| audio / e2e);

    let number = |value: f64, decimals: u8| Metric::Number(round(value, decimals));
    let count = |n: Option<u64>| n.map(|n| Metric::Number(n as f64));
    Metrics {
        prompt_tokens: count(usage.prompt),
        completion_tokens: count(usage.completion),
        total_tokens: count(usage.total),
        cached_tokens: count(usage.cached),
        ttft_s: first.map(|s| number(s, 6)),
        tpot_s: per_gap.map(|(gaps, s)| number(s / gaps as f64, 6)),
        generation_tps: per_gap.map(|(gaps, s)| number(gaps as f64 / s, 3)),
        itl_s: inter_token_latency(&answer.content_at),
        e2e_s: e2e.map(|s| number(s, 6)),
        audio_s: answer.audio_s.map(|s| number(s, 6)),
        rtfx: rtfx.map(|times| number(times, 3)),
        prompt_tps: answer.timings.as_ref().and_then(backend::prompt_tps).map(|tps| number(tps, 3)),
        server: answer.timings.clone(),
        ..Metrics::default()
    }
}

/// What was measured of several requests: of each metric, the statistics of the values
/// that there are.
#[must_use]
pub fn over(requests: &[Metrics]) -> Metrics {
    let mut all = Metrics::default();
    for name in Metrics::NAMES {
        let values: Vec<f64> =
            requests.iter().filter_map(|one| Some(one.get(name)?.value())).collect();
        if let Some(stats) = stats(&values, 6) {
            all.set(name, Metric::Stats(Box::new(stats)));
        }
    }
    all
}

/// The gaps between chunks with content.
fn inter_token_latency(at: &[Instant]) -> Option<Metric> {
    let gaps: Vec<f64> = at.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect();
    Some(Metric::Stats(Box::new(stats(&gaps, 6)?)))
}

/// Mean, sample standard deviation, extremes and median of `values`; nothing of none.
#[must_use]
pub fn stats(values: &[f64], decimals: u8) -> Option<Stats> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let n = sorted.len();
    let mean = sorted.iter().sum::<f64>() / n as f64;
    let sd = (n > 1).then(|| {
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (n - 1) as f64).sqrt()
    });
    let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
    let tidy = |value: f64| round(value, decimals);
    Some(Stats {
        mean: tidy(mean),
        sd: sd.map(tidy),
        n: n as u64,
        min: tidy(min),
        median: tidy(median),
        max: tidy(max),
        p50: quantile(&sorted, 0.5).map(tidy),
        p90: quantile(&sorted, 0.9).map(tidy),
        p95: quantile(&sorted, 0.95).map(tidy),
        p99: quantile(&sorted, 0.99).map(tidy),
    })
}

/// The quantile `p` of values in order, by linear interpolation (type 7 of Hyndman and
/// Fan, 1996, which NumPy and most others take); nothing where there are too few values
/// to have one beyond it with 97.5 % probability: 6 for the median, 36 for 0.9, 72 for
/// 0.95, 368 for 0.99.
fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let enough = (0.025f64.ln() / p.ln()).ceil();
    if (sorted.len() as f64) < enough {
        return None;
    }
    let at = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use records::Metric;

    use super::{metrics, stats};
    use crate::{
        expect::Sse,
        http::{Answer, Body, Reply, Usage},
    };

    fn streamed(at_ms: &[u64], tokens: Option<u64>) -> records::Metrics {
        let sent = Instant::now();
        let reply = Reply {
            sent,
            done: sent + Duration::from_secs(9),
            status: 200,
            retry_after: None,
            body: Body::Events(Vec::new()),
            broken: None,
        };
        let answer = Answer {
            content_at: at_ms.iter().map(|ms| sent + Duration::from_millis(*ms)).collect(),
            usage: Some(Usage { completion: tokens, ..Usage::default() }),
            sse: Some(Sse::default()),
            ..Answer::default()
        };
        metrics(&reply, &answer)
    }

    fn value(metric: Option<Metric>) -> Option<f64> {
        metric.map(|metric| metric.value())
    }

    #[test]
    fn latencies_follow_the_definitions() {
        // 6 tokens in 3 chunks: the server's count matters, not that of the chunks.
        let m = streamed(&[200, 300, 700], Some(6));
        assert_eq!(value(m.ttft_s), Some(0.2));
        assert_eq!(value(m.e2e_s), Some(0.7));
        assert_eq!(value(m.tpot_s), Some(0.1));
        assert_eq!(value(m.generation_tps), Some(10.0));
        assert_eq!(value(m.itl_s), Some(0.25));
    }

    #[test]
    fn what_cannot_be_measured_is_absent() {
        let m = streamed(&[200], Some(1));
        assert_eq!((m.tpot_s, m.generation_tps, m.itl_s), (None, None, None));
        let m = streamed(&[], None);
        assert_eq!((m.ttft_s, m.e2e_s, m.completion_tokens), (None, None, None));
        let m = streamed(&[200, 300], None);
        assert_eq!((m.tpot_s, value(m.ttft_s)), (None, Some(0.2)));
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let s = stats(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 6).unwrap();
        assert_eq!((s.mean, s.median, s.min, s.max, s.n), (5.0, 4.5, 2.0, 9.0, 8));
        assert_eq!(s.sd, Some(2.13809));
        assert_eq!(stats(&[3.0], 6).unwrap().sd, None);
        assert_eq!(stats(&[], 6), None);
    }
}
