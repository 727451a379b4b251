//! The texts of a suite's files, and what is wrong with them, where.

use std::{fmt, ops::Range};

/// What is wrong with a suite, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteError {
    /// The file as it was given.
    pub file: String,
    /// Line and column, from 1; absent when it is about the whole file.
    pub at: Option<(usize, usize)>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// Everything that is wrong with a suite; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteErrors(pub Vec<SuiteError>);

impl fmt::Display for SuiteErrors {
    /// A line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for SuiteErrors {}

/// More than these are not collected: nobody reads them.
const MOST: usize = 20;

/// The files of a suite one after the other, as if they were one text. So a place is one
/// number, which says the file, too.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: Vec<File>,
    errors: Vec<SuiteError>,
}

#[derive(Debug)]
struct File {
    name: String,
    start: usize,
    text: String,
}

impl Sources {
    /// Adds a file and says at which place it begins.
    pub(super) fn add(&mut self, name: &str, text: &str) -> usize {
        let start = self.files.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.files.push(File { name: name.to_owned(), start, text: text.to_owned() });
        start
    }

    /// Notes what is wrong at a place.
    pub(super) fn wrong(&mut self, place: &Range<usize>, message: impl Into<String>) {
        let message = message.into();
        let error = match self.find(place.start) {
            Some((file, line, column)) => {
                SuiteError { file: file.name.clone(), at: Some((line, column)), message }
            }
            None => SuiteError { file: String::new(), at: None, message },
        };
        self.note(error);
    }

    /// Notes what is wrong with a whole file.
    pub(super) fn wrong_file(&mut self, name: &str, message: String) {
        self.note(SuiteError { file: name.to_owned(), at: None, message });
    }

    fn note(&mut self, error: SuiteError) {
        // What is written once can be read often: a case for each of its parameters.
        if self.errors.len() < MOST && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// `file:line` of a place, to be named beside another one.
    pub(super) fn name(&self, place: &Range<usize>) -> String {
        self.find(place.start)
            .map_or_else(String::new, |(file, line, _)| format!("{}:{line}", file.name))
    }

    /// Whether nothing is wrong so far.
    pub(super) fn clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Everything that was noted.
    pub(super) fn verdict(self) -> Result<(), SuiteErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(SuiteErrors(self.errors)) }
    }

    /// The file, the line and the column of a place.
    fn find(&self, place: usize) -> Option<(&File, usize, usize)> {
        let file = self.files.iter().rfind(|file| file.start <= place)?;
        // Places are of whole tokens, so they lie between characters.
        let before = file.text.get(..place - file.start).unwrap_or(&file.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some((file, line, column))
    }
}

/// ": did you mean …?" when one of `known` is near, else the list of them.
pub(crate) fn suggestion(wrong: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|name| (likeness(wrong, name), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, name)) => format!(": did you mean {name:?}?"),
        None if known.is_empty() => String::new(),
        None if known.len() > 12 => {
            format!(" (known: {} and {} more)", known[..12].join(", "), known.len() - 12)
        }
        None => format!(" (known: {})", known.join(", ")),
    }
}

/// How alike two words are, up to 1. In a short word one wrong letter is much, so it is
/// counted for itself.
fn likeness(a: &str, b: &str) -> f64 {
    let slip = a.len() > 2 && strsim::osa_distance(a, b) == 1;
    strsim::jaro_winkler(a, b).max(if slip { 0.9 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::{Sources, suggestion};

    #[test]
    fn the_nearest_word_is_suggested_also_for_a_short_one() {
        assert_eq!(suggestion("sya", &["say", "stay", "chat"]), ": did you mean \"say\"?");
        assert_eq!(suggestion("lama", &["llama", "mlx"]), ": did you mean \"llama\"?");
        assert_eq!(suggestion("x", &["llama", "mlx"]), " (known: llama, mlx)");
    }

    #[test]
    fn a_place_says_its_file_line_and_column() {
        let mut sources = Sources::default();
        let first = sources.add("a.toml", "é = 1\nb = 2");
        let second = sources.add("b.toml", "x");
        for place in [first, first + 7, first + 11, second, second + 99] {
            sources.wrong(&(place..place), "no");
        }
        let errors = sources.verdict().unwrap_err();
        assert_eq!(
            errors.to_string(),
            "a.toml:1:1: no\na.toml:2:1: no\na.toml:2:5: no\nb.toml:1:1: no\nb.toml:1:2: no"
        );
    }

    #[test]
    fn the_same_thing_is_said_once_and_not_everything_at_once() {
        let mut sources = Sources::default();
        sources.add("a.toml", &"\n".repeat(99));
        for place in (0..99).chain(0..3) {
            sources.wrong(&(place..place), "no");
        }
        assert_eq!(sources.verdict().unwrap_err().0.len(), super::MOST);
    }
}
