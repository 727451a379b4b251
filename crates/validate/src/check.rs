//! One line against its schema and the rules.

use std::fmt;

use pipe::{Error, Incoming, printable};
use records::{Kind, LineKind, without_nan};
use serde_json::Value;

use crate::{fast::FastSamples, rules::Rules, schemas::Schemas};

/// The longest message: a value that is an object would bring all of it.
const LONGEST: usize = 300;
/// The most problems that are told of one line.
const MOST: usize = 20;

/// Something that is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the line, as a JSON Pointer; empty for the line as a whole.
    path: String,
    /// What is wrong.
    what: String,
}

impl Problem {
    /// `what` is wrong at `path`.
    #[must_use]
    pub fn at(path: &str, what: &str) -> Problem {
        Problem { path: path.to_owned(), what: what.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", printable(&self.path))?;
        }
        match self.what.char_indices().nth(LONGEST) {
            None => f.write_str(&printable(&self.what)),
            Some((at, _)) => write!(f, "{}…", printable(&self.what[..at])),
        }
    }
}

/// What became of a line.
#[derive(Debug)]
pub enum Outcome {
    /// It was checked as what is called this; with what is wrong, if anything.
    Checked(&'static str, Vec<Problem>),
    /// There is no schema for it.
    PassedOver,
}

/// Checks lines.
pub struct Checker {
    schemas: Schemas,
    rules: Rules,
    samples: Option<FastSamples>,
}

impl Checker {
    /// Checks against `schemas` and the rules.
    #[must_use]
    pub fn new(schemas: Schemas) -> Checker {
        // The short way is that of the samples' own schema.
        let samples = if schemas.is_forced() { None } else { FastSamples::new() };
        Checker { schemas, rules: Rules::default(), samples }
    }

    /// Checks `line`.
    ///
    /// # Errors
    ///
    /// When a schema of ours cannot be compiled, which the tests rule out.
    pub fn check(&mut self, line: &Incoming<'_>) -> Result<Outcome, Error> {
        if !self.schemas.is_forced() && !has_schema(&line.kind) {
            return Ok(Outcome::PassedOver);
        }
        if let (LineKind::Ours(Kind::Sample), Some(samples)) = (&line.kind, &self.samples)
            && samples.is_valid(line.raw)
        {
            return Ok(Outcome::Checked(Kind::Sample.name(), Vec::new()));
        }
        let mut problems = Vec::new();
        let value: Value = match read(line.raw, &mut problems) {
            Ok(value) => value,
            Err(error) => {
                problems.push(Problem::at("", &error.to_string()));
                return Ok(Outcome::Checked("line", problems));
            }
        };
        let Some((name, validator)) = self.schemas.of(&line.kind, &value)? else {
            return Ok(Outcome::PassedOver);
        };
        // Nearly every line is valid, and knowing that takes no list of errors.
        if !validator.is_valid(&value) {
            problems.extend(
                validator
                    .iter_errors(&value)
                    .take(MOST)
                    .map(|error| Problem::at(error.instance_path().as_str(), &error.to_string())),
            );
        }
        if !self.schemas.is_forced() {
            self.rules.check(&line.kind, &value, &line.place, &mut problems);
        }
        let called = match line.kind {
            LineKind::Ours(kind) if !self.schemas.is_forced() => kind.name(),
            _ => name,
        };
        Ok(Outcome::Checked(called, problems))
    }
}

fn has_schema(kind: &LineKind) -> bool {
    records::schema::name_for(kind, None).is_some()
}

/// The line as a value. NaN and Infinity, which Python writes, are a problem and are
/// read as null, so that the rest of the line is checked too.
fn read(raw: &[u8], problems: &mut Vec<Problem>) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(raw).or_else(|error| match without_nan(raw) {
        Some(fixed) => {
            let value = serde_json::from_slice(&fixed)?;
            let what = "NaN and Infinity are no JSON: leave out what was not measured";
            problems.push(Problem::at("", what));
            Ok(value)
        }
        None => Err(error),
    })
}
