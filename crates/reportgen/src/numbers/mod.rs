//! Every figure of the report, computed from the records and nothing else.
//!
//! What was not measured does not enter a mean, a sum or a count: a figure that
//! nothing was measured for is `None`.

mod baseline;
mod batch;
mod bench;
mod cases;
mod categories;
mod compare;
mod course;
mod fastest;
mod flaky;
mod followed;
mod found;
mod gpu;
mod health;
mod hybrid;
mod interval;
mod lives;
mod machine;
mod measured;
mod models;
mod peaks;
mod spread;
mod totals;
mod trend;
mod usage;

pub use baseline::{Steady, accuracy_pct, steady};
pub use batch::{BatchFigures, batch};
pub use bench::{
    BenchGroup, OwnTimings, benches, comparable, last_of_each, own_timings, why_no_generation_tps,
    why_no_prompt_tps,
};
pub use cases::{CaseRow, cases};
pub use categories::{Category, CategoryRow, LARGE_GB, SMALL_GB, categories};
pub use compare::{
    ALPHA, Change, Comparison, Difference, MEASURES, Measure, Pair, Regression, Rules, Shift, Sum,
    judge,
};
pub use course::{Course, Drift, STABLE_PCT, course};
pub use fastest::{Fastest, Quantity, SPEEDS, Sure, fastest};
pub use flaky::{Flaky, flaky};
pub use followed::{Figure, followed};
pub use found::{Found, TaskKey, found, grouped, latest, runs_of};
pub use gpu::{GpuUse, MeanMost, gpu_use, on_gpu};
pub use health::{Health, health};
pub use hybrid::{Steps, common_prices, seconds_for};
pub use interval::{Better, Consistency, Lead, consistency, interval, lead};
pub use lives::{LifeRow, lives};
pub use machine::{host_class, machine, metadata};
pub use measured::{Common, Measured, common, stats};
pub use models::{Key, ModelRow, load_s, models};
pub use peaks::{Peaks, Source, peaks};
pub use spread::{Range, Spread, median};
pub use totals::{Sampling, Totals, sampling, tally, totals};
pub use trend::{Trend, sparkline, trend};
pub use usage::{Usage, keep_used, usage};

use records::{Outcome, Test};

/// Whether a test counts against the run.
#[must_use]
pub fn is_bad(test: &Test) -> bool {
    matches!(test.outcome, Outcome::Failed | Outcome::Error)
}

/// Whether a test came through, so that its time says how fast it is.
#[must_use]
pub fn came_through(test: &Test) -> bool {
    matches!(test.outcome, Outcome::Passed | Outcome::Xpassed)
}

/// The id of the model that a test ran on.
#[must_use]
pub fn model_of(test: &Test) -> Option<&str> {
    test.model.as_ref().map(|model| model.id.as_str()).or(test.params.model.as_deref())
}

/// The name of the backend that a test ran on.
#[must_use]
pub fn backend_of(test: &Test) -> Option<&str> {
    test.params
        .backend
        .as_deref()
        .or_else(|| test.backend.as_ref().map(|backend| backend.name.as_str()))
}
