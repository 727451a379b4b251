//! Values in the place of `{name}` in the texts of a suite.

use toml::Value;

/// `value` with `{name}` in its texts, at any depth, replaced by what `known` says of
/// the name. A text that is nothing but `{name}` becomes the value with its type, so
/// that `max_tokens = "{n}"` is a number. Braces around other words stay as they are:
/// prompts are full of them.
#[must_use]
pub fn substitute(value: &Value, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => match in_text(text, known, &written) {
            Filled::Whole(value) => value,
            Filled::Text(text) => Value::String(text),
        },
        Value::Array(list) => {
            Value::Array(list.iter().map(|item| substitute(item, known)).collect())
        }
        Value::Table(table) => Value::Table(
            table.iter().map(|(key, item)| (key.clone(), substitute(item, known))).collect(),
        ),
        other => other.clone(),
    }
}

/// A value within a text: as JSON writes it (3, true, ["a"]), but for the quotes of a text.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}

/// What a text becomes.
pub(super) enum Filled<V> {
    /// It was nothing but one name.
    Whole(V),
    /// It was more.
    Text(String),
}

/// `text` with every `{name}` that is known replaced; `written` makes texts of values.
pub(super) fn in_text<V>(
    text: &str,
    known: &dyn Fn(&str) -> Option<V>,
    written: &dyn Fn(&V) -> String,
) -> Filled<V> {
    let whole = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(value) = whole.and_then(known) {
        return Filled::Whole(value);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        // A name ends at the next brace; one that opens again begins anew there.
        let name = rest[1..].find(['{', '}']).map(|at| &rest[1..=at]);
        match name
            .filter(|name| rest[name.len() + 1..].starts_with('}'))
            .and_then(|n| Some((n, known(n)?)))
        {
            Some((name, value)) => {
                filled.push_str(&written(&value));
                rest = &rest[name.len() + 2..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    Filled::Text(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::{Value, toml};

    use super::substitute;

    fn known(name: &str) -> Option<Value> {
        match name {
            "n" => Some(Value::Integer(3)),
            "lang" => Some(Value::String("de".into())),
            _ => None,
        }
    }

    #[test]
    fn names_are_replaced_at_any_depth_and_a_whole_text_keeps_the_type() {
        let before = toml! {
            max_tokens = "{n}"
            prompt = "Say it {n} times in {lang}, as {\"a\": {n}} or {this}."
            list = [["{lang}"], { deep = "{n}{n}" }]
        };
        let after = toml! {
            max_tokens = 3
            prompt = "Say it 3 times in de, as {\"a\": 3} or {this}."
            list = [["de"], { deep = "33" }]
        };
        assert_eq!(substitute(&Value::Table(before), &known), Value::Table(after));
    }

    proptest! {
        #[test]
        fn texts_without_a_known_name_stay_as_they_are(text in "[{}a-c é]{0,30}") {
            let value = Value::String(text);
            prop_assert_eq!(substitute(&value, &known), value);
        }

        #[test]
        fn pieces_are_replaced_one_by_one(pieces in prop::collection::vec(0..6usize, 2..20)) {
            // Of these no end and beginning make a name together.
            let before = ["{n}", "{lang}", "{other}", "}", "{", "text "];
            let after = ["3", "de", "{other}", "}", "{", "text "];
            let put = |words: [&str; 6]| pieces.iter().map(|i| words[*i]).collect::<String>();
            prop_assert_eq!(
                substitute(&Value::String(put(before)), &known),
                Value::String(put(after))
            );
        }
    }
}
