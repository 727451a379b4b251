//! LM Studio, attached where it listens by itself. `lms server start` hands over to the
//! application and ends, so there is nothing to start that could be stopped again.
//!
//! It loads a model when it is first asked for. Answers of its own `/api/v0` carry
//! `stats`. Not run here: by its documentation.

use super::{Ask, Knowledge, NOTHING};
use crate::facts::served;

pub(super) const KNOWN: Knowledge = Knowledge {
    name: "lmstudio",
    attach: Some("http://127.0.0.1:1234"),
    facts: Some((|model| Ask::get(format!("/api/v0/models/{model}")), served::lmstudio)),
    ..NOTHING
};
