//! Rules about a JSON value: a node that a path finds, an argument of a tool.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    Range, range,
    text::{self, TextRule},
};

/// What must hold of one JSON value. All that is given must.
#[derive(Clone, Debug, Default)]
pub struct ValueRule {
    /// It is one of these.
    pub equals: Option<Vec<Value>>,
    /// It is a number in this range.
    pub range: Option<Range>,
    /// It is of this JSON type.
    pub type_name: Option<String>,
    /// It has so many elements, members or characters.
    pub length: Option<Range>,
    /// It is a text that meets these rules; a schema is one of the value itself.
    pub text: Vec<TextRule>,
}

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];
pub(super) const OWN: [&str; 5] = ["equals", "min", "max", "type", "length"];

impl ValueRule {
    /// Reads the rules in `table`, keys in `aside` left out. `what` is what they are about.
    pub(super) fn read(
        table: &Map<String, Value>,
        aside: &[&str],
        what: &str,
        folder: &Path,
    ) -> Result<ValueRule, String> {
        let type_name = match table.get("type") {
            None => None,
            Some(Value::String(name)) if TYPES.contains(&name.as_str()) => Some(name.clone()),
            Some(other) => return Err(format!("type = {other} is none of {}", TYPES.join(", "))),
        };
        let limits: Map<String, Value> = ["min", "max"]
            .iter()
            .filter_map(|key| table.get_key_value(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let length = match table.get("length") {
            None => None,
            Some(Value::Number(n)) => Some(Range { min: n.as_f64(), max: n.as_f64() }),
            Some(other) => Some(range(other, "length")?),
        };
        let others = table
            .iter()
            .filter(|(key, _)| !OWN.contains(&key.as_str()) && !aside.contains(&key.as_str()));
        Ok(ValueRule {
            equals: table.get("equals").map(|value| match value {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            }),
            range: (!limits.is_empty()).then(|| range(&Value::Object(limits), what)).transpose()?,
            type_name,
            length,
            text: others
                .map(|(key, value)| text::rule(key, value, folder, &OWN))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether there is no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.equals.is_none()
            && self.range.is_none()
            && self.type_name.is_none()
            && self.length.is_none()
            && self.text.is_empty()
    }

    /// Whether `value` meets every rule; `Err` says how it does not, or nothing where the
    /// value says it all.
    pub(super) fn holds(&self, value: &Value) -> Result<(), String> {
        let plain = |ok: bool| if ok { Ok(()) } else { Err(String::new()) };
        if let Some(any) = &self.equals {
            plain(any.iter().any(|want| same(want, value)))?;
        }
        if let Some(range) = &self.range {
            plain(value.as_f64().is_some_and(|n| range.holds(n)))?;
        }
        if let Some(name) = &self.type_name {
            plain(type_of(value).contains(&name.as_str()))?;
        }
        if let Some(length) = &self.length {
            let n = match value {
                Value::Array(list) => list.len(),
                Value::Object(members) => members.len(),
                Value::String(text) => text.chars().count(),
                _ => return Err("has no length".to_owned()),
            };
            if !length.holds(n as f64) {
                return Err(format!("has a length of {n}"));
            }
        }
        for rule in &self.text {
            match (rule, value) {
                (TextRule::JsonSchema(schema), value) => schema.holds(value)?,
                (rule, Value::String(text)) => rule.holds(text)?,
                _ => return Err("is no text".to_owned()),
            }
        }
        Ok(())
    }
}

/// Equality in which 16 and 16.0 are the same number.
fn same(want: &Value, value: &Value) -> bool {
    match (want, value) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => match (want.as_f64(), value.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => want == value,
        },
    }
}

fn type_of(value: &Value) -> &'static [&'static str] {
    match value {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(n) if n.is_f64() && n.as_f64().is_some_and(|n| n.fract() != 0.0) => {
            &["number"]
        }
        Value::Number(_) => &["number", "integer"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::ValueRule;

    fn holds(rules: &Value, value: &Value) -> Result<(), String> {
        let table = rules.as_object().unwrap();
        ValueRule::read(table, &[], "it", Path::new(""))?.holds(value)
    }

    #[test]
    fn rules_of_values_and_of_texts_go_together() {
        for (rules, value) in [
            (json!({"equals": [1, 2]}), json!(2.0)),
            (json!({"equals": {"a": [1]}}), json!({"a": [1.0]})),
            (json!({"min": 1, "max": 2, "type": "integer"}), json!(2)),
            (json!({"type": "string", "icontains": "PAR", "length": {"max": 5}}), json!("Paris")),
            (json!({"length": 3}), json!([1, 2, 3])),
            (json!({"json_schema": {"type": "object", "required": ["a"]}}), json!({"a": 1})),
            (json!({"json_schema": {"type": "string"}}), json!("a")),
        ] {
            assert_eq!(holds(&rules, &value), Ok(()), "{rules} {value}");
        }
        for (rules, value, how) in [
            (json!({"equals": [[1, 2]]}), json!([1, 3]), ""),
            (json!({"min": 1}), json!("2"), ""),
            (json!({"length": 3}), json!([1]), "has a length of 1"),
            (json!({"length": 3}), json!(3), "has no length"),
            (json!({"contains": "3"}), json!(3), "is no text"),
            (json!({"equals": "Paris", "contains": "x"}), json!("Paris"), "does not contain it"),
            (json!({"json_schema": {"type": "string"}}), json!(7), ": 7 is not of type"),
        ] {
            let found = holds(&rules, &value).unwrap_err();
            assert!(found.starts_with(how), "{rules} {value}: {found}");
        }
        let error = holds(&json!({"conatins": "a"}), &json!("a")).unwrap_err();
        assert!(error.contains("did you mean \"contains\"?"), "{error}");
    }
}
