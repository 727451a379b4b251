//! What tests did with the GPU.

use records::{Outcome, Test};

use super::{Usage, usage};

/// The use of the GPU over tests: means and greatest of the tests' own means, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GpuUse {
    /// Tests that ran with the GPU measured.
    pub tests: u64,
    /// Those of them that were the first on a model.
    pub cold: u64,
    /// The device.
    pub device_pct: Option<MeanMost>,
    /// The renderer.
    pub renderer_pct: Option<MeanMost>,
}

/// The mean of tests' means, and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanMost {
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub most: f64,
}

/// The use of the GPU over those of `tests` that ran and were measured. Skipped ones have no
/// time in which they could have used it.
#[must_use]
pub fn gpu_use<'a>(tests: impl IntoIterator<Item = &'a Test>) -> GpuUse {
    let measured: Vec<(&Test, Usage)> = tests.into_iter().filter_map(on_gpu).collect();
    let of = |get: fn(&Usage) -> Option<f64>| {
        let means: Vec<f64> = measured.iter().filter_map(|(_, used)| get(used)).collect();
        let most = means.iter().copied().reduce(f64::max)?;
        Some(MeanMost { mean: means.iter().sum::<f64>() / means.len() as f64, most })
    };
    GpuUse {
        tests: measured.len() as u64,
        cold: measured.iter().filter(|(test, _)| test.cold_start == Some(true)).count() as u64,
        device_pct: of(|used| used.gpu_pct?.0),
        renderer_pct: of(|used| used.gpu_renderer_pct?.0),
    }
}

/// A test that ran, with what was measured of its GPU.
#[must_use]
pub fn on_gpu(test: &Test) -> Option<(&Test, Usage)> {
    let used = usage(test.resources.as_ref().filter(|_| test.outcome != Outcome::Skipped)?);
    used.gpu_pct.is_some().then_some((test, used))
}
