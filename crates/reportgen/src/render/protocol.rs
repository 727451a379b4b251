//! How benches, baselines and batches were measured, in words.

use crate::page::prose;
use records::{Protocol, ProtocolKind, Test};

use super::{
    bench::by_backend,
    format::{count, things},
};
use crate::numbers::{Common, common};

/// What is said of a protocol, one thing each.
const PHRASES: [fn(&Protocol) -> Option<String>; 10] =
    [repeated, at_once, rate, prompt, depth, answer, to_the_end, cache, temperature, seed];

/// How all of `tests` were measured, as far as they agree.
pub(super) fn line(tests: &[&Test]) -> Option<String> {
    let phrases = PHRASES.iter().filter_map(|phrase| match of(tests, phrase) {
        Common::Same(text) => Some(text),
        _ => None,
    });
    let phrases: Vec<String> = phrases.collect();
    (!phrases.is_empty()).then(|| phrases.join(", "))
}

/// In what those tests were not measured alike that should have been, which are those in
/// the same cell: who did what.
pub(super) fn differences(cells: &[Vec<&Test>]) -> Option<String> {
    let differ: Vec<_> = PHRASES
        .iter()
        .filter(|phrase| cells.iter().any(|cell| of(cell, phrase) == Common::Differs))
        .collect();
    by_backend(cells.iter().flatten().copied(), |test| {
        let protocol = test.protocol.as_ref()?;
        Some(differ.iter().filter_map(|phrase| phrase(protocol)).collect())
    })
}

fn of(tests: &[&Test], phrase: &impl Fn(&Protocol) -> Option<String>) -> Common<String> {
    common(tests.iter().copied(), |test| phrase(test.protocol.as_ref()?))
}

fn repeated(p: &Protocol) -> Option<String> {
    let n = u64::from(p.repetitions?);
    let before = u64::from(p.warmup.unwrap_or(0));
    Some(match (p.kind, before) {
        (ProtocolKind::Batch, _) => return None,
        (ProtocolKind::Baseline, _) => {
            format!(
                "{} after the first",
                if n == 1 { "1 query".into() } else { format!("{} queries", count(n)) }
            )
        }
        (_, 0) => format!("{} without a warm-up", things(n, "repetition")),
        (_, before) => format!("{} after {}", things(n, "repetition"), things(before, "warm-up")),
    })
}

fn at_once(p: &Protocol) -> Option<String> {
    match (p.kind, p.concurrency) {
        (ProtocolKind::Bench, None) | (ProtocolKind::Bench | ProtocolKind::Batch, Some(1)) => {
            Some("one request at a time".to_owned())
        }
        (ProtocolKind::Batch, Some(n)) => {
            Some(format!("at most {} requests at once", count(n.into())))
        }
        (_, Some(n)) if n > 1 => Some(format!("{} requests at once", count(n.into()))),
        _ => None,
    }
}

fn rate(p: &Protocol) -> Option<String> {
    let arrival = p.arrival.as_deref().map(|how| format!(" ({})", prose(how))).unwrap_or_default();
    match (p.ramp, p.rate) {
        (Some(ramp), _) => Some(format!(
            "sent at {} to {} requests a second over {} s{arrival}",
            ramp.from, ramp.to, ramp.over_s
        )),
        (None, Some(rate)) => Some(format!("sent at {rate} requests a second{arrival}")),
        (None, None) => None,
    }
}

fn prompt(p: &Protocol) -> Option<String> {
    p.prompt_tokens.map(|n| format!("prompts of {}", things(n, "token")))
}

fn depth(p: &Protocol) -> Option<String> {
    p.depth.map(|n| format!("{} in the cache before them", things(n, "token")))
}

fn answer(p: &Protocol) -> Option<String> {
    p.max_tokens.map(|n| format!("answers of at most {}", things(n, "token")))
}

fn to_the_end(p: &Protocol) -> Option<String> {
    Some(match p.ignore_eos? {
        true => "the model's own end ignored".to_owned(),
        false => "the model's own end heeded".to_owned(),
    })
}

fn cache(p: &Protocol) -> Option<String> {
    match (&p.cache_avoided_by, p.kind) {
        (Some(how), _) => Some(format!("prompt cache avoided by {}", prose(how))),
        (None, ProtocolKind::Batch) => None,
        (None, _) => Some("prompt cache not avoided".to_owned()),
    }
}

fn temperature(p: &Protocol) -> Option<String> {
    p.temperature.map(|value| format!("temperature {value}"))
}

fn seed(p: &Protocol) -> Option<String> {
    p.seed.map(|seed| format!("seed {seed}"))
}
