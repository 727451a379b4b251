//! What correlate finds out beyond the join, from streams as they come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lives;
mod machine;
mod memory;
mod story;
mod whole;
