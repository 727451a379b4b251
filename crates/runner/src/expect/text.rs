//! Rules about a text.

use std::{fmt, fs, path::Path, sync::Arc};

use regex::Regex;
use serde_json::Value;

use super::{Range, any_of, range};
use crate::suite::suggestion;

/// One rule about a text.
#[derive(Clone, Debug)]
pub enum TextRule {
    /// It is one of these, white space around it aside.
    Equals(Vec<String>),
    /// It has one of these in it.
    Contains(Vec<String>),
    /// The same, whatever the case of the letters.
    IContains(Vec<String>),
    /// One of these finds something in it.
    Regex(Vec<Regex>),
    /// It is JSON that meets a schema.
    JsonSchema(Schema),
    /// Word error rate against a reference: substitutions, insertions and deletions
    /// of words over the words of the reference, letters and digits only, whatever
    /// their case.
    Wer {
        /// What was really said.
        reference: String,
        /// The most that is right, 0 to 1 and beyond.
        max: f64,
    },
    /// It has something in it but white space (or, when false, has not).
    NotEmpty(bool),
    /// It begins with one of these, white space before it aside.
    StartsWith(Vec<String>),
    /// It ends with one of these, white space after it aside.
    EndsWith(Vec<String>),
    /// It has so many characters.
    Chars(Range),
}

/// A compiled JSON Schema.
#[derive(Clone)]
pub struct Schema(Arc<jsonschema::Validator>);

