//! Placeholders in the words of a suite: `{port}` and `${HOME}`.
//!
//! `{name}` is filled in by the runner: what a command line needs to know of the
//! backend and the model. `${NAME}` is an environment variable, `${NAME:-word}`
//! one with a default. `{{` and `}}` stand for braces. Values of environment
//! variables can be secrets: [`Filled::shown`] keeps them as `${NAME}`, and only
//! that text is ever recorded.

use super::Places;

/// Every `{…}` that there is.
pub(crate) const PLACES: [&str; 10] =
    ["path", "host", "port", "url", "model.id", "model", "backend", "repo", "tag", "name"];

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
    Variable { name: String, default: Option<String> },
}

/// A text whose placeholders were filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// To be used.
    pub real: String,
    /// To be shown and recorded: environment variables stay `${NAME}`.
    pub shown: String,
}

impl Template {
    /// Takes `text` apart.
    ///
    /// # Errors
    ///
    /// When a brace is not closed, with a sentence that says so.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}', '$']) {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = rest.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(after) = rest.strip_prefix("${") {
                let (inside, after) = until_brace(after, text)?;
                push_literal(&mut parts, &mut literal);
                let (name, default) = match inside.split_once(":-") {
                    Some((name, default)) => (name, Some(default.to_owned())),
                    None => (inside, None),
                };
                parts.push(Part::Variable { name: name.to_owned(), default });
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let (inside, after) = until_brace(after, text)?;
                push_literal(&mut parts, &mut literal);
                parts.push(Part::Place(inside.to_owned()));
                rest = after;
            } else {
                literal.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
        literal.push_str(rest);
        push_literal(&mut parts, &mut literal);
        Ok(Template { parts })
    }

    /// That `text` can be taken apart and has no placeholder but those there are, and
    /// `more`.
    ///
    /// # Errors
    ///
    /// With a sentence that names what is wrong.
    pub fn check(text: &str, more: &[&str]) -> Result<(), String> {
        let known = |name: &&str| PLACES.contains(name) || more.contains(name);
        match Template::parse(text)?.places().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(format!(
                "there is no placeholder {{{name}}}{}; braces are written {{{{ and }}}}",
                super::suggestion(name, &[&PLACES, more].concat())
            )),
        }
    }

    /// The names of its environment variables that have no default.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, default: None } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names of its environment variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names of its `{…}` placeholders.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Fills in `places` and the environment.
    ///
    /// # Errors
    ///
    /// When a placeholder is unknown or a variable is not set, with a sentence that
    /// names it.
    pub fn fill(
        &self,
        places: &Places,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Filled, String> {
        let mut filled = Filled { real: String::new(), shown: String::new() };
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    filled.real.push_str(text);
                    filled.shown.push_str(text);
                }
                Part::Place(name) => {
                    let value = places.get(name).ok_or_else(|| {
                        let known: Vec<&str> = places.names().collect();
                        format!("nothing is known as {{{name}}} here (known: {})", known.join(", "))
                    })?;
                    filled.real.push_str(value);
                    filled.shown.push_str(value);
                }
                Part::Variable { name, default } => {
                    let value = variable(name).or_else(|| default.clone());
                    let value =
                        value.ok_or_else(|| format!("environment variable {name} is not set"))?;
                    filled.real.push_str(&value);
                    filled.shown.push_str(&format!("${{{name}}}"));
                }
            }
        }
        Ok(filled)
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

fn until_brace<'a>(rest: &'a str, whole: &str) -> Result<(&'a str, &'a str), String> {
    rest.split_once('}').ok_or_else(|| format!("a brace is not closed in {whole:?}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Filled, Places, Template};

    fn fill(text: &str) -> Result<Filled, String> {
        let places = Places::from([("port", "8080".to_owned())]);
        Template::parse(text)?.fill(&places, |name| (name == "KEY").then(|| "secret".to_owned()))
    }

    #[test]
    fn places_are_filled_in_and_braces_can_be_written() {
        assert_eq!(fill("http://h:{port}/").unwrap().real, "http://h:8080/");
        assert_eq!(fill(r#"{{"a": $1}}"#).unwrap().real, r#"{"a": $1}"#);
    }

    #[test]
    fn values_of_environment_variables_are_used_but_never_shown() {
        let filled = fill("--api-key=${KEY} ${NO:-none}").unwrap();
        assert_eq!(filled.real, "--api-key=secret none");
        assert_eq!(filled.shown, "--api-key=${KEY} ${NO}");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(fill("${MODELS}/a").unwrap_err(), "environment variable MODELS is not set");
        assert_eq!(fill("{prot}").unwrap_err(), "nothing is known as {prot} here (known: port)");
        assert_eq!(fill("{port").unwrap_err(), "a brace is not closed in \"{port\"");
    }

    proptest! {
        #[test]
        fn text_without_braces_or_dollars_stays_as_it_is(text in "[^{}$]{0,40}") {
            prop_assert_eq!(fill(&text).unwrap().real, text);
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = fill(&text);
        }
    }
}
