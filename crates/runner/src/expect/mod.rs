//! What must hold of an answer.
//!
//! An expectation is a small table of the suite. It is read once, when the suite
//! is loaded, so that a bad pattern is found before a model is; [`judge`] then
//! holds it against what was observed.

mod judge;
mod text;
mod tool_calls;
mod value;

use std::path::Path;

use records::Metrics;
use serde_json::Value;
use serde_json_path::JsonPath;

pub(crate) use judge::excerpt;
pub use judge::{Judged, Observed, Sse, judge};
pub use text::TextRule;
pub(crate) use text::schema;
pub use tool_calls::CallsRule;
pub use value::ValueRule;

use crate::suite::suggestion;

/// One expectation.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As the suite states it, for the record.
    pub stated: Value,
    /// Whether it must not hold.
    pub negated: bool,
    /// What it is about.
    pub subject: Subject,
}

/// What an expectation is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The HTTP status is one of these.
    Status(Vec<u64>),
    /// The answer's text meets every rule.
    Text(Vec<TextRule>),
    /// The command's standard output meets every rule.
    Stdout(Vec<TextRule>),
    /// The command's standard error meets every rule.
    Stderr(Vec<TextRule>),
    /// The nodes that a JSONPath (RFC 9535) finds in the answer's body.
    Path(Box<PathRule>),
    /// The answer is a well-formed stream of server-sent events, to its end.
    Sse,
    /// How many chunks with content the stream had.
    Chunks(Range),
    /// Why the model stopped is one of these.
    FinishReason(Vec<String>),
    /// The command's exit code is one of these.
    Exit(Vec<i64>),
    /// The tools that the answer calls.
    ToolCalls(Box<CallsRule>),
    /// The share of a dataset's rows that are right.
    Accuracy(Range),
    /// A metric lies in a range.
    Metric(String, Range),
}

/// Limits, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least that is right.
    pub min: Option<f64>,
    /// The most that is right.
    pub max: Option<f64>,
}

impl Range {
    /// Whether `value` lies in it.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// What must hold of the nodes that a path finds. Without a rule, there must be one.
#[derive(Clone, Debug)]
pub struct PathRule {
    /// The path.
    pub path: JsonPath,
    /// What must hold of the one node.
    pub rule: ValueRule,
}

const SUBJECTS: [&str; 12] = [
    "status",
    "text",
    "stdout",
    "stderr",
    "path",
    "sse",
    "chunks",
    "finish_reason",
    "tool_calls",
    "accuracy",
    "exit",
    "not",
];

/// Every word that the table of an expectation can have.
#[cfg(feature = "schema")]
pub(crate) fn keys() -> Vec<&'static str> {
    [&SUBJECTS, Metrics::NAMES, &value::OWN, &text::RULES].concat()
}

impl Expectation {
    /// Reads one from the suite. Files that it names are looked for in `folder`.
    ///
    /// # Errors
    ///
    /// When it makes no sense, with a sentence that says why.
    pub fn from_toml(value: &toml::Value, folder: &Path) -> Result<Expectation, String> {
        let stated = serde_json::to_value(value).map_err(|error| error.to_string())?;
        Expectation::from_json(stated, folder)
    }

    fn from_json(stated: Value, folder: &Path) -> Result<Expectation, String> {
        let Value::Object(table) = &stated else {
            return Err(format!("{stated} is no table; write {{ status = 200 }}"));
        };
        let negated = match table.get("not") {
            None => false,
            Some(Value::Bool(not)) => *not,
            Some(other) => return Err(format!("not = {other} is neither true nor false")),
        };
        let mut subjects = table.iter().filter(|(key, _)| *key != "not");
        let subject = if let Some(path) = table.get("path") {
            let text = path.as_str().ok_or_else(|| format!("path = {path} is no text"))?;
            let path = JsonPath::parse(text).map_err(|error| format!("path {text:?}: {error}"))?;
            let rule = ValueRule::read(table, &["path", "not"], text, folder)?;
            Subject::Path(Box::new(PathRule { path, rule }))
        } else {
            let (Some((key, value)), None) = (subjects.next(), subjects.next()) else {
                return Err("an expectation is about one thing; write one table for each".into());
            };
            subject(key, value, folder)?
        };
        Ok(Expectation { negated, subject, stated })
    }

    /// Whether it is about all the rows of a dataset together and not about each.
    #[must_use]
    pub fn of_whole(&self) -> bool {
        matches!(self.subject, Subject::Accuracy(_) | Subject::Metric(..))
    }

    /// That it is about something that such a case has: a command exits and prints,
    /// a request has a status and a text.
    ///
    /// # Errors
    ///
    /// When it is not, with a sentence that says so.
    pub fn fits(&self, of_command: bool) -> Result<(), String> {
        let (name, command) = match &self.subject {
            Subject::Stdout(_) => ("stdout", true),
            Subject::Stderr(_) => ("stderr", true),
            Subject::Exit(_) => ("exit", true),
            Subject::Status(_) => ("status", false),
            Subject::Text(_) => ("text", false),
            Subject::Path(_) => ("path", false),
            Subject::Sse => ("sse", false),
            Subject::Chunks(_) => ("chunks", false),
            Subject::FinishReason(_) => ("finish_reason", false),
            Subject::ToolCalls(_) => ("tool_calls", false),
            Subject::Accuracy(_) => ("accuracy", false),
            Subject::Metric(name, _) => (name.as_str(), false),
        };
        match (command, of_command) {
            (true, false) => Err(format!("{name} is of commands, and the case sends a request")),
            (false, true) => Err(format!("{name} is of requests, and the case runs a command")),
            _ => Ok(()),
        }
    }
}

