//! What was measured of several requests, together.

use records::{Metric, Metrics};
use serde_json::{Map, Value, json};

use super::Values;
use crate::backend;

/// Decimals of the statistics.
const DECIMALS: u8 = 6;

/// What follows from the server's own timings, by name: the figure itself, and what ours
/// differs from it.
const SERVER: [&str; 5] = [
    "prompt_tps",
    "generation_tps",
    "prompt_difference_pct",
    "generation_difference_pct",
    "ttft_minus_prompt_s",
];

/// Metrics of requests, added up.
#[derive(Clone, Debug)]
pub struct Pool {
    /// By the place in [`Metrics::NAMES`].
    values: Vec<Values>,
    /// The gaps between the chunks of all answers.
    gaps: Values,
    /// By the place in [`SERVER`].
    server: [Signed; SERVER.len()],
}

/// Values of either sign, as they are; of the first [`Signed::MOST`] requests, so that a
/// batch of a million takes no more. Their `n` says of how many.
#[derive(Clone, Debug, Default)]
struct Signed(Vec<f64>);

impl Signed {
    const MOST: usize = 10_000;

    fn add(&mut self, value: f64) {
        if self.0.len() < Self::MOST && value.is_finite() {
            self.0.push(value);
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Pool {
            values: vec![Values::default(); Metrics::NAMES.len()],
            gaps: Values::default(),
            server: std::array::from_fn(|_| Signed::default()),
        }
    }
}

impl Pool {
    /// Adds what was measured of one request, with the gaps between the chunks of its
    /// answer, in seconds.
    pub fn add(&mut self, metrics: &Metrics, gaps_s: &[f64]) {
        for (name, values) in Metrics::NAMES.iter().zip(&mut self.values) {
            // Of gaps there is more than a mean for each request.
            if *name != "itl_s"
                && let Some(metric) = metrics.get(name)
            {
                values.add(metric.value());
            }
        }
        gaps_s.iter().for_each(|gap| self.gaps.add(*gap));
        let Some(timings) = &metrics.server else { return };
        let ours = |name: &str| metrics.get(name).map(Metric::value);
        let (prompt, generation) = (backend::prompt_tps(timings), backend::generation_tps(timings));
        let pct = |ours: Option<f64>, theirs: Option<f64>| {
            Some((ours? / theirs.filter(|theirs| *theirs > 0.0)? - 1.0) * 100.0)
        };
        let late = ours("ttft_s").zip(backend::prompt_s(timings)).map(|(ttft, s)| ttft - s);
        let found = [
            prompt,
            generation,
            pct(ours("prompt_tps"), prompt),
            pct(ours("generation_tps"), generation),
            late,
        ];
        for (values, value) in self.server.iter_mut().zip(found) {
            if let Some(value) = value {
                values.add(value);
            }
        }
    }

    /// Adds one value of the metric called `name`.
    pub fn add_one(&mut self, name: &str, value: f64) {
        let at = Metrics::NAMES.iter().position(|known| *known == name);
        if let Some(values) = at.and_then(|at| self.values.get_mut(at)) {
            values.add(value);
        }
    }

    /// The sum of all values of the metric called `name`; nothing where there are none.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<f64> {
        let at = Metrics::NAMES.iter().position(|known| *known == name)?;
        self.values.get(at).filter(|values| !values.is_empty()).map(Values::sum)
    }

    /// The statistics of each metric that there are values of.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let mut all = Metrics::default();
        for (name, values) in Metrics::NAMES.iter().zip(&self.values) {
            let values = if *name == "itl_s" { &self.gaps } else { values };
            if let Some(stats) = values.stats(DECIMALS) {
                all.set(name, Metric::Stats(Box::new(stats)));
            }
        }
        let server: Map<String, Value> = SERVER
            .iter()
            .zip(&self.server)
            .filter_map(|(name, values)| {
                Some(((*name).to_owned(), json!(super::stats(&values.0, DECIMALS)?)))
            })
            .collect();
        all.server = Some(server).filter(|server| !server.is_empty());
        all
    }
}

#[cfg(test)]
mod tests {
    use records::{Metric, Metrics};
    use serde_json::json;

    use super::Pool;

    fn request(ttft_s: f64, server: serde_json::Value) -> Metrics {
        Metrics {
            ttft_s: Some(Metric::Number(ttft_s)),
            prompt_tps: Some(Metric::Number(98.0)),
            generation_tps: Some(Metric::Number(49.0)),
            completion_tokens: Some(Metric::Number(3.0)),
            server: server.as_object().cloned(),
            ..Metrics::default()
        }
    }

    #[test]
    fn gaps_of_all_answers_are_pooled_and_not_averaged() {
        let mut pool = Pool::default();
        pool.add(&request(0.1, json!(null)), &[0.1, 0.1, 0.1]);
        pool.add(&request(0.3, json!(null)), &[0.5]);
        let all = pool.metrics();
        let Some(Metric::Stats(itl)) = all.itl_s else { panic!("no gaps") };
        assert_eq!((itl.n, itl.mean, itl.max), (4, 0.2, 0.5));
        assert_eq!(all.ttft_s.map(|metric| metric.value()), Some(0.2));
        assert_eq!((pool.sum("completion_tokens"), pool.sum("prompt_tokens")), (Some(6.0), None));
        assert_eq!(all.server, None);
    }

    #[test]
    fn the_servers_figures_stand_beside_ours_with_the_difference() {
        let mut pool = Pool::default();
        let timings = json!({"cache_n": 0, "prompt_n": 100, "prompt_ms": 1000.0,
            "predicted_n": 51, "predicted_ms": 1000.0});
        pool.add(&request(1.002, timings), &[]);
        let server = pool.metrics().server.unwrap();
        assert_eq!(server["prompt_tps"]["mean"], 100.0);
        assert_eq!(server["generation_tps"]["mean"], 50.0, "51 tokens have 50 gaps");
        assert_eq!(server["prompt_difference_pct"]["mean"], -2.0);
        assert_eq!(server["generation_difference_pct"]["mean"], -2.0);
        assert_eq!(server["ttft_minus_prompt_s"]["mean"], 0.002);
    }
}
