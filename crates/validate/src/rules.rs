//! What the contract demands and a JSON Schema cannot say.

use std::collections::HashMap;

use pipe::Place;
use records::{Kind, LineKind, legacy::unix_seconds};
use serde_json::Value;

use crate::check::Problem;

/// The run of upgraded lines, which stands for no run known: their ids repeat.
const LEGACY_RUN: &str = "legacy";

/// The rules, and the results that were seen so far.
#[derive(Default)]
pub struct Rules {
    results: HashMap<(String, String), Place>,
}

impl Rules {
    /// Adds what `value`, a line of `kind` at `place`, does against the rules.
    pub fn check(&mut self, kind: &LineKind, value: &Value, place: &Place, out: &mut Vec<Problem>) {
        match kind {
            // A sample is a moment.
            LineKind::Ours(Kind::Sample) => {}
            LineKind::Ours(kind) => {
                in_order(value, "ts", "end_ts", out);
                if *kind == Kind::Test {
                    self.one_result(value, place, out);
                }
            }
            LineKind::LegacyTest => {
                in_order(value, "test_start_ts", "test_end_ts", out);
                date(value.get("timestamp"), "/timestamp", out);
            }
            LineKind::LegacySummary => {
                let stamp = value.get("summary").and_then(|summary| summary.get("timestamp"));
                date(stamp, "/summary/timestamp", out);
            }
            _ => {}
        }
    }

    /// There is exactly one `test` per id and run.
    fn one_result(&mut self, value: &Value, place: &Place, out: &mut Vec<Problem>) {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let (Some(run), Some(id)) = (text("run"), text("id")) else { return };
        if run == LEGACY_RUN {
            return;
        }
        match self.results.get(&(run.to_owned(), id.to_owned())) {
            Some(first) => out.push(Problem::at(
                "/id",
                &format!("{id:?} has a result in this run already, at {first}"),
            )),
            None => {
                self.results.insert((run.to_owned(), id.to_owned()), place.clone());
            }
        }
    }
}

/// Nothing ends before it starts.
fn in_order(value: &Value, start: &str, end: &str, out: &mut Vec<Problem>) {
    let number = |key: &str| value.get(key).and_then(Value::as_f64);
    if let (Some(from), Some(to)) = (number(start), number(end))
        && to < from
    {
        out.push(Problem::at(&format!("/{end}"), &format!("{to} is before {start}, {from}")));
    }
}

/// A date is one of the calendar. Whether it is a text at all is the schema's business.
fn date(value: Option<&Value>, path: &str, out: &mut Vec<Problem>) {
    if let Some(text) = value.and_then(Value::as_str)
        && unix_seconds(text).is_none()
    {
        out.push(Problem::at(path, &format!("{text:?} is no date")));
    }
}
