//! Which figures of a test are followed over many runs.

use records::{Metric, Metrics, Outcome, ProtocolKind, Span, Test};

use super::{Better, accuracy_pct, came_through, load_s};

/// A figure that is followed.
#[derive(Debug)]
pub struct Figure {
    /// The name of its field.
    pub name: &'static str,
    /// Which value is better.
    pub better: Better,
}

type Get = fn(&Metrics) -> Option<&Metric>;

const fn less(name: &'static str) -> Figure {
    Figure { name, better: Better::Less }
}

const fn more(name: &'static str) -> Figure {
    Figure { name, better: Better::More }
}

const DURATION: Figure = less("duration_s");
const LOAD: Figure = less("load_s");
const ACCURACY: Figure = more("accuracy_pct");

/// Those that are a metric of their own.
const METRICS: [(Figure, Get); 11] = [
    (less("first_token_s"), |m| m.first_token_s.as_ref()),
    (less("warmup_s"), |m| m.warmup_s.as_ref()),
    (less("steady_s"), |m| m.steady_s.as_ref()),
    (less("ttft_s"), |m| m.ttft_s.as_ref()),
    (more("prompt_tps"), |m| m.prompt_tps.as_ref()),
    (more("generation_tps"), |m| m.generation_tps.as_ref()),
    (more("rtfx"), |m| m.rtfx.as_ref()),
    (less("memory_gb"), |m| m.memory_gb.as_ref()),
    (more("request_tps"), |m| m.request_tps.as_ref()),
    (more("output_tps"), |m| m.output_tps.as_ref()),
    (more("success_rate"), |m| m.success_rate.as_ref()),
];

/// The figures of `test` to follow: of a measurement what it measured, means of several values;
/// of any other test that came through its duration.
#[must_use]
pub fn followed(
    test: &Test,
    kind: Option<ProtocolKind>,
    spans: &[Span],
) -> Vec<(&'static Figure, f64)> {
    let mut all: Vec<(&'static Figure, f64)> = Vec::new();
    let mut add = |figure, value: Option<f64>| {
        all.extend(value.filter(|value| value.is_finite()).map(|value| (figure, value)));
    };
    match kind {
        None if came_through(test) => add(&DURATION, test.duration_s),
        None => {}
        // What died may have measured something before it did, but not what was asked for.
        Some(_) if matches!(test.outcome, Outcome::Error | Outcome::Skipped) => {}
        Some(_) => {
            add(&LOAD, load_s(test, spans));
            for (figure, get) in &METRICS {
                add(figure, get(&test.metrics).map(Metric::value));
            }
            add(&ACCURACY, test.metrics.accuracy.and_then(accuracy_pct));
        }
    }
    all
}
