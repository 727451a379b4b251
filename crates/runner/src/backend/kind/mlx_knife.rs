//! mlx-knife's `mlxk serve`.
//!
//! It reports no timings. A request that is cancelled goes on and spoils the next one;
//! a model that is too large is refused with 507. Not run here: by its documentation.

use serde_json::json;

use super::{Knowledge, NOTHING};

/// What an answer may have where the suite does not say: without a limit it has none.
const MAX_TOKENS: u64 = 512;

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "mlx-knife",
    command: &["mlxk", "serve", "--model", "{weights}", "--port", "{port}"],
    adapt: |body| {
        body.remove("stream_options");
        body.entry("max_tokens").or_insert_with(|| json!(MAX_TOKENS));
    },
    version_flag: true,
    ..NOTHING
};
