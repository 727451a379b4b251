//! What a line of the stream is.
//!
//! Every tool of this project speaks in JSON lines. This crate holds the types
//! of those lines, the text of their JSON Schemas, and the reading of the lines
//! that other tools wrote before us. It does no input or output and knows
//! nothing of command lines: moving lines is the business of `pipe`.
//!
//! Two rules run through all of it:
//!
//! * **A quantity that was not measured is absent.** Every measured field is an
//!   `Option`; there is no stand-in value.
//! * **Units are in the name.** `_gb` is 10⁹ bytes, `_mb` 10⁶ bytes, `_s`
//!   seconds, `_pct` and `_util` 0–100, `_w` watts, `_tps` tokens per second.

mod analysis;
mod head;
mod kind;
pub mod legacy;
mod line;
mod measured;
mod metrics;
mod nan;
mod number;
mod request;
mod resources;
mod run;
mod sample;
mod scan;
pub mod schema;
mod series;
mod span;
mod stream;
mod summary;
mod test;

pub use analysis::{Advice, Anomaly, ModelLife, Severity};
pub use head::{Origin, Record, VERSION};
pub use kind::Kind;
pub use line::{LineKind, Malformed, classify, kind_at_a_glance, parse, parse_with, read_json};
pub use measured::{
    BatchTotals, Cost, CostBasis, MemoryAround, MemoryNow, Protocol, ProtocolKind, RampInfo,
    SampleAnswer,
};
pub use metrics::{Accuracy, Metric, Metrics, Stats};
pub use nan::without_nan;
pub use number::{Written, round, write_number, write_whole};
pub use request::Request;
pub use resources::{Resources, SeriesStats};
pub use run::{Counts, HealthLimits, Resumed, RunEnd, RunStart, Selected};
pub use sample::{GpuSample, Sample};
pub use scan::{Grid, Piece, Row, Scanned, Scanner};
pub use series::{Hold, SERIES, Series, Unit, Values, place, series};
pub use span::{Begin, Params, Phase, Span};
pub use stream::{Clock, Found, GpuInfo, Machine, Missing, Producer, Sources, Stream};
pub use summary::{Achieved, Child, MinMeanMax, OwnUse, Rusage, Summary};
pub use test::{
    Attempt, Backend, Check, ErrorInfo, MemoryAtDeath, Modality, Model, OnMiss, Outcome,
    QualityFlag, SystemHealth, Target, Test, Validity, Verdict,
};
