//! The extremes of the whole run.

use std::collections::BTreeMap;

use records::Resources;

use super::{Range, health};
use crate::run::Run;

/// Extremes of the machine over the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peaks {
    /// Greatest memory of the process tree.
    pub tree_gb: Option<f64>,
    /// Least free memory.
    pub ram_free_gb: Option<f64>,
    /// Least and greatest swap in use.
    pub swap_mb: Option<Range>,
    /// Greatest memory pressure.
    pub pressure: Option<f64>,
    /// Greatest GPU use, in percent.
    pub gpu_pct: Option<f64>,
    /// Where the figures come from.
    pub source: Source,
}

/// Where extremes come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The summary of the sampler: the whole recording.
    Summary,
    /// The samples during tests and phases.
    Resources,
    /// What tests say of the machine around them.
    Health,
    /// Nowhere: nothing was measured.
    #[default]
    Nothing,
}

/// The extremes of `run`: of its whole recording when the sampler said them, else
/// of its tests and phases.
#[must_use]
pub fn peaks(run: &Run) -> Peaks {
    let mut series = Ranges::default();
    for (name, value) in run.summaries.iter().flat_map(|summary| &summary.series) {
        series.widen(name, Range { min: value.min, max: value.max });
    }
    if !series.0.is_empty() {
        return series.peaks(Source::Summary);
    }
    let tests = run.tests.iter().filter_map(|test| test.resources.as_ref());
    let spans = run.spans.iter().filter_map(|span| span.resources.as_ref());
    tests.chain(spans).for_each(|resources| series.widen_by(resources));
    if !series.0.is_empty() {
        return series.peaks(Source::Resources);
    }
    let health = health(&run.tests);
    if health.ram_free_gb.is_none() && health.swap_used_mb.is_none() {
        return Peaks::default();
    }
    Peaks {
        ram_free_gb: health.ram_free_gb.map(|spread| spread.min),
        swap_mb: health.swap_used_mb.map(|spread| Range { min: spread.min, max: spread.max }),
        source: Source::Health,
        ..Peaks::default()
    }
}

#[derive(Default)]
struct Ranges<'a>(BTreeMap<&'a str, Range>);

impl<'a> Ranges<'a> {
    fn widen(&mut self, name: &'a str, more: Range) {
        let range = self.0.entry(name).or_insert(more);
        *range = Range { min: range.min.min(more.min), max: range.max.max(more.max) };
    }

    fn widen_by(&mut self, resources: &'a Resources) {
        for (name, stats) in &resources.series {
            self.widen(name, Range { min: stats.min, max: stats.max });
        }
    }

    fn peaks(&self, source: Source) -> Peaks {
        let get = |name: &str| self.0.get(name).copied();
        Peaks {
            tree_gb: get("tree_footprint_gb").or(get("tree_rss_gb")).map(|range| range.max),
            ram_free_gb: get("ram_free_gb").map(|range| range.min),
            swap_mb: get("swap_used_mb"),
            pressure: get("memory_pressure").map(|range| range.max),
            gpu_pct: get("gpu_device_util").map(|range| range.max),
            source,
        }
    }
}
