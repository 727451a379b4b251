//! Expectations of calls of tools.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    Range, any_of, range,
    text::{self, Schema},
    value::ValueRule,
};
use crate::{
    http::{Source, ToolCall},
    suite::suggestion,
};

/// What must hold of the calls in an answer.
#[derive(Clone, Debug, Default)]
pub struct CallsRule {
    /// How many there are; at least one when absent.
    count: Option<Range>,
    /// Who found them.
    native: Option<bool>,
    /// One of them is of one of these tools …
    name: Option<Vec<String>>,
    /// … with these arguments …
    arguments: Vec<(String, ValueRule)>,
    /// … which together meet this schema.
    schema: Option<Schema>,
}

const KEYS: [&str; 5] = ["name", "arguments", "json_schema", "count", "native"];

impl CallsRule {
    pub(super) fn read(value: &Value, folder: &Path) -> Result<CallsRule, String> {
        let wrong = || format!("tool_calls = {value}: write {{ name = \"…\" }} or {{ count = 0 }}");
        let table = value.as_object().filter(|table| !table.is_empty()).ok_or_else(wrong)?;
        let mut rule = CallsRule::default();
        for (key, value) in table {
            match key.as_str() {
                "name" => rule.name = Some(any_of(value, key, |v| v.as_str().map(str::to_owned))?),
                "arguments" => {
                    let table = value.as_object().ok_or_else(|| {
                        format!("arguments = {value}: write {{ city = {{ icontains = \"…\" }} }}")
                    })?;
                    rule.arguments = table
                        .iter()
                        .map(|(name, value)| Ok((name.clone(), argument(name, value, folder)?)))
                        .collect::<Result<_, String>>()?;
                }
                "json_schema" => rule.schema = Some(text::schema(value, folder)?),
                "count" => {
                    rule.count = Some(match value.as_u64() {
                        Some(n) => Range { min: Some(n as f64), max: Some(n as f64) },
                        None => range(value, key)?,
                    });
                }
                "native" => {
                    rule.native = Some(value.as_bool().ok_or("native is true or false")?);
                }
                _ => {
                    let near = suggestion(key, &KEYS);
                    return Err(format!("unknown rule {key:?} of tool_calls{near}"));
                }
            }
        }
        let of_one = rule.name.is_some() || !rule.arguments.is_empty() || rule.schema.is_some();
        if of_one && rule.count.is_some_and(|count| count.max == Some(0.0)) {
            return Err("tool_calls: a call that is none can have no name or arguments".into());
        }
        Ok(rule)
    }

    /// Whether `calls` meet the rule; `Err` says how they do not.
    pub(super) fn holds(&self, calls: &[ToolCall]) -> Result<(), String> {
        let count = self.count.unwrap_or(Range { min: Some(1.0), max: None });
        if !count.holds(calls.len() as f64) {
            return Err(match calls.len() {
                0 => "no tool is called".to_owned(),
                1 => "there is 1 call".to_owned(),
                n => format!("there are {n} calls"),
            });
        }
        if let Some(native) = self.native
            && calls.iter().any(|call| (call.source == Source::Native) != native)
        {
            return Err(match native {
                true => "the backend left it in the text".to_owned(),
                false => "the backend reports it".to_owned(),
            });
        }
        // The call that comes nearest says what is wrong: the first of the right name.
        let mut nearest = None;
        for call in calls {
            match self.one_holds(call) {
                Ok(()) => return Ok(()),
                Err((right_name, how)) => {
                    if nearest.is_none() || (right_name && matches!(nearest, Some((false, _)))) {
                        nearest = Some((right_name, how));
                    }
                }
            }
        }
        nearest.map_or(Ok(()), |(_, how)| Err(how))
    }

    /// `Err` has whether the name is right, and how the call fails.
    fn one_holds(&self, call: &ToolCall) -> Result<(), (bool, String)> {
        if let Some(names) = &self.name
            && !names.contains(&call.name)
        {
            return Err((false, format!("calls {:?}", call.name)));
        }
        // Arguments that are none are no call, whatever is expected of them.
        let given = match &call.arguments {
            Ok(given) => given,
            Err(_) => return Err((true, "the arguments are no JSON object".to_owned())),
        };
        let empty = Map::new();
        let members = given.as_object().unwrap_or(&empty);
        for (name, rule) in &self.arguments {
            let Some(value) = members.get(name) else {
                return Err((true, format!("argument {name:?} is missing")));
            };
            rule.holds(value).map_err(|how| match how.as_str() {
                "" => (true, format!("argument {name:?} is {value}")),
                how => (true, format!("argument {name:?} {how}")),
            })?;
        }
        match &self.schema {
            Some(schema) => schema.holds(given).map_err(|how| (true, format!("arguments{how}"))),
            None => Ok(()),
        }
    }
}

