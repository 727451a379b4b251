//! MLX's own server, `mlx_lm.server`.
//!
//! It reports no timings; usage in streams only where `stream_options` asks. Run here
//! with mlx-lm 0.32 on Linux.

use serde_json::Value;

use super::{IgnoreEos, Knowledge, NOTHING};

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "mlx-lm",
    command: &["mlx_lm.server", "--model", "{weights}", "--host", "{host}", "--port", "{port}"],
    // `/health` is well from the start, before there is a model.
    health: None,
    // Another name would be looked for on the hub, and loaded instead.
    served_as: Some("default_model"),
    ignore_eos: IgnoreEos::Bias,
    version_in: fingerprint,
    ..NOTHING
};

/// `0.32.2-0.32.4-Linux-…`: mlx-lm, mlx, the system.
fn fingerprint(answer: &Value) -> Option<String> {
    let mut parts = answer["system_fingerprint"].as_str()?.split('-');
    let mut number = || parts.next().filter(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    Some(format!("{} (mlx {})", number()?, number()?))
}
