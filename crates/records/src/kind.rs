//! The names of the records.

use serde::{Deserialize, Serialize};

/// The value of a line's `record` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What is sampled, where and by whom; the first line of memmon.
    Stream,
    /// One reading of the machine.
    Sample,
    /// What memmon says at its end.
    Summary,
    /// The runner begins; which cases it selected.
    RunStart,
    /// The runner ended; how many cases came out how.
    RunEnd,
    /// A test or a span begins.
    Begin,
    /// A phase of a backend's life.
    Span,
    /// An earlier try of a case that was tried again.
    Attempt,
    /// One request of a bench or batch case.
    Request,
    /// The one final result of a case.
    Test,
    /// When a model was in memory and what it took.
    ModelLife,
    /// The order of cases that would have loaded each model once.
    Advice,
    /// Something that went wrong with the machine.
    Anomaly,
}

impl Kind {
    /// Every kind, in the order in which the contract lists them.
    pub const ALL: [Kind; 13] = [
        Kind::Stream,
        Kind::Sample,
        Kind::Summary,
        Kind::RunStart,
        Kind::RunEnd,
        Kind::Begin,
        Kind::Span,
        Kind::Attempt,
        Kind::Request,
        Kind::Test,
        Kind::ModelLife,
        Kind::Advice,
        Kind::Anomaly,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Stream => "stream",
            Kind::Sample => "sample",
            Kind::Summary => "summary",
            Kind::RunStart => "run_start",
            Kind::RunEnd => "run_end",
            Kind::Begin => "begin",
            Kind::Span => "span",
            Kind::Attempt => "attempt",
            Kind::Request => "request",
            Kind::Test => "test",
            Kind::ModelLife => "model_life",
            Kind::Advice => "advice",
            Kind::Anomaly => "anomaly",
        }
    }

    /// The kind of that name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn the_name_of_every_kind_is_what_serde_writes() {
        for kind in Kind::ALL {
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(written, format!("\"{}\"", kind.name()));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("samples"), None);
    }
}
