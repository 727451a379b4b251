//! What requests cost: by tokens, by the hour, by energy.

use std::time::Duration;

use records::{BatchTotals, Cost, CostBasis, Metric, Metrics, round};

use crate::{
    backend::Server,
    case::Came,
    energy::{Energy, Meter},
    plan::On,
    select::Names,
    suite::{AnyOf, PriceDef, Suite},
};

/// Decimals of an amount of money: a thousand requests may cost little.
const DECIMALS: u8 = 6;

/// The prices of `suite` for what runs on `on`.
fn prices<'a>(suite: &'a Suite, on: &On<'_>) -> Vec<&'a PriceDef> {
    let is = |names: &Option<AnyOf<String>>, name: &str| {
        names.as_ref().is_none_or(|AnyOf(names)| Names::new(names).matches(name))
    };
    let prices = suite.body.price.iter().map(toml::Spanned::get_ref);
    prices
        .filter(|price| is(&price.backend, on.backend_name) && is(&price.model, &on.model.id))
        .collect()
}

/// What a batch costs by the prices for it, while it runs.
pub(crate) struct Costs<'a> {
    prices: Vec<&'a PriceDef>,
    meter: Result<Meter, &'static str>,
}

impl<'a> Costs<'a> {
    /// Begins to measure what the prices of `suite` for `on` are about.
    pub(crate) fn start(suite: &'a Suite, on: Option<&On<'_>>, server: &Server) -> Costs<'a> {
        let prices = on.map(|on| prices(suite, on)).unwrap_or_default();
        let meter = match prices.iter().any(|price| price.per_kwh.is_some()) {
            false => Err("no price is of energy"),
            true if !server.is_here() => Err("the backend is on another machine"),
            true => Meter::start().ok_or("there was no thread to measure energy"),
        };
        Costs { prices, meter }
    }

    /// Adds what it cost to what came of it.
    pub(crate) fn add(self, came: &mut Came) {
        let energy = self.meter.and_then(|meter| {
            meter.stop().ok_or("no part of this machine tells what energy it takes")
        });
        let metrics = &mut came.observed.metrics;
        let Some(measured) = &mut came.measured else { return };
        let Some(totals) = &measured.batch else { return };
        metrics.energy_j =
            energy.as_ref().ok().map(|energy| Metric::Number(round(energy.joules, 3)));
        let energy = energy.as_ref().map_err(|why| *why);
        let costs = self.prices.iter().map(|price| cost(price, metrics, totals, energy));
        measured.cost = costs.collect();
    }
}

/// What requests like those of a batch cost by `price`, when they used what is in
/// `metrics` (means a request) and `totals`, and, where it was measured, `energy`.
fn cost(
    price: &PriceDef,
    metrics: &Metrics,
    totals: &BatchTotals,
    energy: Result<&Energy, &'static str>,
) -> Cost {
    let answered = totals.answered - totals.kept_answered.min(totals.answered);
    let (basis, each) = match (price.per_hour, price.per_kwh) {
        (Some(hour), _) => (CostBasis::Time, by_time(hour, answered, totals.duration_s)),
        (None, Some(kwh)) => (CostBasis::Energy, by_energy(kwh, answered, energy)),
        (None, None) => (CostBasis::Tokens, by_tokens(price, metrics, totals.answered)),
    };
    let times = |n: f64| each.as_ref().ok().map(|each| round(each * n, DECIMALS));
    let parts = energy.ok().filter(|_| basis == CostBasis::Energy);
    Cost {
        price: price.name.clone(),
        basis,
        currency: price.currency.clone(),
        per_1k_requests: times(1e3),
        per_100k_requests: times(1e5),
        per_1m_requests: times(1e6),
        energy_of: parts.map(|energy| energy.parts.clone()).unwrap_or_default(),
        unknown: each.err().map(str::to_owned),
    }
}

/// A request of the mean number of tokens.
fn by_tokens(price: &PriceDef, metrics: &Metrics, answered: u64) -> Result<f64, &'static str> {
    if answered == 0 {
        return Err("no request was answered");
    }
    let mean = |name: &str| metrics.get(name).map(Metric::value);
    let (Some(input), Some(output)) = (price.input, price.output) else {
        return Err("the price names no tokens");
    };
    let (Some(prompt), Some(completion)) = (mean("prompt_tokens"), mean("completion_tokens"))
    else {
        return Err("the backend does not report tokens");
    };
    // Requests that do not say how many came from a cache are paid for in full.
    let of = |name: &str| metrics.get(name).map_or(0.0, count);
    let told = of("cached_tokens") / of("prompt_tokens").max(1.0);
    let cached = (mean("cached_tokens").unwrap_or(0.0) * told.min(1.0)).min(prompt);
    let at = price.cached_input.unwrap_or(input);
    Ok(((prompt - cached) * input + cached * at + completion * output) / 1e6)
}

