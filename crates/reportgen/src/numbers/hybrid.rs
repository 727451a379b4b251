//! What it takes to screen all requests with one model and have another evaluate the best.

use records::{Cost, Metric, Test};

/// A strategy of two steps, and what it is compared with: the second step for all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// All requests by the first.
    pub screen: f64,
    /// Those that are evaluated, by the second.
    pub evaluate: f64,
    /// All requests by the second alone.
    pub alone: f64,
}

impl Steps {
    /// Of amounts for all requests, when the share `pct` of them is evaluated.
    #[must_use]
    pub fn of(screen: f64, alone: f64, pct: f64) -> Steps {
        Steps { screen, evaluate: alone * pct / 100.0, alone }
    }

    /// Both steps together.
    #[must_use]
    pub fn together(&self) -> f64 {
        self.screen + self.evaluate
    }

    /// What is saved against the second alone, in percent of it; below 0 where it takes more.
    /// None where the second takes nothing.
    #[must_use]
    pub fn saved_pct(&self) -> Option<f64> {
        (self.alone > 0.0).then(|| 100.0 * (self.alone - self.together()) / self.alone)
    }
}

/// Seconds that `requests` take at the rate of `test`.
#[must_use]
pub fn seconds_for(test: &Test, requests: f64) -> Option<f64> {
    let rate = test.metrics.request_tps.as_ref().map(Metric::value)?;
    (rate > 0.0 && rate.is_finite()).then(|| requests / rate)
}

/// The prices by which the two can be compared: those of the same name and currency; where
/// there is none, the only one of each, if both are of one currency.
#[must_use]
pub fn common_prices<'a>(a: &'a Test, b: &'a Test) -> Vec<(&'a Cost, &'a Cost)> {
    let known = |test: &'a Test| -> Vec<&'a Cost> {
        test.cost.iter().filter(|cost| cost.per_100k_requests.is_some()).collect()
    };
    let (of_a, of_b) = (known(a), known(b));
    let mut pairs: Vec<(&Cost, &Cost)> = Vec::new();
    for cost in &of_a {
        let same = |other: &&&Cost| other.price == cost.price && other.currency == cost.currency;
        if let Some(other) = of_b.iter().find(same) {
            pairs.push((cost, other));
        }
    }
    match (&pairs[..], &of_a[..], &of_b[..]) {
        ([], [one], [other]) if one.currency == other.currency => vec![(one, other)],
        _ => pairs,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use records::{Cost, Test};

    use super::{Steps, common_prices};

    fn test(costs: &[(&str, &str, Option<f64>)]) -> Test {
        let cost = |(price, currency, per_100k_requests): &(&str, &str, Option<f64>)| Cost {
            price: (*price).into(),
            currency: (*currency).into(),
            per_100k_requests: *per_100k_requests,
            ..Cost::default()
        };
        let mut test: Test = serde_json::from_str(
            r#"{"record":"test","v":1,"ts":1,"run":"r","host":"h","id":"s::c","suite":"s","case":"c","outcome":"passed"}"#,
        )
        .unwrap();
        test.cost = costs.iter().map(cost).collect();
        test
    }

    #[test]
    fn the_published_strategy_saves_what_was_published() {
        let steps = Steps::of(4.05, 9.31, 20.0);
        assert!((steps.together() - 5.912).abs() < 1e-9);
        assert!((steps.saved_pct().unwrap() - 36.498).abs() < 1e-3);
        assert_eq!(Steps::of(1.0, 0.0, 20.0).saved_pct(), None);
    }

    #[test]
    fn only_what_is_paid_alike_is_compared() {
        let names = |a: &[(&str, &str, Option<f64>)], b: &[(&str, &str, Option<f64>)]| {
            let (a, b) = (test(a), test(b));
            common_prices(&a, &b).iter().map(|(a, b)| format!("{}/{}", a.price, b.price)).collect()
        };
        let some: Vec<String> =
            names(&[("x", "USD", Some(1.0)), ("y", "USD", Some(2.0))], &[("y", "USD", Some(3.0))]);
        assert_eq!(some, ["y/y"]);
        let own: Vec<String> = names(&[("x", "USD", Some(1.0))], &[("y", "USD", Some(3.0))]);
        assert_eq!(own, ["x/y"]);
        let other: Vec<String> = names(&[("x", "USD", Some(1.0))], &[("x", "EUR", Some(3.0))]);
        assert!(other.is_empty());
        let unknown: Vec<String> = names(&[("x", "USD", None)], &[("x", "USD", Some(3.0))]);
        assert!(unknown.is_empty());
    }

    proptest! {
        #[test]
        fn counting_the_requests_one_by_one_gives_the_same(
            n in 1u32..500, pct in 0u32..=100, a in 1u32..1000, b in 1u32..1000,
        ) {
            let (a, b) = (f64::from(a), f64::from(b));
            let (mut both, mut alone) = (0.0, 0.0);
            for request in 0..n * 100 {
                both += a;
                alone += b;
                if request % 100 < pct {
                    both += b;
                }
            }
            let all = f64::from(n) * 100.0;
            let steps = Steps::of(a * all, b * all, f64::from(pct));
            prop_assert!((steps.together() - both).abs() < 1e-6 * both);
            let saved = 100.0 - 100.0 * both / alone;
            prop_assert!((steps.saved_pct().unwrap() - saved).abs() < 1e-6);
        }
    }
}
