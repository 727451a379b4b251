//! Holding an expectation against what was observed.

use records::{Check, Metrics};
use serde_json::{Value, json};

use super::{Expectation, PathRule, Subject, TextRule, tool_calls};
use crate::http::{ToolCall, from_text};

/// Longest piece of a text that is recorded with a check, in characters.
const EXCERPT: usize = 200;

/// What a case gave to judge. What a case does not have is `None`.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// HTTP status.
    pub status: Option<u16>,
    /// The text of the answer.
    pub text: Option<String>,
    /// The body as JSON.
    pub body: Option<Value>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// The tools that it calls, as the backend reports them.
    pub tool_calls: Vec<ToolCall>,
    /// The stream.
    pub sse: Option<Sse>,
    /// Exit code of a command; `None` when a signal ended it.
    pub exit: Option<i32>,
    /// Standard output of a command.
    pub stdout: Option<String>,
    /// Standard error of a command.
    pub stderr: Option<String>,
    /// What was measured.
    pub metrics: Metrics,
}

impl Observed {
    /// The tools that the answer calls: those that the backend reports, else those that
    /// stand in the text.
    #[must_use]
    pub fn calls(&self) -> Vec<ToolCall> {
        match self.tool_calls.is_empty() {
            true => self.text.as_deref().map(from_text).unwrap_or_default(),
            false => self.tool_calls.clone(),
        }
    }
}

/// What is to be said of a stream of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sse {
    /// Chunks whose content was not empty.
    pub content_chunks: u64,
    /// What was wrong with it; `None` when it was well-formed to its end.
    pub fault: Option<String>,
}

/// The verdict on one expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// For the record.
    pub check: Check,
    /// What could not be judged because the backend does not report it.
    pub missing: Option<String>,
}

/// Whether `expectation` holds of `observed`.
#[must_use]
pub fn judge(expectation: &Expectation, observed: &Observed) -> Judged {
    let (ok, actual, missing) = match look(&expectation.subject, observed) {
        Finding::Holds(actual) => (!expectation.negated, Some(actual), None),
        Finding::Absent(what) if expectation.negated => (false, None, Some(what)),
        Finding::Absent(_) => (false, Some(json!("nothing is there")), None),
        Finding::Misses(actual, _) if expectation.negated => (true, Some(actual), None),
        // What it is, and how it fails: both help whoever reads the report.
        Finding::Misses(Value::String(text), Some(how)) => {
            (false, Some(json!(format!("{text} ({how})"))), None)
        }
        Finding::Misses(actual, Some(how)) => {
            (false, Some(json!(format!("{actual} ({how})"))), None)
        }
        Finding::Misses(actual, None) => (false, Some(actual), None),
        // What was not reported neither holds nor fails, negated or not.
        Finding::Missing(what) => (false, None, Some(what)),
    };
    Judged { check: Check { expect: expectation.stated.clone(), ok, actual }, missing }
}

enum Finding {
    /// It holds of this.
    Holds(Value),
    /// It does not hold of this, and perhaps how.
    Misses(Value, Option<String>),
    /// The answer has no such thing: the expectation fails, and its contrary does not
    /// hold either, since nothing is known of what is not there.
    Absent(String),
    /// There is nothing to hold it against.
    Missing(String),
}

fn finding(holds: bool, actual: Value) -> Finding {
    if holds { Finding::Holds(actual) } else { Finding::Misses(actual, None) }
}

fn look(subject: &Subject, observed: &Observed) -> Finding {
    let missing = |what: &str| Finding::Missing(what.to_owned());
    match subject {
        Subject::Status(any) => match observed.status {
            Some(status) => finding(any.contains(&u64::from(status)), json!(status)),
            None => missing("status"),
        },
        Subject::Text(rules) => text(rules, observed.text.as_deref(), "text"),
        Subject::Stdout(rules) => text(rules, observed.stdout.as_deref(), "stdout"),
        Subject::Stderr(rules) => text(rules, observed.stderr.as_deref(), "stderr"),
        Subject::Path(rule) => match &observed.body {
            Some(body) => path(rule, body),
            None => missing("a JSON body"),
        },
        Subject::Sse => match &observed.sse {
            Some(Sse { fault: None, .. }) => Finding::Holds(json!("well-formed")),
            Some(Sse { fault: Some(fault), .. }) => Finding::Misses(json!(fault), None),
            None => Finding::Misses(json!("not a stream of events"), None),
        },
        Subject::Chunks(range) => match &observed.sse {
            Some(sse) => finding(range.holds(sse.content_chunks as f64), json!(sse.content_chunks)),
            None => missing("chunks (the answer was not streamed)"),
        },
        Subject::FinishReason(any) => match &observed.finish_reason {
            Some(reason) => finding(any.contains(reason), json!(reason)),
            None => missing("finish_reason"),
        },
        Subject::ToolCalls(rule) => {
            let calls = observed.calls();
            let actual = match (calls.as_slice(), &observed.text) {
                ([], Some(text)) => json!(excerpt(text)),
                (calls, _) => tool_calls::shown(calls),
            };
            match rule.holds(&calls) {
                Ok(()) => Finding::Holds(actual),
                Err(how) => Finding::Misses(actual, Some(how)),
            }
        }
        Subject::Accuracy(range) => match observed.metrics.accuracy {
            Some(of) if of.total > 0 => {
                let share = of.correct as f64 / of.total as f64;
                finding(range.holds(share), json!(records::round(share, 6)))
            }
            _ => missing("accuracy"),
        },
        Subject::Exit(any) => match observed.exit {
            Some(code) => finding(any.contains(&i64::from(code)), json!(code)),
            None => Finding::Misses(json!("ended by a signal"), None),
        },
        Subject::Metric(name, range) => match observed.metrics.get(name) {
            Some(metric) => finding(range.holds(metric.value()), json!(metric.value())),
            None => missing(name),
        },
    }
}