/// How many values a metric is of.
fn count(metric: &Metric) -> f64 {
    match metric {
        Metric::Number(_) => 1.0,
        Metric::Stats(stats) => stats.n as f64,
    }
}

/// The time that it took, shared by those that have an answer: those that do not are paid
/// for, too.
fn by_time(hour: f64, answered: u64, duration_s: f64) -> Result<f64, &'static str> {
    match answered {
        0 => Err("no request was answered"),
        answered => Ok(hour * duration_s / 3600.0 / answered as f64),
    }
}

fn by_energy(
    kwh: f64,
    answered: u64,
    energy: Result<&Energy, &'static str>,
) -> Result<f64, &'static str> {
    match answered {
        0 => Err("no request was answered"),
        answered => Ok(kwh * energy?.joules / JOULES_PER_KWH / answered as f64),
    }
}

/// A kilowatt for an hour.
const JOULES_PER_KWH: f64 = 1e3 * Duration::from_secs(3600).as_secs() as f64;

#[cfg(test)]
mod tests {
    use records::{BatchTotals, Metric, Metrics};

    use super::cost;
    use crate::{energy::Energy, suite::PriceDef};

    const NONE: Result<&Energy, &str> = Err("not measured");

    fn price(text: &str) -> PriceDef {
        toml::from_str(&format!("name = 'p'\n{text}")).unwrap()
    }

    fn metrics(prompt: f64, completion: f64) -> Metrics {
        Metrics {
            prompt_tokens: Some(Metric::Number(prompt)),
            completion_tokens: Some(Metric::Number(completion)),
            ..Metrics::default()
        }
    }

    fn totals(answered: u64, duration_s: f64) -> BatchTotals {
        BatchTotals { requests: answered, answered, duration_s, ..BatchTotals::default() }
    }

    #[test]
    fn tokens_are_paid_for_by_the_million() {
        let of = |text: &str, metrics: &Metrics| {
            cost(&price(text), metrics, &totals(10, 1.0), NONE).per_100k_requests
        };
        // 788 tokens in and 308 out: 100,000 requests are 78.8 and 30.8 million tokens.
        let tokens = "input = 0.05\noutput = 0.2";
        assert_eq!(of(tokens, &metrics(788.0, 308.0)), Some(10.1));
        let half = Metrics { cached_tokens: Some(Metric::Number(394.0)), ..metrics(788.0, 308.0) };
        assert_eq!(of(tokens, &half), Some(10.1));
        assert_eq!(of(&format!("{tokens}\ncached_input = 0"), &half), Some(8.13));
        let unknown = cost(&price(tokens), &Metrics::default(), &totals(10, 1.0), NONE);
        assert_eq!(unknown.per_1k_requests, None);
        assert_eq!(unknown.unknown.as_deref(), Some("the backend does not report tokens"));
    }

    #[test]
    fn an_hour_is_shared_by_the_requests_that_were_answered() {
        let hour = price("per_hour = 3.6\ncurrency = 'EUR'");
        // 100 requests in 50 s: half a second, or 0.0005, each.
        let all = cost(&hour, &Metrics::default(), &totals(100, 50.0), NONE);
        assert_eq!((all.per_1k_requests, all.per_1m_requests), (Some(0.5), Some(500.0)));
        assert_eq!(all.currency, "EUR");
        // Those of an earlier run took none of this one's time.
        let kept = BatchTotals { kept: 70, kept_answered: 50, ..totals(100, 50.0) };
        assert_eq!(cost(&hour, &Metrics::default(), &kept, NONE).per_1k_requests, Some(1.0));
        let none = cost(&hour, &Metrics::default(), &totals(0, 50.0), NONE);
        assert_eq!(none.unknown.as_deref(), Some("no request was answered"));
    }

    #[test]
    fn energy_that_was_not_measured_costs_nobody_knows_what() {
        let kwh = price("per_kwh = 0.36");
        let energy = Energy { joules: 3_600.0, parts: vec!["gpu".into()] };
        let known = cost(&kwh, &Metrics::default(), &totals(36, 9.0), Ok(&energy));
        // A thousandth of a kilowatt-hour for 36 requests.
        assert_eq!((known.per_100k_requests, known.energy_of), (Some(1.0), vec!["gpu".to_owned()]));
        let unknown = cost(&kwh, &Metrics::default(), &totals(36, 9.0), NONE);
        assert_eq!(unknown.per_1k_requests, None);
        assert_eq!(unknown.unknown.as_deref(), Some("not measured"));
    }
}
