//! vLLM's `vllm serve`.
//!
//! It reports no timings in answers; usage in streams only where `stream_options` asks.
//! Not run here: by its documentation.

use super::{Ask, IgnoreEos, Knowledge, NOTHING, Tokenizer};
use crate::facts::served;

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "vllm",
    command: &[
        "vllm",
        "serve",
        "{weights}",
        "--host",
        "{host}",
        "--port",
        "{port}",
        "--served-model-name",
        "{model}",
    ],
    ignore_eos: IgnoreEos::Field("ignore_eos"),
    tokenizer: Some(Tokenizer::Vllm),
    // 200 only after loading.
    health: Some("/health"),
    version: Some(("/version", "version")),
    version_flag: true,
    facts: Some((|_| Ask::get("/v1/models"), served::vllm)),
    ..NOTHING
};
