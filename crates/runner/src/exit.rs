//! The exit codes of the runner.

/// Everything passed, was skipped or failed as expected.
pub const PASSED: u8 = 0;
/// Something failed or erred.
pub const FAILED: u8 = 1;
/// A signal stopped the run; everything was torn down.
pub const INTERRUPTED: u8 = 2;
/// The runner itself failed.
pub const INTERNAL: u8 = 3;
/// The command line or the suite cannot be understood.
pub const USAGE: u8 = 4;
/// The selection leaves nothing to run.
pub const NOTHING: u8 = 5;
