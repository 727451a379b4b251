//! What a suite says of prices.

use serde::Deserialize;

use super::AnyOf;

/// What requests cost: by tokens, by the hour or by energy.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceDef {
    /// Its name.
    pub name: String,
    /// The currency.
    #[serde(default = "usd")]
    pub currency: String,
    /// The backends that it is of, by name or pattern; all when absent.
    pub backend: Option<AnyOf<String>>,
    /// The models that it is of, by id or pattern; all when absent.
    pub model: Option<AnyOf<String>>,
    /// A million tokens of prompts.
    pub input: Option<f64>,
    /// A million tokens of prompts that came from a cache; as `input` when absent.
    pub cached_input: Option<f64>,
    /// A million tokens of answers.
    pub output: Option<f64>,
    /// An hour of the machine.
    pub per_hour: Option<f64>,
    /// A kilowatt-hour.
    pub per_kwh: Option<f64>,
}

fn usd() -> String {
    "USD".to_owned()
}
