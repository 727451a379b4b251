//! The exit codes of the filters. runner and memmon have their own beside these.

/// Done.
pub const DONE: u8 = 0;
/// A finding: an invalid line, a regression.
pub const FINDING: u8 = 1;
/// The command line cannot be understood.
pub const USAGE: u8 = 2;
/// Lines that cannot be read, under `--strict` (`EX_DATAERR` of sysexits).
pub const BAD_DATA: u8 = 65;
/// An input is missing (`EX_NOINPUT`).
pub const NO_INPUT: u8 = 66;
/// Reading or writing failed (`EX_IOERR`).
pub const IO: u8 = 74;