fn text(rules: &[TextRule], text: Option<&str>, what: &str) -> Finding {
    let Some(text) = text else { return Finding::Missing(what.to_owned()) };
    let misses: Vec<String> = rules.iter().filter_map(|rule| rule.holds(text).err()).collect();
    let actual = json!(excerpt(text));
    match misses.is_empty() {
        true => Finding::Holds(actual),
        false => Finding::Misses(actual, Some(misses.join("; "))),
    }
}

/// The beginning of `text`.
pub(crate) fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(EXCERPT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn path(rule: &PathRule, body: &Value) -> Finding {
    let nodes = rule.path.query(body).all();
    let actual = match nodes.as_slice() {
        [] => json!("nothing is there"),
        [one] => (*one).clone(),
        many => json!(many),
    };
    match nodes.as_slice() {
        [] if rule.rule.is_empty() => Finding::Misses(actual, None),
        [] => Finding::Absent(format!("anything at {}", rule.path)),
        _ if rule.rule.is_empty() => Finding::Holds(shortened(actual)),
        [node] => match rule.rule.holds(node) {
            Ok(()) => Finding::Holds(shortened(actual)),
            Err(how) => Finding::Misses(shortened(actual), Some(how).filter(|how| !how.is_empty())),
        },
        _ => Finding::Misses(shortened(actual), None),
    }
}

/// A value that is not too long to be recorded.
fn shortened(value: Value) -> Value {
    let text = match &value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        _ => return value,
    };
    if text.chars().nth(EXCERPT).is_some() { json!(excerpt(&text)) } else { value }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use records::{Metric, Metrics};
    use serde_json::json;

    use super::{Judged, Observed, Sse, judge};
    use crate::expect::Expectation;

    fn observed() -> Observed {
        Observed {
            status: Some(200),
            text: Some("The capital is Paris.".into()),
            body: Some(json!({"usage": {"completion_tokens": 7}, "choices": [{"a": 1}, {"a": 2}]})),
            finish_reason: Some("stop".into()),
            tool_calls: Vec::new(),
            sse: Some(Sse { content_chunks: 6, fault: None }),
            exit: Some(3),
            stdout: Some("out".into()),
            stderr: None,
            metrics: Metrics { ttft_s: Some(Metric::Number(0.2)), ..Metrics::default() },
        }
    }

    fn of(text: &str, observed: &Observed) -> Judged {
        let table: toml::Table = toml::from_str(&format!("e = {text}")).unwrap();
        judge(&Expectation::from_toml(&table["e"], Path::new("")).unwrap(), observed)
    }

    #[test]
    fn expectations_hold_or_not_and_can_be_turned_around() {
        for (text, holds) in [
            ("{ status = [200, 201] }", true),
            ("{ status = 404 }", false),
            ("{ text = { icontains = 'paris' } }", true),
            ("{ text = { contains = 'Rome' } }", false),
            ("{ path = '$.usage.completion_tokens', max = 7, min = 7, type = 'integer' }", true),
            ("{ path = '$.usage.completion_tokens', equals = [6, 7.0] }", true),
            ("{ path = '$.usage.completion_tokens', type = 'string' }", false),
            ("{ path = '$.usage.nothing' }", false),
            ("{ path = '$.choices[*].a' }", true),
            ("{ path = '$.choices[*].a', min = 0 }", false),
            ("{ sse = true }", true),
            ("{ chunks = { min = 2, max = 5 } }", false),
            ("{ finish_reason = 'stop' }", true),
            ("{ exit = [0, 3] }", true),
            ("{ stdout = { equals = 'out' } }", true),
            ("{ ttft_s = { max = 0.5 } }", true),
        ] {
            assert_eq!(of(text, &observed()).check.ok, holds, "{text}");
            let negated = format!("{}, not = true }}", text.strip_suffix(" }").unwrap());
            assert_eq!(of(&negated, &observed()).check.ok, !holds, "{negated}");
        }
    }

    #[test]
    fn what_is_not_reported_is_missing_and_never_a_pass_even_negated() {
        for text in [
            "{ tpot_s = { max = 1 } }",
            "{ stderr = { not_empty = true } }",
            "{ stderr = { not_empty = true }, not = true }",
        ] {
            let judged = of(text, &observed());
            assert!(!judged.check.ok && judged.missing.is_some(), "{text}");
        }
    }

    #[test]
    fn the_contrary_of_a_rule_about_nothing_is_no_pass() {
        let judged = of("{ path = '$.nothing', min = 1, not = true }", &observed());
        assert!(!judged.check.ok && judged.missing.is_some());
        let judged = of("{ path = '$.nothing', min = 1 }", &observed());
        assert!(!judged.check.ok && judged.missing.is_none());
        assert!(of("{ path = '$.nothing', not = true }", &observed()).check.ok);
    }

    #[test]
    fn a_check_says_what_was_found_and_how_it_fails() {
        let judged = of("{ text = { contains = 'Rome' } }", &observed());
        assert_eq!(judged.check.actual, Some(json!("The capital is Paris. (does not contain it)")));
        assert_eq!(judged.check.expect, json!({"text": {"contains": "Rome"}}));
        let long = Observed { text: Some("é".repeat(500)), ..Observed::default() };
        let found = of("{ text = { not_empty = true } }", &long).check.actual.unwrap();
        assert_eq!(found.as_str().unwrap().chars().count(), 201);
    }

    #[test]
    fn a_command_ended_by_a_signal_has_no_exit_code() {
        let killed = Observed::default();
        assert!(!of("{ exit = 0 }", &killed).check.ok);
        assert!(of("{ exit = 0, not = true }", &killed).check.ok);
    }
}
