//! From what happened on the wire to metrics, by the definitions of
//! `docs/records.md`.

mod pool;
mod values;

use std::time::Instant;

use records::{Metric, Metrics, round};

use crate::{
    backend,
    http::{Answer, Reply},
};

pub use pool::Pool;
pub use values::{Values, stats};

/// What was measured of one request.
#[must_use]
pub fn metrics(reply: &Reply, answer: &Answer) -> Metrics {
    let since = |at: Instant| at.saturating_duration_since(reply.sent).as_secs_f64();
    let first = answer.content_at.first().map(|at| since(*at));
    let last = answer.content_at.last().map(|at| since(*at));
    let streamed = answer.sse.is_some();
    let e2e = if streamed { last } else { Some(since(reply.done)) };
    let usage = answer.usage.unwrap_or_default();
    let cached = usage.cached.or_else(|| answer.timings.as_ref().and_then(backend::cached_tokens));

    // n tokens have n − 1 gaps; the first token belongs to the prompt's time. Where the
    // model ended its answer, the last of them is the one that says so: it has no content,
    // and came with the reason.
    let gaps = usage.completion.and_then(|n| n.checked_sub(1)).filter(|gaps| *gaps > 0);
    let by_model = answer.finish_reason.as_deref().is_some_and(|reason| reason != "length");
    let end = answer.finished_at.filter(|_| by_model).map(since);
    let decode = match (first, last.map(|last| end.map_or(last, |end| end.max(last)))) {
        (Some(first), Some(end)) if end > first => Some(end - first),
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
        cached_tokens: count(cached),
        ttft_s: first.map(|s| number(s, 6)),
        tpot_s: per_gap.map(|(gaps, s)| number(s / gaps as f64, 6)),
        generation_tps: per_gap.map(|(gaps, s)| number(gaps as f64 / s, 3)),
        itl_s: stats(&gaps_s(answer), 6).map(|stats| Metric::Stats(Box::new(stats))),
        e2e_s: e2e.map(|s| number(s, 6)),
        audio_s: answer.audio_s.map(|s| number(s, 6)),
        rtfx: rtfx.map(|times| number(times, 3)),
        prompt_tps: prompt_tps(usage.prompt, cached.unwrap_or(0), first)
            .filter(|_| cached.unwrap_or(0) == 0)
            .map(|tps| number(tps, 3)),
        server: answer.timings.clone(),
        ..Metrics::default()
    }
}

/// Tokens a second of a prompt, `cached` of them from a cache: those that were evaluated,
/// by the time to the first token, which is of the prompt alone.
#[must_use]
pub fn prompt_tps(prompt: Option<u64>, cached: u64, ttft_s: Option<f64>) -> Option<f64> {
    let evaluated = prompt?.checked_sub(cached).filter(|n| *n > 0)?;
    ttft_s.filter(|ttft_s| *ttft_s > 0.0).map(|ttft_s| evaluated as f64 / ttft_s)
}

/// The gaps between the chunks of an answer, in seconds.
#[must_use]
pub fn gaps_s(answer: &Answer) -> Vec<f64> {
    answer.content_at.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use records::Metric;

    use super::{metrics, prompt_tps};
    use crate::{
        expect::Sse,
        http::{Answer, Body, Events, Reply, Usage},
    };

    fn reply(sent: Instant) -> Reply {
        Reply {
            sent,
            done: sent + Duration::from_secs(9),
            status: 200,
            retry_after: None,
            body: Body::Events(Events::default()),
            broken: None,
        }
    }

    fn answer(sent: Instant, at_ms: &[u64], tokens: Option<u64>) -> Answer {
        Answer {
            content_at: at_ms.iter().map(|ms| sent + Duration::from_millis(*ms)).collect(),
            usage: Some(Usage { completion: tokens, ..Usage::default() }),
            sse: Some(Sse::default()),
            ..Answer::default()
        }
    }

    fn streamed(at_ms: &[u64], tokens: Option<u64>) -> records::Metrics {
        let sent = Instant::now();
        metrics(&reply(sent), &answer(sent, at_ms, tokens))
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
    fn the_token_that_ends_an_answer_is_one_though_it_says_nothing() {
        let sent = Instant::now();
        let ended = |reason: &str| {
            let mut answer = answer(sent, &[200, 300, 400], Some(4));
            answer.finish_reason = Some(reason.to_owned());
            answer.finished_at = Some(sent + Duration::from_millis(500));
            metrics(&reply(sent), &answer)
        };
        let m = ended("stop");
        assert_eq!((value(m.tpot_s), value(m.generation_tps)), (Some(0.1), Some(10.0)));
        assert_eq!(value(m.e2e_s), Some(0.4), "up to the last that was said");
        // What was cut off has said all its tokens.
        assert_eq!(value(ended("length").generation_tps), Some(15.0));
    }

    #[test]
    fn what_came_from_a_cache_was_not_evaluated() {
        assert_eq!(prompt_tps(Some(100), 0, Some(0.5)), Some(200.0));
        assert_eq!(prompt_tps(Some(100), 60, Some(0.5)), Some(80.0));
        assert_eq!(prompt_tps(Some(100), 100, Some(0.5)), None);
        assert_eq!(prompt_tps(None, 0, Some(0.5)), None);
        assert_eq!(prompt_tps(Some(9), 0, None), None);
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
}