fn subject(key: &str, value: &Value, folder: &Path) -> Result<Subject, String> {
    Ok(match key {
        "status" => Subject::Status(any_of(value, "status", Value::as_u64)?),
        "text" => Subject::Text(text::rules(value, folder)?),
        "stdout" => Subject::Stdout(text::rules(value, folder)?),
        "stderr" => Subject::Stderr(text::rules(value, folder)?),
        "sse" => match value {
            Value::Bool(true) => Subject::Sse,
            _ => return Err("sse = true; for the contrary add not = true".into()),
        },
        "chunks" => Subject::Chunks(range(value, "chunks")?),
        "finish_reason" => {
            Subject::FinishReason(any_of(value, key, |v| v.as_str().map(str::to_owned))?)
        }
        "tool_calls" => Subject::ToolCalls(Box::new(CallsRule::read(value, folder)?)),
        "accuracy" => Subject::Accuracy(range(value, "accuracy")?),
        "exit" => Subject::Exit(any_of(value, "exit", Value::as_i64)?),
        name if Metrics::NAMES.contains(&name) => Subject::Metric(name.into(), range(value, name)?),
        name => {
            let known: Vec<&str> = SUBJECTS.iter().chain(Metrics::NAMES).copied().collect();
            return Err(format!("unknown expectation {name:?}{}", suggestion(name, &known)));
        }
    })
}

/// A value, or a list of which any will do.
pub(crate) fn any_of<T>(
    value: &Value,
    what: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, String> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    if list.is_empty() {
        return Err(format!("{what}: an empty list can never hold"));
    }
    list.iter()
        .map(|v| read(v).ok_or_else(|| format!("{what} = {v} is of the wrong type")))
        .collect()
}

pub(crate) fn range(value: &Value, what: &str) -> Result<Range, String> {
    let wrong = || format!("{what} = {value}: write {{ min = 1 }}, {{ max = 9 }} or both");
    let table = value.as_object().filter(|table| !table.is_empty()).ok_or_else(wrong)?;
    let mut range = Range::default();
    for (key, limit) in table {
        let limit = limit.as_f64().ok_or_else(wrong)?;
        match key.as_str() {
            "min" => range.min = Some(limit),
            "max" => range.max = Some(limit),
            _ => return Err(wrong()),
        }
    }
    if let (Some(min), Some(max)) = (range.min, range.max)
        && min > max
    {
        return Err(format!("{what}: nothing lies between {min} and {max}"));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Expectation, Subject};

    fn read(text: &str) -> Result<Expectation, String> {
        let value: toml::Table = toml::from_str(&format!("e = {text}")).unwrap();
        Expectation::from_toml(&value["e"], Path::new(""))
    }

    #[test]
    fn every_form_of_the_contract_is_read() {
        for text in [
            "{ status = 200 }",
            "{ status = [400, 422] }",
            "{ text = { icontains = 'paris' } }",
            "{ text = { equals = ['a', 'b'], not_empty = true }, not = true }",
            "{ stdout = { regex = '\\w' } }",
            "{ path = '$.usage.completion_tokens', max = 16 }",
            "{ path = '$.choices[0].message.role', equals = 'assistant', type = 'string' }",
            "{ sse = true }",
            "{ chunks = { min = 2 } }",
            "{ finish_reason = ['stop', 'length'] }",
            "{ tool_calls = { name = 'f', arguments = { city = { icontains = 'paris' } }, native = true } }",
            "{ accuracy = { min = 0.8 } }",
            "{ path = '$.a', regex = '^b', length = { max = 9 } }",
            "{ exit = 0 }",
            "{ ttft_s = { max = 0.5 } }",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text).err());
        }
        assert!(read("{ exit = 0, not = true }").unwrap().negated);
        assert!(matches!(read("{ sse = true }").unwrap().subject, Subject::Sse));
    }

    #[test]
    fn what_can_never_hold_or_makes_no_sense_is_refused() {
        for (text, why) in [
            ("200", "is no table"),
            ("{ status = 200, exit = 0 }", "about one thing"),
            ("{ not = true }", "about one thing"),
            ("{ status = 'ok' }", "wrong type"),
            ("{ status = [] }", "can never hold"),
            ("{ text = { regex = '(' } }", "regex"),
            ("{ text = { cotains = 'a' } }", "did you mean \"contains\"?"),
            ("{ path = '$[' }", "path \"$[\""),
            (
                "{ path = '$.a', cotains = 'b' }",
                "unknown rule \"cotains\": did you mean \"contains\"?",
            ),
            ("{ path = '$.a', max = 'b' }", "write { min = 1 }"),
            ("{ path = '$.a', type = 'text' }", "is none of"),
            ("{ chunks = 3 }", "write { min = 1 }"),
            ("{ chunks = { min = 3, max = 1 } }", "nothing lies between"),
            ("{ sse = false }", "add not = true"),
            ("{ tool_calls = 1 }", "write { name"),
            ("{ ttft = { max = 1 } }", "did you mean \"ttft_s\"?"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
