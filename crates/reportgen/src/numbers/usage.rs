//! What one window of time took of the machine, as people ask for it.

use records::{Resources, SeriesStats};

use super::Range;

/// The series that a report uses.
const USED: [&str; 10] = [
    "cpu_idle",
    "gpu_device_util",
    "gpu_mem_used_gb",
    "gpu_power_w",
    "gpu_renderer_util",
    "memory_pressure",
    "ram_free_gb",
    "swap_used_mb",
    "tree_footprint_gb",
    "tree_rss_gb",
];

/// Drops the series that no report uses: of ten thousand tests they are most of the memory.
pub fn keep_used(resources: &mut Resources) {
    resources.series.retain(|name, _| USED.contains(&name.as_str()));
}

/// What a test or a span took, out of its `resources`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Samples inside the window.
    pub samples: u64,
    /// Share of the window that samples cover.
    pub coverage: f64,
    /// Whether the figures are those of the samples around the window.
    pub bracketed: bool,
    /// Greatest memory of the process tree: the best measure there is of it.
    pub tree_gb: Option<f64>,
    /// Least free memory.
    pub ram_free_gb: Option<f64>,
    /// Greatest swap in use.
    pub swap_mb: Option<f64>,
    /// Mean and greatest CPU use, in percent of all cores: 100 − `cpu_idle`.
    pub cpu_pct: Option<(Option<f64>, f64)>,
    /// Mean and greatest GPU use, in percent.
    pub gpu_pct: Option<(Option<f64>, f64)>,
    /// Mean and greatest use of the GPU's renderer, in percent.
    pub gpu_renderer_pct: Option<(Option<f64>, f64)>,
    /// Greatest memory in use by the GPU.
    pub gpu_mem_gb: Option<f64>,
    /// Mean and greatest power of the GPU, in watts.
    pub gpu_power_w: Option<(Option<f64>, f64)>,
    /// Greatest memory pressure.
    pub pressure: Option<f64>,
    /// How much the memory of the process tree grew.
    pub tree_delta_gb: Option<f64>,
    /// How much free memory there was more afterwards.
    pub free_delta_gb: Option<f64>,
}

/// What `resources` says.
#[must_use]
pub fn usage(resources: &Resources) -> Usage {
    let get = |name: &str| resources.series.get(name);
    let mean_max = |series: &SeriesStats| (series.mean, series.max);
    let tree = get("tree_footprint_gb").or(get("tree_rss_gb"));
    Usage {
        samples: resources.samples,
        coverage: resources.coverage,
        bracketed: resources.bracketed == Some(true),
        tree_gb: tree.map(|series| series.max),
        ram_free_gb: get("ram_free_gb").map(|series| series.min),
        swap_mb: get("swap_used_mb").map(|series| series.max),
        cpu_pct: get("cpu_idle").map(|idle| (idle.mean.map(|mean| 100.0 - mean), 100.0 - idle.min)),
        gpu_pct: get("gpu_device_util").map(mean_max),
        gpu_renderer_pct: get("gpu_renderer_util").map(mean_max),
        gpu_mem_gb: get("gpu_mem_used_gb").map(|series| series.max),
        gpu_power_w: get("gpu_power_w").map(mean_max),
        pressure: get("memory_pressure").map(|series| series.max),
        tree_delta_gb: tree.and_then(|series| series.delta),
        free_delta_gb: get("ram_free_gb").and_then(|series| series.delta),
    }
}

/// The free memory during a test: between the extremes of the samples, or what its
/// `system_health` says where it was not joined with any.
#[must_use]
pub(super) fn free_memory(test: &records::Test) -> Option<Range> {
    let sampled = test
        .resources
        .as_ref()
        .and_then(|resources| resources.series.get("ram_free_gb"))
        .map(|series| Range { min: series.min, max: series.max });
    sampled.or_else(|| {
        let free = test.system_health.as_ref()?.ram_free_gb?;
        Some(Range { min: free, max: free })
    })
}
