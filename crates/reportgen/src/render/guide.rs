//! How to read the report, and where its figures come from.

use crate::page::Page;

/// Writes the definitions, each by the fields of the stream that it is made of.
pub(super) fn section(page: &mut Page) {
    page.heading(2, "How to read this");
    for text in [
        "Every figure can be recomputed from the `test`, `span` and `summary` lines of the input. \
         What was not measured has no figure: it is never counted as 0.",
        "**Time** is `duration_s`, the last attempt of a test; a sum of times leaves out tests \
         without one, and times that include loading a model are marked as cold starts where \
         that is known. Units: 1 GB is 10⁹ bytes, 1 MB 10⁶.",
        "**Fastest, slowest, median** are over the tests that passed: how fast something failed \
         or was skipped says nothing.",
        "**Not passed** is failed (a check did not hold) and error (there was nothing to judge).",
        "**Load** is the mean of the `load` spans that succeeded, from starting the backend to \
         its being ready, else of `metrics.load_s`. **TTFT** is the mean of `metrics.ttft_s`, \
         from sending a request to the first token; **generation** that of \
         `metrics.generation_tps`. Each is over the tests that measured it, the last two without \
         benches, baselines and batches; a metric with statistics counts with its mean.",
        "**Free memory** is `resources.ram_free_gb`, least to greatest, and for tests that were \
         not joined with samples `system_health.ram_free_gb`. **Process memory** is the greatest \
         `resources.tree_footprint_gb`, where there is none `resources.tree_rss_gb`: all \
         processes below the sampler together.",
        "**CPU** is 100 − `resources.cpu_idle`, in percent of all cores; **GPU** is \
         `resources.gpu_device_util`. Means weigh each sample by the time it covers. **Coverage** \
         is the share of a test's time that samples cover.",
        "**Quality** is what the tests say in `system_health.quality_flags`.",
    ] {
        page.item(text);
    }
}
