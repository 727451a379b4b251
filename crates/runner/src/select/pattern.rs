//! Names of backends and models as people give them: `llama`, `qwen*`, `a,b`.

use wildmatch::WildMatch;

use crate::suite::suggestion;

/// A name, or a pattern in which `*` is any text and `?` any character.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    glob: Option<WildMatch>,
}

impl Pattern {
    /// The pattern that `text` is; every text is one.
    #[must_use]
    pub fn new(text: &str) -> Pattern {
        let glob = text.contains(['*', '?']).then(|| WildMatch::new(text));
        Pattern { text: text.to_owned(), glob }
    }

    /// Whether it can mean several names.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Whether it means `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.matches(name),
            None => self.text == name,
        }
    }
}

/// Patterns, of which any may match.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<Pattern>);

impl Names {
    /// The names in `given`, each of which can be a list with commas.
    #[must_use]
    pub fn new(given: &[String]) -> Names {
        let names = given.iter().flat_map(|text| text.split(',')).map(str::trim);
        Names(names.filter(|name| !name.is_empty()).map(Pattern::new).collect())
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them means `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }

    /// That each of them means at least one of `known`.
    ///
    /// # Errors
    ///
    /// With a sentence that names the one that does not; `what` they are of.
    pub fn check(&self, what: &str, known: &[&str]) -> Result<(), String> {
        match self.0.iter().find(|pattern| !known.iter().any(|name| pattern.matches(name))) {
            None => Ok(()),
            Some(Pattern { text, glob: None }) => {
                Err(format!("there is no {what} {text:?}{}", suggestion(text, known)))
            }
            Some(Pattern { text, glob: Some(_) }) => {
                Err(format!("no {what} matches {text:?} (known: {})", known.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    fn names(given: &[&str]) -> Names {
        Names::new(&given.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_list_means_any_of_its_names_and_patterns() {
        let names = names(&["a, qwen*", "?b"]);
        for (name, holds) in
            [("a", true), ("qwen3:0.6b", true), ("xb", true), ("b", false), ("A", false)]
        {
            assert_eq!(names.matches(name), holds, "{name}");
        }
    }

    #[test]
    fn what_means_nothing_is_named_with_the_nearest() {
        let known = ["llama", "mlx"];
        assert!(names(&["mlx,l*"]).check("backend", &known).is_ok());
        assert_eq!(
            names(&["lama"]).check("backend", &known).unwrap_err(),
            "there is no backend \"lama\": did you mean \"llama\"?"
        );
        assert_eq!(
            names(&["v*"]).check("backend", &known).unwrap_err(),
            "no backend matches \"v*\" (known: llama, mlx)"
        );
    }
}
