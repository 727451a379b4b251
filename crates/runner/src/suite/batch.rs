//! What a suite says of a batch.

use serde::Deserialize;

/// Many requests out of a file: `custom_id`, `method`, `url` and `body` a line, as
/// OpenAI's Batch interface takes them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchDef {
    /// The file.
    pub file: String,
    /// How many requests are on their way at once; 1 when absent.
    #[serde(default = "one")]
    pub concurrency: u32,
}

fn one() -> u32 {
    1
}