/// `{ icontains = "paris" }`, or a value or list of values that it is one of.
fn argument(name: &str, value: &Value, folder: &Path) -> Result<ValueRule, String> {
    match value {
        Value::Object(table) if table.is_empty() => Err(format!("argument {name:?} has no rule")),
        Value::Object(table) => ValueRule::read(table, &[], name, folder),
        Value::Array(any) => Ok(ValueRule { equals: Some(any.clone()), ..ValueRule::default() }),
        one => Ok(ValueRule { equals: Some(vec![one.clone()]), ..ValueRule::default() }),
    }
}

/// The calls, for the record.
pub(super) fn shown(calls: &[ToolCall]) -> Value {
    json!(calls.iter().map(ToolCall::shown).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::CallsRule;
    use crate::http::{Source, ToolCall};

    fn call(name: &str, arguments: Value, source: Source) -> ToolCall {
        ToolCall { id: None, name: name.into(), arguments: Ok(arguments), source }
    }

    fn holds(rule: &Value, calls: &[ToolCall]) -> Result<(), String> {
        CallsRule::read(rule, Path::new("")).unwrap().holds(calls)
    }

    #[test]
    fn one_of_the_calls_must_have_the_name_and_the_arguments() {
        let calls = [
            call("time", json!({}), Source::Native),
            call("weather", json!({"city": "Paris", "days": 3}), Source::Native),
        ];
        for rule in [
            json!({"name": "weather"}),
            json!({"name": ["forecast", "weather"], "arguments": {"city": {"icontains": "paris"}}}),
            json!({"arguments": {"days": 3, "city": ["Rome", "Paris"]}}),
            json!({"arguments": {"days": {"min": 1, "type": "integer"}}}),
            json!({"json_schema": {"required": ["city"]}, "count": 2, "native": true}),
            json!({"count": {"min": 1, "max": 2}}),
        ] {
            assert_eq!(holds(&rule, &calls), Ok(()), "{rule}");
        }
        for (rule, how) in [
            (json!({"name": "wether"}), "calls \"time\""),
            (
                json!({"name": "weather", "arguments": {"city": "Rome"}}),
                "argument \"city\" is \"Paris\"",
            ),
            (
                json!({"name": "weather", "arguments": {"city": {"contains": "R"}}}),
                "argument \"city\" does not contain it",
            ),
            (
                json!({"name": "weather", "arguments": {"unit": "C"}}),
                "argument \"unit\" is missing",
            ),
            (
                json!({"name": "weather", "json_schema": {"required": ["unit"]}}),
                "arguments: \"unit\" is a required",
            ),
            (json!({"count": 1}), "there are 2 calls"),
            (json!({"count": 0}), "there are 2 calls"),
            (json!({"native": false}), "the backend reports it"),
        ] {
            let found = holds(&rule, &calls).unwrap_err();
            assert!(found.starts_with(how), "{rule}: {found}");
        }
    }

    #[test]
    fn no_call_meets_only_the_rule_that_there_is_none() {
        assert_eq!(holds(&json!({"count": 0}), &[]), Ok(()));
        for rule in [json!({"name": "a"}), json!({"native": true})] {
            assert_eq!(holds(&rule, &[]), Err("no tool is called".into()), "{rule}");
        }
    }

    #[test]
    fn a_call_in_the_text_is_told_from_one_that_the_backend_reports() {
        let calls = [call("f", json!({}), Source::Text)];
        assert_eq!(holds(&json!({"name": "f", "native": false}), &calls), Ok(()));
        let how = holds(&json!({"name": "f", "native": true}), &calls).unwrap_err();
        assert_eq!(how, "the backend left it in the text");
    }

    #[test]
    fn arguments_that_are_no_json_fail_whatever_is_expected_of_them() {
        let broken =
            ToolCall { arguments: Err("{a".into()), ..call("f", json!({}), Source::Native) };
        let how = holds(&json!({"name": "f"}), &[broken]).unwrap_err();
        assert_eq!(how, "the arguments are no JSON object");
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        for (rule, why) in [
            (json!(1), "write { name"),
            (json!({}), "write { name"),
            (json!({"nam": "f"}), "did you mean \"name\"?"),
            (json!({"name": 7}), "wrong type"),
            (json!({"arguments": 7}), "write { city"),
            (json!({"arguments": {"a": {}}}), "has no rule"),
            (json!({"arguments": {"a": {"cotains": "b"}}}), "did you mean \"contains\"?"),
            (json!({"native": 1}), "true or false"),
            (json!({"count": 0, "name": "f"}), "can have no name"),
        ] {
            let error = CallsRule::read(&rule, Path::new("")).unwrap_err();
            assert!(error.contains(why), "{rule}: {error}");
        }
    }
}
