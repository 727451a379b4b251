//! Counting the rows of a dataset that are right.

use records::{Accuracy, ErrorInfo};
use serde_json::{Map, Value, json};

use super::{
    Came,
    dataset::Row,
    result::{describe, judge_all},
};
use crate::{
    expect::{Expectation, Observed},
    measure::Pool,
};

/// How many of the rows that are wrong are told of.
const WRONG_ROWS: usize = 10;

/// The rows of a dataset that were asked so far.
#[derive(Default)]
pub(super) struct Tally {
    of: Accuracy,
    answered: u64,
    pool: Pool,
    wrong: Vec<Value>,
    first_error: Option<ErrorInfo>,
    sample: Option<String>,
    status: Option<u16>,
}

impl Tally {
    /// Judges what came of `row`; what is `implied` must hold too.
    pub(super) fn add(&mut self, row: &Row, came: Came, implied: &[Expectation]) {
        let Came { observed, mut checks, mut error, gaps_s, .. } = came;
        if error.is_none() {
            let refused = observed.status.is_some_and(|status| status >= 400);
            let implied = implied.iter().filter(|_| !refused);
            let all: Vec<Expectation> = row.expectations.iter().chain(implied).cloned().collect();
            self.answered += 1;
            error = judge_all(&all, &observed, None, &mut checks);
        }
        self.of.total += 1;
        let missed = checks.iter().find(|check| !check.ok);
        let reason = match (&error, missed) {
            (Some(error), _) => Some(error.message.clone()),
            (None, Some(check)) => Some(describe(check)),
            (None, None) => None,
        };
        match reason {
            None => self.of.correct += 1,
            Some(reason) if self.wrong.len() < WRONG_ROWS => {
                self.wrong.push(json!({"line": row.line, "reason": reason}));
            }
            Some(_) => {}
        }
        self.first_error = self.first_error.take().or(error);
        self.sample = self.sample.take().or(observed.text);
        self.status = observed.status.or(self.status);
        self.pool.add(&observed.metrics, &gaps_s);
    }

    /// What came of them all, or of those before `error`.
    pub(super) fn came(self, error: Option<ErrorInfo>) -> Came {
        let mut metrics = self.pool.metrics();
        metrics.accuracy = (self.of.total > 0).then_some(self.of);
        // Where there was no answer at all, there is nothing to be right or wrong.
        let nothing = self.answered == 0;
        let error = error.or_else(|| self.first_error.filter(|_| nothing));
        let note = self.wrong.first().map(|first| {
            let (line, reason) = (&first["line"], first["reason"].as_str().unwrap_or_default());
            format!("line {line}: {reason}")
        });
        let mut metadata = Map::new();
        if !self.wrong.is_empty() {
            metadata.insert("wrong_rows".to_owned(), Value::Array(self.wrong));
        }
        let observed =
            Observed { text: self.sample, status: self.status, metrics, ..Observed::default() };
        Came { observed, error, note, metadata, ..Came::default() }
    }
}
