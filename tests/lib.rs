//! Nothing: this package holds the tests of the tools together, in `tests/`.
