//! What every record has: its kind, version, time, run and host.

use crate::Kind;

/// The version that we write. Adding a field does not change it.
pub const VERSION: u32 = 1;

/// Where records come from: the same for every line of one producer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Identifies the run; memmon hands its own to the command that it wraps.
    pub run: String,
    /// The host's name.
    pub host: String,
}

/// A record of ours.
pub trait Record {
    /// Its kind, as the line's `record` says it.
    const KIND: Kind;
    /// Start, in Unix seconds.
    fn ts(&self) -> f64;
    /// The host that it speaks of.
    fn host(&self) -> &str;
    /// The run that it belongs to.
    fn run(&self) -> &str;
}

/// Defines a record: a struct with the five common fields before its own.
///
/// A macro and not `#[serde(flatten)]`, because flattening buffers every line
/// in a map while it is read, which a million samples would feel.
macro_rules! record {
    ($(#[$meta:meta])* $kind:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $kind {
            /// The kind of the record.
            pub record: crate::Kind,
            /// The version of the record's shape.
            pub v: u32,
            /// Start, in Unix seconds with microseconds.
            pub ts: f64,
            /// Identifies the run.
            pub run: String,
            /// The host's name.
            pub host: String,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $kind {
            /// An otherwise empty record of this kind that starts at `ts`.
            #[must_use]
            pub fn at(ts: f64, origin: &crate::Origin) -> Self {
                $kind {
                    record: crate::Kind::$kind,
                    v: crate::VERSION,
                    ts: crate::round(ts, 6),
                    run: origin.run.clone(),
                    host: origin.host.clone(),
                    $($field: Default::default(),)*
                }
            }
        }

        impl crate::Record for $kind {
            const KIND: crate::Kind = crate::Kind::$kind;

            fn ts(&self) -> f64 {
                self.ts
            }

            fn host(&self) -> &str {
                &self.host
            }

            fn run(&self) -> &str {
                &self.run
            }
        }
    };
}
pub(crate) use record;
