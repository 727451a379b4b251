//! A test then and now.

use records::{Metric, Metrics, ProtocolKind, Test};

use super::{Change, failed, judge, ran};
use crate::numbers::{Better, came_through};

/// Something that is compared.
#[derive(Debug)]
pub struct Measure {
    /// Its field.
    pub name: &'static str,
    /// Which of two values is better.
    pub better: Better,
    get: Get,
}

/// A metric of all.
type Get = fn(&Metrics) -> Option<&Metric>;

/// The time of a test that is no measurement of its own.
const TIME: Measure = Measure { name: "duration_s", better: Better::Less, get: |_| None };

/// What benches, baselines and batches are compared by.
pub const MEASURES: [Measure; 15] = [
    Measure { name: "load_s", better: Better::Less, get: |m| m.load_s.as_ref() },
    Measure { name: "warmup_s", better: Better::Less, get: |m| m.warmup_s.as_ref() },
    Measure { name: "steady_s", better: Better::Less, get: |m| m.steady_s.as_ref() },
    Measure { name: "ttft_s", better: Better::Less, get: |m| m.ttft_s.as_ref() },
    Measure { name: "tpot_s", better: Better::Less, get: |m| m.tpot_s.as_ref() },
    Measure { name: "e2e_s", better: Better::Less, get: |m| m.e2e_s.as_ref() },
    Measure { name: "prompt_tps", better: Better::More, get: |m| m.prompt_tps.as_ref() },
    Measure { name: "generation_tps", better: Better::More, get: |m| m.generation_tps.as_ref() },
    Measure { name: "request_tps", better: Better::More, get: |m| m.request_tps.as_ref() },
    Measure { name: "output_tps", better: Better::More, get: |m| m.output_tps.as_ref() },
    Measure { name: "goodput_rps", better: Better::More, get: |m| m.goodput_rps.as_ref() },
    Measure { name: "success_rate", better: Better::More, get: |m| m.success_rate.as_ref() },
    Measure { name: "rtfx", better: Better::More, get: |m| m.rtfx.as_ref() },
    Measure { name: "memory_gb", better: Better::Less, get: |m| m.memory_gb.as_ref() },
    Measure { name: "gpu_memory_gb", better: Better::Less, get: |m| m.gpu_memory_gb.as_ref() },
];

/// A test that both the old runs and the new one have.
#[derive(Debug)]
pub struct Pair<'a> {
    /// Its results then.
    pub then: Vec<&'a Test>,
    /// Its results now.
    pub now: Vec<&'a Test>,
    /// How what was measured of it changed; nothing where one of them did not come through.
    pub changes: Vec<(&'static Measure, Change)>,
}

impl<'a> Pair<'a> {
    pub(super) fn of(then: &[&'a Test], now: &[&'a Test], noise_pct: f64) -> Pair<'a> {
        let quantities: Vec<&'static Measure> = match protocol(now).or_else(|| protocol(then)) {
            None => vec![&TIME],
            Some(kind) => MEASURES.iter().filter(|quantity| is_about(kind, quantity)).collect(),
        };
        let change = |quantity: &'static Measure| {
            let (old, new) = (values(then, quantity), values(now, quantity));
            Some((quantity, judge(&old, &new, quantity.better, noise_pct)?))
        };
        let changes = quantities.into_iter().filter_map(change).collect();
        Pair { then: then.to_vec(), now: now.to_vec(), changes }
    }

    /// The test, as it is now.
    #[must_use]
    pub fn test(&self) -> &'a Test {
        self.now[0]
    }

    /// Whether it passed and no longer does.
    #[must_use]
    pub fn broke(&self) -> bool {
        ran(&self.then) && !failed(&self.then) && failed(&self.now)
    }

    /// Whether it did not pass and now does.
    #[must_use]
    pub fn mended(&self) -> bool {
        ran(&self.now) && !failed(&self.now) && failed(&self.then)
    }

    /// How its time changed, where it came through then and now.
    #[must_use]
    pub fn time(&self) -> Option<&Change> {
        let time = self.changes.iter().find(|(quantity, _)| quantity.name == TIME.name);
        time.map(|(_, change)| change)
    }
}

fn protocol(tests: &[&Test]) -> Option<ProtocolKind> {
    let batch = |test: &&&Test| test.batch.is_some();
    let stated = tests.iter().find_map(|test| test.protocol.as_ref().map(|p| p.kind));
    stated.or_else(|| tests.iter().find(batch).map(|_| ProtocolKind::Batch))
}

/// Whether a measurement of this kind is about `quantity`: a stream's whole time is no news
/// beside its speeds.
fn is_about(kind: ProtocolKind, quantity: &Measure) -> bool {
    match quantity.name {
        "warmup_s" | "steady_s" => kind == ProtocolKind::Baseline,
        "tpot_s" | "e2e_s" => kind == ProtocolKind::Batch,
        "memory_gb" | "gpu_memory_gb" | "load_s" => kind != ProtocolKind::Batch,
        _ => true,
    }
}

/// Every value of `quantity` that those of `tests` have which came through: of repetitions
/// that are in the stream each for itself.
fn values(tests: &[&Test], quantity: &Measure) -> Vec<f64> {
    let of = |test: &&Test| -> Vec<f64> {
        if quantity.name == TIME.name {
            return test.duration_s.into_iter().collect();
        }
        let runs = test.runs.iter().flatten();
        let runs: Vec<f64> = runs.filter_map(|run| Some((quantity.get)(run)?.value())).collect();
        let one = || (quantity.get)(&test.metrics).map(Metric::value).into_iter().collect();
        if runs.is_empty() { one() } else { runs }
    };
    let values = tests.iter().filter(|test| came_through(test)).flat_map(of);
    values.filter(|value| value.is_finite()).collect()
}
