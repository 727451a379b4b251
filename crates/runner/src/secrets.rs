//! What must never be written: keys, and the values of environment variables.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::suite::{BackendDef, CommandDef, FixtureDef, RequestDef, Suite, Template};

/// Shorter values stand in too many innocent places to be told from them.
const LEAST: usize = 6;

/// What is shorter has not been cut off by anybody here, in bytes.
const LEAST_CUT: usize = 80;

/// The values of the environment variables that a suite names, and their names.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Longest first, so that one that holds another is found whole.
    values: Vec<(String, String)>,
}

impl Secrets {
    /// Those of `suite`. A server can send back what it was sent, and a backend can
    /// print the words it was started with: whatever we write is cleaned of them.
    #[must_use]
    pub fn of(suite: &Suite, variable: impl Fn(&str) -> Option<String>) -> Secrets {
        let body = &suite.body;
        let backends = body.backend.values().map(toml::Spanned::get_ref);
        let keys = backends.clone().filter_map(|backend| backend.api_key_env.clone());
        let of_backends = backends.flat_map(BackendDef::texts);
        let models = body.model.iter().map(toml::Spanned::get_ref);
        let of_models =
            models.flat_map(|model| model.on.values()).filter_map(|at| at.path.as_ref());
        let commands = body.case.iter().filter_map(|case| case.get_ref().command.as_ref());
        let of_cases = commands.flat_map(CommandDef::texts);
        let requests = body.case.iter().filter_map(|case| case.get_ref().request.as_ref());
        let of_requests = requests.flat_map(RequestDef::files);
        let fixtures = body.fixture.values().map(toml::Spanned::get_ref);
        let of_fixtures = fixtures.flat_map(FixtureDef::texts);
        let names = of_backends
            .chain(of_models)
            .chain(of_cases)
            .chain(of_requests)
            .chain(of_fixtures)
            .filter_map(|text| Template::parse(text).ok())
            .flat_map(|text| text.variables().map(str::to_owned).collect::<Vec<_>>())
            .chain(keys);
        let found: BTreeMap<String, String> = names
            .filter_map(|name| Some((variable(&name)?, name)))
            .filter(|(value, _)| value.len() >= LEAST)
            .collect();
        let mut values: Vec<(String, String)> = found.into_iter().collect();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Secrets { values }
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// `text` with `${NAME}` in the place of each value, also of one that is cut off at
    /// the end of it: logs and answers are shortened before they come here.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut text = self.values.iter().fold(text.to_owned(), |text, (value, name)| {
            if text.contains(value) { text.replace(value, &format!("${{{name}}}")) } else { text }
        });
        if text.len() >= LEAST_CUT
            && let Some((begun, name)) = self.cut_off(&text)
        {
            text.truncate(text.len() - begun);
            text.push_str(&format!("${{{name}}}"));
        }
        text
    }

    /// How many bytes of which value `text` ends with.
    fn cut_off(&self, text: &str) -> Option<(usize, &str)> {
        let begun = self.values.iter().filter_map(|(value, name)| {
            let mut lengths = (LEAST..value.len()).rev();
            let ends = |n: &usize| text.as_bytes().ends_with(&value.as_bytes()[..*n]);
            // A character of a text that ends there is whole.
            let length = lengths.find(|n| value.is_char_boundary(*n) && ends(n))?;
            Some((length, name.as_str()))
        });
        begun.max_by_key(|(length, _)| *length)
    }

    /// The same for every text in `value`, keys of objects aside, and the names that the
    /// lines of a batch have: those are their owner's, and a run that is continued knows
    /// them by these.
    pub fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(list) => list.iter_mut().for_each(|value| self.hide_in(value)),
            Value::Object(map) => map
                .iter_mut()
                .filter(|(key, _)| *key != "custom_id")
                .for_each(|(_, value)| self.hide_in(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Secrets;
    use crate::suite::parse;

    #[test]
    fn values_of_named_variables_are_hidden_wherever_they_turn_up() {
        let suite = parse(
            "s.toml",
            "suite = 1\n[backend.b]\nkind = 'openai'\nurl = 'http://h/${HOST_PART}'\napi_key_env = 'KEY'\n\
             [[case]]\nname = 'a'\ncommand = { argv = ['x', '${SHORT:-y}'] }\n",
        )
        .unwrap();
        let secrets = Secrets::of(&suite, |name| match name {
            "KEY" => Some("s3cr3t".into()),
            "HOST_PART" => Some("s3cr3t-and-more".into()),
            "SHORT" => Some("ab".into()),
            _ => None,
        });
        let mut record = json!({"a": ["Bearer s3cr3t", 7], "b": {"c": "x/s3cr3t-and-more/ab"}});
        secrets.hide_in(&mut record);
        assert_eq!(record, json!({"a": ["Bearer ${KEY}", 7], "b": {"c": "x/${HOST_PART}/ab"}}));
    }

    #[test]
    fn a_value_that_is_cut_off_at_the_end_of_a_text_is_hidden_too() {
        let suite = parse(
            "s.toml",
            "suite = 1\n[backend.b]\nkind = 'openai'\nurl = 'http://h'\napi_key_env = 'KEY'\n",
        )
        .unwrap();
        let secrets = Secrets::of(&suite, |_| Some("s3cr3t-é-and-more".into()));
        let before = "x".repeat(super::LEAST_CUT);
        for cut in ["s3cr3t", "s3cr3t-é", "s3cr3t-é-and-mor"] {
            assert_eq!(secrets.hide(&format!("{before}{cut}")), format!("{before}${{KEY}}"));
        }
        assert_eq!(secrets.hide(&format!("{before}s3cr")), format!("{before}s3cr"));
        assert_eq!(secrets.hide("model s3cr3t"), "model s3cr3t", "names are not cut off");
    }
}