impl Schema {
    /// Whether `value` meets it; `Err` says where and how it does not.
    pub(super) fn holds(&self, value: &Value) -> Result<(), String> {
        self.0.validate(value).map_err(|error| format!("{}: {error}", error.instance_path()))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

pub(super) const RULES: [&str; 10] = [
    "equals",
    "contains",
    "icontains",
    "starts_with",
    "ends_with",
    "regex",
    "json_schema",
    "wer",
    "not_empty",
    "chars",
];

/// The rules of a table such as `{ icontains = "paris" }`.
pub(super) fn rules(value: &Value, folder: &Path) -> Result<Vec<TextRule>, String> {
    let table = value
        .as_object()
        .filter(|table| !table.is_empty())
        .ok_or_else(|| format!("{value}: write {{ contains = \"…\" }}"))?;
    table.iter().map(|(name, value)| rule(name, value, folder, &[])).collect()
}

/// The rule called `name`; `others` are the names of rules that could stand here too.
pub(super) fn rule(
    name: &str,
    value: &Value,
    folder: &Path,
    others: &[&str],
) -> Result<TextRule, String> {
    let texts = || any_of(value, name, text_of);
    Ok(match name {
        "equals" => TextRule::Equals(texts()?),
        "contains" => TextRule::Contains(texts()?),
        "icontains" => TextRule::IContains(texts()?.iter().map(|t| t.to_lowercase()).collect()),
        "regex" => TextRule::Regex(
            texts()?
                .iter()
                .map(|text| {
                    Regex::new(text)
                        .map_err(|error| format!("regex {text:?}: {}", in_a_line(&error)))
                })
                .collect::<Result<_, _>>()?,
        ),
        "json_schema" => TextRule::JsonSchema(schema(value, folder)?),
        "wer" => {
            let reference = value["reference"].as_str().filter(|text| words(text).count() > 0);
            let max = value["max"].as_f64();
            let keys = value.as_object().map_or(0, serde_json::Map::len);
            match (reference, max) {
                (Some(reference), Some(max)) if keys == 2 => {
                    TextRule::Wer { reference: reference.to_owned(), max }
                }
                _ => return Err("write wer = { reference = \"what was said\", max = 0.1 }".into()),
            }
        }
        "not_empty" => TextRule::NotEmpty(value.as_bool().ok_or("not_empty is true or false")?),
        "starts_with" => TextRule::StartsWith(texts()?),
        "ends_with" => TextRule::EndsWith(texts()?),
        "chars" => TextRule::Chars(range(value, name)?),
        _ => {
            let known: Vec<&str> = others.iter().chain(&RULES).copied().collect();
            return Err(format!("unknown rule {name:?}{}", suggestion(name, &known)));
        }
    })
}

/// A text; or a number or truth, which a row of a dataset may give, as it is written.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn in_a_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A schema in the suite itself, or the name of a file that holds one.
pub(crate) fn schema(value: &Value, folder: &Path) -> Result<Schema, String> {
    let schema = match value {
        Value::String(file) => {
            let text = fs::read_to_string(folder.join(file))
                .map_err(|error| format!("json_schema {file}: {error}"))?;
            serde_json::from_str(&text).map_err(|error| format!("json_schema {file}: {error}"))?
        }
        other => other.clone(),
    };
    let validator =
        jsonschema::validator_for(&schema).map_err(|error| format!("json_schema: {error}"))?;
    Ok(Schema(Arc::new(validator)))
}

impl TextRule {
    /// Whether `text` meets the rule; `Err` says how it does not.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn holds(&self, text: &str) -> Result<(), String> {
        let (ok, why) = match self {
            TextRule::Equals(any) => {
                (any.iter().any(|want| want.trim() == text.trim()), "is another text".to_owned())
            }
            TextRule::Contains(any) => {
                (any.iter().any(|want| text.contains(want.as_str())), "does not contain it".into())
            }
            TextRule::IContains(any) => {
                let lower = text.to_lowercase();
                (any.iter().any(|want| lower.contains(want.as_str())), "does not contain it".into())
            }
            TextRule::Regex(any) => {
                (any.iter().any(|regex| regex.is_match(text)), "does not match".into())
            }
            TextRule::JsonSchema(schema) => match serde_json::from_str::<Value>(text) {
                Err(_) if is_fenced_json(text) => {
                    (false, "is JSON in a code fence, which no program can read".to_owned())
                }
                Err(error) => (false, format!("is not JSON: {error}")),
                Ok(value) => return schema.holds(&value),
            },
            TextRule::StartsWith(any) => {
                let text = text.trim_start();
                (any.iter().any(|want| text.starts_with(want.as_str())), "begins otherwise".into())
            }
            TextRule::EndsWith(any) => {
                let text = text.trim_end();
                (any.iter().any(|want| text.ends_with(want.as_str())), "ends otherwise".into())
            }
            TextRule::Chars(range) => {
                let n = text.chars().count();
                (range.holds(n as f64), format!("has {n} characters"))
            }
            TextRule::Wer { reference, max } => {
                let rate = word_error_rate(reference, text);
                (rate <= *max, format!("has a word error rate of {rate:.3}, over {max}"))
            }
            TextRule::NotEmpty(wanted) => {
                let empty = text.trim().is_empty();
                (empty != *wanted, if empty { "is empty".into() } else { "is not empty".into() })
            }
        };
        if ok { Ok(()) } else { Err(why) }
    }
}

/// Whether all of `text` is JSON between the marks of a block of code.
fn is_fenced_json(text: &str) -> bool {
    let inside = text.trim().strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    // The rest of the first line names the language.
    let code = inside.and_then(|inside| inside.split_once('\n')).map(|(_, code)| code);
    code.is_some_and(|code| serde_json::from_str::<Value>(code).is_ok())
}

/// The words of a text as a listener hears them.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Levenshtein distance of words over the words of the reference.
fn word_error_rate(reference: &str, heard: &str) -> f64 {
    let reference: Vec<String> = words(reference).collect();
    let heard: Vec<String> = words(heard).collect();
    let errors = strsim::generic_levenshtein(&reference, &heard);
    errors as f64 / reference.len() as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{rules, word_error_rate};

    fn holds(rule: Value, text: &str) -> bool {
        rules(&rule, Path::new("")).unwrap().iter().all(|rule| rule.holds(text).is_ok())
    }

    #[test]
    fn each_rule_holds_when_it_should_and_not_otherwise() {
        assert!(holds(json!({"equals": ["4", "four"]}), " four\n"));
        assert!(!holds(json!({"equals": "4"}), "44"));
        assert!(holds(json!({"contains": ["x", "ari"]}), "Paris"));
        assert!(!holds(json!({"contains": "paris"}), "Paris"));
        assert!(holds(json!({"icontains": "PARIS"}), "It is paris."));
        assert!(holds(json!({"regex": "^\\d+$"}), "42"));
        assert!(!holds(json!({"regex": "^\\d+$"}), "42!"));
        assert!(holds(json!({"not_empty": true}), "x"));
        assert!(!holds(json!({"not_empty": true}), " \n"));
        assert!(holds(json!({"not_empty": false}), ""));
        assert!(!holds(json!({"contains": "a", "regex": "z"}), "a"), "every rule must hold");
        assert!(holds(json!({"equals": 4}), "4"));
        assert!(!holds(json!({"contains": 4.5}), "4"));
        assert!(holds(json!({"starts_with": ["x", "It"], "ends_with": "."}), " It is.\n"));
        assert!(!holds(json!({"starts_with": "is"}), "It is."));
        assert!(!holds(json!({"ends_with": "is"}), "It is."));
        assert!(holds(json!({"chars": {"min": 2, "max": 2}}), "éé"));
        assert!(!holds(json!({"chars": {"max": 2}}), "abc"));
    }

    #[test]
    fn a_schema_tells_what_is_no_json_from_what_breaks_it() {
        let schema = json!({"json_schema": {"type": "object", "required": ["a"]}});
        let rule = &rules(&schema, Path::new("")).unwrap()[0];
        assert!(rule.holds(r#"{"a": 1}"#).is_ok());
        assert!(rule.holds("{}").unwrap_err().contains("required"));
        assert!(rule.holds("a").unwrap_err().starts_with("is not JSON"));
        let fenced = "```json\n{\"a\": 1}\n```";
        assert!(rule.holds(fenced).unwrap_err().starts_with("is JSON in a code fence"));
        assert!(rule.holds("```\nno\n```").unwrap_err().starts_with("is not JSON"));
    }

    #[test]
    fn the_word_error_rate_counts_words_and_not_punctuation() {
        assert_eq!(word_error_rate("The quick brown fox", "the quick, brown fox!"), 0.0);
        assert_eq!(word_error_rate("the quick brown fox", "the quick fox"), 0.25);
        assert_eq!(word_error_rate("one two", ""), 1.0);
        assert!(holds(
            json!({"wer": {"reference": "one two three four", "max": 0.25}}),
            "one two tree four"
        ));
        assert!(!holds(json!({"wer": {"reference": "one two", "max": 0.1}}), "one"));
    }
}
