//! What a batch came to.

use records::{Metric, Test};

/// The figures of a batch that follow from several of its record.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchFigures {
    /// Tokens of prompts and answers together, per second.
    pub total_tps: Option<f64>,
    /// Tokens of a prompt, on average.
    pub prompt_tokens: Option<f64>,
    /// Tokens of an answer, on average.
    pub completion_tokens: Option<f64>,
    /// Both together, on average.
    pub total_tokens: Option<f64>,
    /// Answered requests of all, 0 to 1.
    pub success_rate: Option<f64>,
}

/// The figures of `test`.
#[must_use]
pub fn batch(test: &Test) -> BatchFigures {
    let metric = |metric: &Option<Metric>| metric.as_ref().map(Metric::value);
    let metrics = &test.metrics;
    let totals = test.batch.as_ref();
    let answered = totals.map_or(0, |totals| totals.answered);
    // Both are far below 2^53.
    let each = |sum: Option<u64>| sum.filter(|_| answered > 0).map(|n| n as f64 / answered as f64);
    let sum = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
    let prompt = metric(&metrics.prompt_tokens).or(each(totals.and_then(|t| t.prompt_tokens)));
    let completion =
        metric(&metrics.completion_tokens).or(each(totals.and_then(|t| t.completion_tokens)));
    let asked = totals.filter(|totals| totals.requests > 0);
    BatchFigures {
        total_tps: sum(metric(&metrics.input_tps), metric(&metrics.output_tps)),
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: metric(&metrics.total_tokens).or(sum(prompt, completion)),
        success_rate: asked
            .map(|totals| totals.answered as f64 / totals.requests as f64)
            .or(metric(&metrics.success_rate)),
    }
}
