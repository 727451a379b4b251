//! What the analysis reads of a test, attempt or span.

use records::{ErrorInfo, Kind, Outcome, Params, Resources, Test, Validity, Verdict};
use serde::{Deserialize, de::IgnoredAny};

use super::levels::peak;
use crate::{Samples, Window, cold::ModelKey};

/// What a line says beyond what the join reads of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Details {
    duration_s: Option<f64>,
    error: Option<ErrorInfo>,
    metrics: Option<Tokens>,
    runs: Option<Vec<IgnoredAny>>,
    verdict: Option<Verdict>,
    model: Option<Size>,
    page_cache: Option<String>,
    outcome: Option<Outcome>,
}

/// Metrics that only a model that answered leaves behind.
#[derive(Clone, Debug, Default, Deserialize)]
struct Tokens {
    completion_tokens: Option<IgnoredAny>,
    generation_tps: Option<IgnoredAny>,
    prompt_tps: Option<IgnoredAny>,
    ttft_s: Option<IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Size {
    size_gb: Option<f64>,
}

impl Details {
    /// Those of a line that was already accepted: what is not as it should be says
    /// nothing.
    pub(crate) fn of_line(line: &[u8]) -> Details {
        records::parse(line).unwrap_or_default()
    }

    /// Those of a legacy test.
    pub(crate) fn of_test(test: &Test) -> Details {
        Details {
            duration_s: test.duration_s,
            model: test.model.as_ref().map(|model| Size { size_gb: model.size_gb }),
            outcome: Some(test.outcome),
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
    pub(crate) details: Details,
    pub(crate) resources: Option<&'a Resources>,
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
}

impl Ran {
    /// The test that `facts` tell of, if it is one.
    pub(crate) fn of(facts: &Facts<'_>, samples: Option<&Samples>) -> Option<Ran> {
        let id = facts.id.filter(|_| facts.kind == Kind::Test)?;
        let details = &facts.details;
        let tokens = details.metrics.as_ref();
        let gpu = facts.resources.and_then(|found| {
            let used = |name: &str| found.series.get(name);
            let gpu = used("gpu_residency_pct").or_else(|| used("gpu_device_util"))?;
            Some((gpu.mean?, gpu.max))
        });
        let verdict = details.verdict.as_ref();
        Some(Ran {
            stream: facts.stream,
            id: id.to_owned(),
            backend: facts.params.backend.clone(),
            model: facts.model.cloned(),
            window: facts.window,
            disk_gb: details.model.as_ref().and_then(|model| model.size_gb),
            skipped: details.outcome == Some(Outcome::Skipped),
            bench: details.runs.as_ref().is_some_and(|runs| !runs.is_empty()),
            doubts: verdict
                .filter(|verdict| verdict.state == Validity::Suspect)
                .map(|verdict| verdict.reasons.clone())
                .unwrap_or_default(),
            answered: tokens.is_some_and(|tokens| {
                let answer = [
                    &tokens.completion_tokens,
                    &tokens.generation_tps,
                    &tokens.prompt_tps,
                    &tokens.ttft_s,
                ];
                answer.into_iter().any(Option::is_some)
            }),
            peak: facts.model.and(samples).and_then(|samples| peak(samples, facts.window)),
            coverage: facts.resources.map(|found| found.coverage),
            gpu_pct: gpu,
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
        let series = |name: &str| facts.resources.and_then(|found| found.series.get(name)).copied();
        let at_death = error.memory.unwrap_or_default();
        // The reading at death may come after the memory was given back: the worse counts.
        let least = |read: Option<f64>, names: [&str; 2]| {
            let sampled = names.into_iter().filter_map(|name| series(name).map(|s| s.min));
            sampled.chain(read).reduce(f64::min)
        };
        let most = |read: Option<f64>, name: &str| {
            series(name).map(|s| s.max).into_iter().chain(read).reduce(f64::max)
        };
        let free_gb = least(at_death.ram_free_gb, ["ram_free_gb", "cgroup_free_gb"]);
        let swap_mb = most(at_death.swap_used_mb, "swap_used_mb");
        let pressure = most(at_death.memory_pressure.map(f64::from), "memory_pressure");
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

    /// Whether the phase came to its aim.
    pub(crate) fn reached(&self) -> bool {
        self.details.error.is_none()
    }

    /// Whether the model's file was in the page cache.
    pub(crate) fn page_cache(&self) -> Option<String> {
        self.details.page_cache.clone()
    }
}
