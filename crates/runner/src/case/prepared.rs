//! A case, read and compiled once for all the cells that it has.

use std::path::Path;

use serde_json::json;

use super::dataset::{Row, rows};
use crate::{
    expect::{Expectation, Range, Subject, TextRule, schema},
    suite::{CaseDef, Defaults},
};

/// A case, ready to be run on any backend: its expectations are compiled, its dataset is
/// read.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// What must hold of the answer; of several, of all of them together.
    pub expectations: Vec<Expectation>,
    /// What must hold of each of the answers to a request that is repeated.
    pub each: Vec<Expectation>,
    /// What must hold of the answer without being said, unless it is a refusal.
    pub(crate) implied: Vec<Expectation>,
    /// What must hold of the answer to each turn of a conversation.
    pub(super) turns: Vec<Vec<Expectation>>,
    /// The rows of a dataset; none without one.
    pub(crate) rows: Vec<Row>,
}

impl Prepared {
    /// Prepares `case`, whose files are looked for in `folder`.
    ///
    /// # Errors
    ///
    /// When an expectation or a row of the dataset makes no sense or cannot be read, with
    /// a sentence that says why.
    pub fn of(case: &CaseDef, folder: &Path, defaults: &Defaults) -> Result<Prepared, String> {
        let compile = |value: &toml::Value| {
            let expectation = Expectation::from_toml(value, folder)
                .map_err(|error| format!("expect: {error}"))?;
            let fits = expectation.fits(case.command.is_some());
            fits.map_err(|error| format!("expect: {error}")).map(|()| expectation)
        };
        let mut prepared = Prepared::default();
        if let Some(dataset) = &case.dataset {
            let turns = case.request.iter().flat_map(|request| request.turns.iter().flatten());
            if turns.clone().any(|turn| !turn.expect.is_empty()) {
                return Err("dataset: rows do not reach the expectations of turns; state what \
                            must hold of the last answer"
                    .to_owned());
            }
            // A pattern that a row fills in may be none before that.
            let stated =
                case.expect.iter().map(|value| (value.get_ref(), compile(value.get_ref())));
            let (whole, each): (Vec<_>, Vec<_>) =
                stated.partition(|(_, e)| e.as_ref().is_ok_and(Expectation::of_whole));
            let seed = defaults.seed.unwrap_or(0);
            prepared.rows = rows(dataset, case, &each, folder, seed)?;
            prepared.expectations = whole.into_iter().filter_map(|(_, e)| e.ok()).collect();
        } else {
            let all = case.expect.iter().map(|value| compile(value.get_ref()));
            prepared.expectations = all.collect::<Result<_, _>>()?;
            if case.baseline.is_none() && prepared.expectations.iter().any(of_accuracy) {
                return Err("expect: accuracy is of datasets and baselines".to_owned());
            }
            if case.is_repeated() {
                let all = std::mem::take(&mut prepared.expectations).into_iter();
                (prepared.expectations, prepared.each) = all.partition(Expectation::of_whole);
            }
        }
        // A target on accuracy says how many have to be right.
        let targeted = case.target.iter().any(|target| target.get_ref().metric == "accuracy");
        let counted = case.dataset.is_some() || case.baseline.is_some();
        if counted && !targeted && !prepared.expectations.iter().any(of_accuracy) {
            prepared.expectations.insert(0, every_row());
        }
        if let Some(request) = &case.request {
            let turns = request.turns.iter().flatten();
            prepared.turns = turns
                .map(|turn| turn.expect.iter().map(compile).collect())
                .collect::<Result<_, _>>()?;
            if let Some(value) = &request.response_schema {
                let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
                let schema = schema(&value, folder).map_err(|error| {
                    format!("response_schema: {}", error.trim_start_matches("json_schema: "))
                })?;
                let rows = prepared.rows.iter().flat_map(|row| &row.expectations);
                let stated = prepared.expectations.iter().chain(&prepared.each).chain(rows);
                if !stated.into_iter().any(judges_schema) {
                    prepared.implied.push(Expectation {
                        stated: json!({"text": {"json_schema": "response_schema"}}),
                        negated: false,
                        subject: Subject::Text(vec![TextRule::JsonSchema(schema)]),
                    });
                }
            }
        }
        Ok(prepared)
    }

    /// How many requests it sends at least.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.rows.len().max(1) * self.turns.len().max(1)
    }
}

/// Without another word, every row must be right.
fn every_row() -> Expectation {
    Expectation {
        stated: json!({"accuracy": {"min": 1}}),
        negated: false,
        subject: Subject::Accuracy(Range { min: Some(1.0), max: None }),
    }
}

fn of_accuracy(expectation: &Expectation) -> bool {
    matches!(expectation.subject, Subject::Accuracy(_))
}

fn judges_schema(expectation: &Expectation) -> bool {
    let Subject::Text(rules) = &expectation.subject else { return false };
    rules.iter().any(|rule| matches!(rule, TextRule::JsonSchema(_)))
}
