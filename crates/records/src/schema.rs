//! The JSON Schemas (2020-12) of the lines: their text, by name.
//!
//! The text lives in `schemas/` at the root of the project, where editors and
//! other tools find it. It is made from the types of this crate; a test keeps
//! both equal (`just bless` writes it anew).

use crate::{Kind, LineKind};

/// A schema and its name.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The name, also the stem of its file: `sample.v1`.
    pub name: &'static str,
    /// The schema.
    pub text: &'static str,
}

macro_rules! schemas {
    ($($name:literal,)*) => {
        /// Every schema.
        pub static SCHEMAS: &[Schema] = &[$(Schema {
            name: $name,
            text: include_str!(concat!("../../../schemas/", $name, ".schema.json")),
        },)*];
    };
}

schemas! {
    "stream.v1",
    "sample.v1",
    "summary.v1",
    "run_start.v1",
    "run_end.v1",
    "begin.v1",
    "span.v1",
    "attempt.v1",
    "request.v1",
    "test.v1",
    "model_life.v1",
    "advice.v1",
    "anomaly.v1",
    "mlx-knife-test.v0.1",
    "mlx-knife-test.v0.2",
    "mlx-knife-sample",
    "mlx-knife-summary",
}

/// The schema called `name`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|schema| schema.name == name)
}

/// The name of the schema of a kind of ours.
#[must_use]
pub const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "stream.v1",
        Kind::Sample => "sample.v1",
        Kind::Summary => "summary.v1",
        Kind::RunStart => "run_start.v1",
        Kind::RunEnd => "run_end.v1",
        Kind::Begin => "begin.v1",
        Kind::Span => "span.v1",
        Kind::Attempt => "attempt.v1",
        Kind::Request => "request.v1",
        Kind::Test => "test.v1",
        Kind::ModelLife => "model_life.v1",
        Kind::Advice => "advice.v1",
        Kind::Anomaly => "anomaly.v1",
    }
}

/// The name of the schema that a line of `kind` must meet; `None` where there is
/// none to meet. `schema_version` is what a legacy test says of itself.
#[must_use]
pub fn name_for(kind: &LineKind, schema_version: Option<&str>) -> Option<&'static str> {
    match kind {
        LineKind::Ours(kind) => Some(name_of(*kind)),
        LineKind::LegacyTest if schema_version == Some("0.1.0") => Some("mlx-knife-test.v0.1"),
        LineKind::LegacyTest => Some("mlx-knife-test.v0.2"),
        LineKind::LegacySample => Some("mlx-knife-sample"),
        LineKind::LegacySummary => Some("mlx-knife-summary"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SCHEMAS, name_of, named};
    use crate::Kind;

    #[test]
    fn every_kind_has_a_schema_that_is_json() {
        for kind in Kind::ALL {
            assert!(named(name_of(kind)).is_some(), "{kind:?}");
        }
        for schema in SCHEMAS {
            let value: serde_json::Value = serde_json::from_str(schema.text).unwrap();
            assert_eq!(
                value["$schema"], "https://json-schema.org/draft/2020-12/schema",
                "{}",
                schema.name
            );
        }
    }
}
