//! What the analysis reads of a test, attempt or span.

use records::{ErrorInfo, Kind, Outcome, Params, Test, Validity, Verdict, place};
use serde::{Deserialize, de::IgnoredAny};

use super::levels::peak;
use crate::{Samples, Window, cold::ModelKey, figures::Figures};

/// What a line says beyond what the join itself goes by. What is not as it should be
/// says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) duration_s: Option<f64>,
    pub(crate) error: Option<ErrorInfo>,
    /// A model answered.
    pub(crate) answered: bool,
    /// There are repetitions.
    pub(crate) bench: bool,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) disk_gb: Option<f64>,
    pub(crate) page_cache: Option<String>,
    pub(crate) skipped: bool,
}

/// Metrics that only a model that answered leaves behind.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    completion_tokens: Option<IgnoredAny>,
    generation_tps: Option<IgnoredAny>,
    prompt_tps: Option<IgnoredAny>,
    ttft_s: Option<IgnoredAny>,
}

impl Tokens {
    /// Whether there is one.
    pub(crate) fn any(&self) -> bool {
        let Tokens { completion_tokens, generation_tps, prompt_tps, ttft_s } = self;
        [completion_tokens, generation_tps, prompt_tps, ttft_s].into_iter().any(Option::is_some)
    }
}

impl Details {
    /// Those of a legacy test.
    pub(crate) fn of_test(test: &Test) -> Details {
        Details {
            duration_s: test.duration_s,
            disk_gb: test.model.as_ref().and_then(|model| model.size_gb),
            skipped: test.outcome == Outcome::Skipped,
            ..Details::default()
        }
    }
}

/// A line that was joined.
pub(crate) struct Facts<'a> {
    pub(crate) kind: Kind,
    /// Its run on its host.
    pub(crate) stream: usize,
    pub(crate) id: Option<&'a str>,
    pub(crate) phase: Option<&'a str>,
    pub(crate) params: &'a Params,
    /// The model that it ran on.
    pub(crate) model: Option<&'a ModelKey>,
    pub(crate) window: Window,
    /// It came to its aim.
    pub(crate) reached: bool,
    pub(crate) details: &'a Details,
    pub(crate) figures: Option<&'a Figures>,
}

/// A test that ran, as long as it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) stream: usize,
    pub(crate) id: String,
    pub(crate) backend: Option<String>,
    pub(crate) model: Option<ModelKey>,
    pub(crate) window: Window,
    pub(crate) disk_gb: Option<f64>,
    pub(crate) skipped: bool,
    /// Its result is a measurement.
    pub(crate) bench: bool,
    /// Reasons for which the runner itself doubts it.
    pub(crate) doubts: Vec<String>,
    /// A model answered it.
    pub(crate) answered: bool,
    /// The most memory that was in use while it ran.
    pub(crate) peak: Option<f64>,
    pub(crate) coverage: Option<f64>,
    /// The mean and the greatest use of the GPU.
    pub(crate) gpu_pct: Option<(f64, f64)>,
    /// It counts among those that are no longer kept, and is kept for a finding.
    pub(crate) folded: bool,
}

impl Ran {
    /// The test that `facts` tell of, if it is one.
    pub(crate) fn of(facts: &Facts<'_>, samples: Option<&Samples>) -> Option<Ran> {
        let id = facts.id.filter(|_| facts.kind == Kind::Test)?;
        let details = facts.details;
        let gpu = facts.figures.and_then(|found| {
            let gpu = found.get(place("gpu_residency_pct"));
            let gpu = gpu.or_else(|| found.get(place("gpu_device_util")))?;
            Some((gpu.mean?, gpu.max))
        });
        let verdict = details.verdict.as_ref();
        Some(Ran {
            stream: facts.stream,
            id: id.to_owned(),
            backend: facts.params.backend.clone(),
            model: facts.model.cloned(),
            window: facts.window,
            disk_gb: details.disk_gb,
            skipped: details.skipped,
            bench: details.bench,
            doubts: verdict
                .filter(|verdict| verdict.state == Validity::Suspect)
                .map(|verdict| verdict.reasons.clone())
                .unwrap_or_default(),
            answered: details.answered,
            peak: facts.model.and(samples).and_then(|samples| peak(samples, facts.window)),
            coverage: facts.figures.map(|found| found.coverage),
            gpu_pct: gpu,
            folded: false,
        })
    }
}

/// A backend or a command that died while memory was short.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub(crate) stream: usize,
    pub(crate) window: Window,
    pub(crate) params: Params,
    pub(crate) id: Option<String>,
    pub(crate) error: ErrorInfo,
    pub(crate) free_gb: Option<f64>,
    pub(crate) swap_mb: Option<f64>,
    pub(crate) pressure: Option<f64>,
}

impl Death {
    /// The death that `facts` tell of, if memory was short: less free than `free_gb`, or
    /// pressure above normal.
    pub(crate) fn of(facts: &Facts<'_>, limit_gb: f64) -> Option<Death> {
        let error = facts.details.error.clone()?;
        let died = error.signal.is_some()
            || error.kind == "backend_died"
            || error.exit.is_some_and(|exit| exit > 128);
        let series = |place: usize| facts.figures.and_then(|found| found.get(place));
        let at_death = error.memory.unwrap_or_default();
        // The reading at death may come after the memory was given back: the worse counts.
        let least = |read: Option<f64>, places: [usize; 2]| {
            let sampled = places.into_iter().filter_map(|place| series(place).map(|s| s.min));
            sampled.chain(read).reduce(f64::min)
        };
        let most = |read: Option<f64>, place: usize| {
            series(place).map(|s| s.max).into_iter().chain(read).reduce(f64::max)
        };
        let free_gb = least(at_death.ram_free_gb, [place("ram_free_gb"), place("cgroup_free_gb")]);
        let swap_mb = most(at_death.swap_used_mb, place("swap_used_mb"));
        let pressure = most(at_death.memory_pressure.map(f64::from), place("memory_pressure"));
        let short = free_gb.is_some_and(|free| free < limit_gb)
            || pressure.is_some_and(|pressure| pressure >= 2.0);
        (died && short).then(|| Death {
            stream: facts.stream,
            window: facts.window,
            params: facts.params.clone(),
            id: facts.id.map(str::to_owned),
            error,
            free_gb,
            swap_mb,
            pressure,
        })
    }
}

impl Facts<'_> {
    /// Seconds that it took by the monotonic clock, else by its window.
    pub(crate) fn seconds(&self) -> f64 {
        self.details
            .duration_s
            .unwrap_or(crate::window::seconds(self.window.end - self.window.start))
    }

    /// Whether the model's file was in the page cache.
    pub(crate) fn page_cache(&self) -> Option<String> {
        self.details.page_cache.clone()
    }
}
