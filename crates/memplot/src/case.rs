//! What the timeline needs to know of a test.

use records::{Outcome, Resources, Test};

/// A test.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its full id.
    pub(crate) id: String,
    /// Its name within the suite.
    pub(crate) name: String,
    /// The model that it ran on.
    pub(crate) model: Option<String>,
    /// The backend that it ran on.
    pub(crate) backend: Option<String>,
    /// How it came out.
    pub(crate) outcome: Outcome,
    /// Why it came out so.
    pub(crate) reason: Option<String>,
    /// Start and end, in Unix seconds.
    pub(crate) start: f64,
    /// The end; the start again when nothing is known of it.
    pub(crate) end: f64,
    /// Seconds that it took, where that was measured.
    pub(crate) duration: Option<f64>,
    /// Whether correlate has joined it with samples.
    pub(crate) joined: bool,
    /// Greatest memory of the process tree, in GB.
    pub(crate) tree_gb: Option<f64>,
    /// Least free memory, in GB.
    pub(crate) free_gb: Option<f64>,
    /// Greatest swap, in MB.
    pub(crate) swap_mb: Option<f64>,
    /// Greatest use of the GPU, in percent.
    pub(crate) gpu_pct: Option<f64>,
}

impl From<Test> for Case {
    fn from(test: Test) -> Case {
        let max = |resources: &Resources, name: &str| resources.series.get(name).map(|s| s.max);
        let used = test.resources.as_ref();
        let end = test.end_ts.or(test.duration_s.map(|d| test.ts + d)).unwrap_or(test.ts);
        let reason = test.reason.or(test.error.map(|error| error.message));
        Case {
            name: if test.case.is_empty() { test.id.clone() } else { test.case },
            model: test.model.map(|model| model.id).or(test.params.model),
            backend: test.backend.map(|backend| backend.name).or(test.params.backend),
            outcome: test.outcome,
            reason: reason.filter(|reason| !reason.is_empty()),
            start: test.ts,
            end: end.max(test.ts),
            duration: test.duration_s,
            joined: used.is_some(),
            tree_gb: used.and_then(|r| max(r, "tree_footprint_gb").or(max(r, "tree_rss_gb"))),
            free_gb: used.and_then(|r| r.series.get("ram_free_gb")).map(|s| s.min),
            swap_mb: used.and_then(|r| max(r, "swap_used_mb")),
            gpu_pct: used.and_then(|r| max(r, "gpu_device_util")),
            id: test.id,
        }
    }
}
