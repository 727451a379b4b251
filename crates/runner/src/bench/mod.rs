//! A request that is measured: how it is made, and whether its figures can be trusted.
//! [`crate::run`] sends it.

mod size;
mod verdict;
mod words;

use records::{ErrorInfo, Metric, Metrics, round};
use serde_json::Value;

use crate::{
    backend::Kind,
    case::{Measuring, Prepared, Wire},
    measure,
    suite::{Api, BaselineDef, BenchDef, CaseDef, RequestDef},
};

use size::{Unfit, fit, tokens};
pub(crate) use verdict::{Asked, of_batch, verdict};
pub(crate) use words::nonce;

/// Queries of a baseline after the first when nobody says.
const QUERIES: u32 = 3;

/// How many requests `case` sends at least.
pub(crate) fn requests(case: &CaseDef, prepared: &Prepared) -> u64 {
    match (&case.bench, &case.baseline) {
        (Some(bench), _) => u64::from(warmups(bench)) + u64::from(bench.repetitions),
        (_, Some(baseline)) => 1 + u64::from(queries(baseline, prepared)),
        (None, None) => prepared.requests() as u64,
    }
}

/// How many requests come before those that are measured: with a depth at least one,
/// which puts it into the server's cache.
pub(crate) fn warmups(bench: &BenchDef) -> u32 {
    bench.warmup.max(u32::from(bench.depth.is_some_and(|depth| depth > 0)))
}

/// How many queries a baseline has after its first.
pub(crate) fn queries(baseline: &BaselineDef, prepared: &Prepared) -> u32 {
    let each_once = || u32::try_from(prepared.rows.len()).ok()?.checked_sub(1);
    baseline.queries.unwrap_or_else(|| each_once().map_or(QUERIES, |rows| rows.max(1)))
}

/// What makes a prompt as long as it shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// What stands before it, to be in the server's cache.
    pub(crate) before: Option<String>,
    /// What is added to it.
    pub(crate) filler: Option<String>,
}

/// A prompt as long as `bench` says, made of words by `seed`. Where the server cannot
/// count tokens by itself, it is asked for answers of one token until the length is right.
///
/// # Errors
///
/// When there is no prompt of that length, or the server does not answer.
pub(crate) fn prompt(
    wire: &mut Wire<'_>,
    request: &RequestDef,
    bench: &BenchDef,
    seed: u64,
) -> Result<Prompt, Box<ErrorInfo>> {
    let mut prompt = Prompt::default();
    // As many tokens as what is measured begins with.
    let nonce = nonce("size", "", 0);
    let is_new = !bench.prompt_cache || bench.depth.is_some_and(|depth| depth > 0);
    if let Some(target) = bench.prompt_tokens {
        let words = fitted(wire, "prompt_tokens", target, |wire, n| {
            let filler = words::filler(seed, n);
            let measuring = Measuring {
                nonce: is_new.then_some(&nonce),
                filler: Some(&filler),
                max_tokens: Some(1),
                ..Measuring::default()
            };
            count(wire, request, measuring)
        })?;
        prompt.filler = Some(words::filler(seed, words)).filter(|text| !text.is_empty());
    }
    if let Some(depth) = bench.depth.filter(|depth| *depth > 0) {
        // By itself, as a prompt of one word at least: what the template adds is in the
        // cache, too.
        let mut alone = request.clone();
        (alone.system, alone.prompt, alone.prompt_file) = (None, None, None);
        alone.images.clear();
        let seed = seed.wrapping_add(1);
        let words = fitted(wire, "depth", depth, |wire, n| {
            alone.prompt = Some(words::filler(seed, n + 1));
            count(wire, &alone, Measuring { max_tokens: Some(1), ..Measuring::default() })
        })?;
        prompt.before = Some(words::filler(seed, words + 1));
    }
    Ok(prompt)
}

fn fitted(
    wire: &mut Wire<'_>,
    key: &str,
    target: u64,
    mut count: impl FnMut(&mut Wire<'_>, usize) -> Result<u64, Box<ErrorInfo>>,
) -> Result<usize, Box<ErrorInfo>> {
    fit(target, |words| count(wire, words)).map_err(|unfit| match unfit {
        Unfit::Count(error) => error,
        Unfit::TooLong(tokens) => error(
            "bad_request",
            format!("{key} = {target}: the prompt has {tokens} tokens before words are added"),
        ),
        Unfit::Endless => error(
            "bad_answer",
            format!("{key} = {target}: the server counts no more tokens for more words"),
        ),
    })
}

/// How many tokens the prompt of `request` has.
fn count(
    wire: &mut Wire<'_>,
    request: &RequestDef,
    measuring: Measuring<'_>,
) -> Result<u64, Box<ErrorInfo>> {
    let bad = |message| error("bad_request", message);
    let built = wire.sending.measured(request, measuring).map_err(bad)?;
    // A picture is no text, however many tokens it becomes.
    let by_itself = wire.sending.kind.tokenizer().filter(|_| request.images.is_empty());
    if let Some(tokenizer) = by_itself
        && let Ok(body) = serde_json::from_slice::<Value>(&built.outgoing.payload.written())
        && let Some(n) = tokens(&wire.server.client, tokenizer, &body, wire.sending.timeout)
    {
        return Ok(n);
    }
    let came = wire.exchange(request, built, &[]);
    match (came.error, came.observed.metrics.prompt_tokens) {
        (Some(error), _) => Err(Box::new(error)),
        (None, Some(tokens)) => Ok(tokens.value() as u64),
        (None, None) => Err(error(
            "missing_metric",
            "the backend does not count the tokens of a prompt, so none can be made of a length"
                .to_owned(),
        )),
    }
}

fn error(kind: &str, message: String) -> Box<ErrorInfo> {
    Box::new(ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() })
}

/// What was measured of a repetition, with the speed of that part of its prompt that was
/// evaluated: the rest, where the suite has it so, was in the cache on purpose.
pub(crate) fn repetition(metrics: Metrics) -> Metrics {
    let tokens = |metric: &Option<Metric>| metric.as_ref().map(|metric| metric.value() as u64);
    let ttft_s = metrics.ttft_s.as_ref().map(Metric::value);
    let cached = tokens(&metrics.cached_tokens).unwrap_or(0);
    let tps = measure::prompt_tps(tokens(&metrics.prompt_tokens), cached, ttft_s);
    Metrics { prompt_tps: tps.map(|tps| Metric::Number(round(tps, 3))), ..metrics }
}

/// Whether `request` is for words that a model makes, by a body of ours.
fn generates(request: &RequestDef) -> bool {
    matches!(request.api, Api::Chat | Api::Completion) && request.raw.is_none()
}

/// Whether the answers to `request` can be made to have as many tokens as they may have.
pub(crate) fn has_length(request: &RequestDef) -> bool {
    generates(request) && request.max_tokens.is_some()
}

/// What has `request` pass by the cache of prompts of `kind`; nothing where it is sent as
/// it is, or says otherwise itself.
pub(crate) fn cache_avoided_by(request: &RequestDef, kind: Kind) -> Option<String> {
    let says_itself = |switch: &str| request.extra.iter().any(|extra| extra.contains_key(switch));
    let undone = kind.cache_switch().is_some_and(says_itself);
    (generates(request) && !undone).then(|| kind.cache_avoided_by())
}

/// Whether answers to `request` tell how many tokens they have, where a server counts.
pub(crate) fn counts_tokens(request: &RequestDef) -> bool {
    matches!(request.api, Api::Chat | Api::Completion)
}
