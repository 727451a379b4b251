//! What can be wrong with measurements: bench, baseline and batch, and what they cost.

use std::ops::Range;

use super::{Check, conditions};
use crate::{
    expect::Expectation,
    suite::{Api, BatchDef, BenchDef, CaseDef, PriceDef, RequestDef, suggestion},
};

/// The most requests of a batch that are on their way at once.
const MOST_AT_ONCE: u32 = 4096;
/// More requests of one bench than this are nobody's intention.
const MOST_REPETITIONS: u32 = 100_000;
/// No prompt has more tokens than this.
const MOST_TOKENS: u64 = 100_000_000;
/// More requests a second than this cannot be sent in time.
const HIGHEST_RATE: f64 = 100_000.0;

/// The measurements of a case.
pub(super) fn case(check: &mut Check<'_>, def: &CaseDef, place: &Range<usize>, who: &str) {
    let mut wrong = |message: String| check.wrong(place, format!("{who}: {message}"));
    let request = def.request.as_ref();
    for (what, given) in [("bench", def.bench.is_some()), ("baseline", def.baseline.is_some())] {
        if given && request.is_none() {
            wrong(format!("{what} measures a request, and the case sends none"));
        }
        if given && request.is_some_and(|request| request.turns.is_some()) {
            wrong(format!("{what} measures one request, and turns are several"));
        }
    }
    if def.bench.is_some() && def.baseline.is_some() {
        wrong("has both bench and baseline; write a case for each".to_owned());
    }
    if def.bench.is_some() && def.dataset.is_some() {
        wrong("bench measures one request, and a dataset has many; a batch sends them".to_owned());
    }
    if let (Some(bench), Some(request)) = (&def.bench, request)
        && let Err(message) = of_bench(bench, request)
    {
        wrong(format!("bench: {message}"));
    }
    let queries = def.baseline.as_ref().and_then(|baseline| baseline.queries);
    if queries.is_some_and(|n| !(1..=MOST_REPETITIONS).contains(&n)) {
        wrong(format!("baseline: queries is from 1 to {MOST_REPETITIONS}"));
    }
    if let Some(batch) = &def.batch {
        if let Err(message) = crate::batch::check(&def.folder.join(&batch.file)) {
            wrong(format!("batch: {message}"));
        }
        if let Err(message) = of_batch(batch) {
            wrong(format!("batch: {message}"));
        }
        for expect in &def.expect {
            let of_one = Expectation::from_toml(expect.get_ref(), &def.folder)
                .is_ok_and(|expectation| !expectation.of_whole());
            if of_one {
                let message = "expect: it is of one answer, and a batch has many; \
                               write { success_rate = { min = 0.99 } } or another metric";
                check.wrong(&expect.span(), format!("{who}: {message}"));
            }
        }
    }
}

/// What a request can be too slow in.
const TIMES: [&str; 5] = ["ttft_s", "tpot_s", "itl_s", "e2e_s", "late_s"];

fn of_bench(bench: &BenchDef, request: &RequestDef) -> Result<(), String> {
    if !(1..=MOST_REPETITIONS).contains(&bench.repetitions) {
        return Err(format!("repetitions is from 1 to {MOST_REPETITIONS}"));
    }
    if bench.warmup > MOST_REPETITIONS {
        return Err(format!("warmup is at most {MOST_REPETITIONS}"));
    }
    for (key, tokens) in [("prompt_tokens", bench.prompt_tokens), ("depth", bench.depth)] {
        let Some(tokens) = tokens else { continue };
        if tokens > MOST_TOKENS {
            return Err(format!("{key} is at most {MOST_TOKENS}"));
        }
        if !matches!(request.api, Api::Chat | Api::Completion) {
            return Err(format!("{key} is of chat and completion requests"));
        }
        // Words are added to a prompt of ours; what is sent as it is stays as it is.
        for (other, given) in [
            ("messages", request.messages.is_some()),
            ("raw", request.raw.is_some()),
            ("body_bytes", request.body_bytes.is_some()),
        ] {
            if given {
                return Err(format!("{key} is made of a prompt, and the request has {other}"));
            }
        }
    }
    if bench.prompt_tokens == Some(0) {
        return Err("prompt_tokens = 0 asks nothing".to_owned());
    }
    Ok(())
}

fn of_batch(batch: &BatchDef) -> Result<(), String> {
    if !(1..=MOST_AT_ONCE).contains(&batch.at_once()) {
        return Err(format!("concurrency is from 1 to {MOST_AT_ONCE}"));
    }
    let rate = |key: &str, rate: f64| match rate > 0.0 && rate <= HIGHEST_RATE {
        true => Ok(()),
        false => Err(format!("{key} is above 0 and at most {HIGHEST_RATE} requests a second")),
    };
    if let Some(number) = batch.rate {
        rate("rate", number)?;
    }
    if let Some(ramp) = batch.ramp {
        if batch.rate.is_some() {
            return Err("has both a rate and a ramp, which is a rate that grows".to_owned());
        }
        rate("ramp.from", ramp.from)?;
        rate("ramp.to", ramp.to)?;
        if ramp.over.0.is_zero() {
            return Err("ramp.over = \"0s\" is no ramp; write rate".to_owned());
        }
    }
    for (name, limit) in &batch.goodput {
        if !TIMES.contains(&name.as_str()) {
            let hint = suggestion(name, &TIMES);
            return Err(format!("goodput: {name:?} is no time of a request{hint}"));
        }
        if !limit.is_finite() {
            return Err(format!("goodput: {name} = {limit} is no limit"));
        }
    }
    if batch.samples.every == Some(0) {
        return Err("samples: every = 0 keeps nothing; leave it out".to_owned());
    }
    Ok(())
}

/// The prices.
pub(super) fn prices(check: &mut Check<'_>) {
    for price in &check.suite.body.price {
        let (def, place) = (price.get_ref(), price.span());
        let who = format!("price {:?}", def.name);
        if let Err(message) = of_price(def) {
            check.wrong(&place, format!("{who}: {message}"));
        }
        conditions::names(check, def.backend.as_ref(), def.model.as_ref(), &place, &who);
    }
}

fn of_price(def: &PriceDef) -> Result<(), String> {
    let tokens = def.input.is_some() || def.output.is_some();
    let bases = [tokens, def.per_hour.is_some(), def.per_kwh.is_some()];
    if bases.iter().filter(|given| **given).count() != 1 {
        return Err(
            "give one of: input and output (a million tokens), per_hour, per_kwh".to_owned()
        );
    }
    if tokens && (def.input.is_none() || def.output.is_none()) {
        return Err("give both input and output; what is free costs 0".to_owned());
    }
    if def.cached_input.is_some() && !tokens {
        return Err("cached_input goes with input and output".to_owned());
    }
    let amounts = [def.input, def.cached_input, def.output, def.per_hour, def.per_kwh];
    match amounts.into_iter().flatten().find(|n| !n.is_finite() || *n < 0.0) {
        Some(amount) => Err(format!("{amount} is no price")),
        None => Ok(()),
    }
}
