//! The lines of mlx-knife's sampler and test suite, and how they become ours.
//!
//! They carry no tag; [`crate::classify`] tells them apart. Two facts about them
//! are easily missed: `timestamp` is the **end** of a test, and `ram_used_gb`,
//! `ram_percent` and `swap_percent` are always 0, which means not measured.

mod sample;
mod test;
mod time;

pub use sample::{LegacySample, LegacySummary, LegacySummaryLine, is_series};
pub use test::{
    LegacyHardware, LegacyHealth, LegacyModel, LegacyOutcome, LegacyPerformance, LegacySystem,
    LegacyTest,
};
pub use time::unix_seconds;
