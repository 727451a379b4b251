//! What placeholders stand for.

use std::collections::BTreeMap;

/// Names and what is filled in for them: `port`, `model.id`, `fixture.docs` …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// Has `name` stand for `value`.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// What `name` stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds those of `other`, which win.
    pub fn add(&mut self, other: &Places) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, String); N]> for Places {
    fn from(pairs: [(&str, String); N]) -> Places {
        Places(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
