//! What stands in a cell: for people in words, for programs as a value.

use std::{fmt, ops::Deref};

use super::{NONE, code};

/// A figure or a name: as it is shown, which is Markdown, and what it stands for.
///
/// It dereferences to its text, so a figure can stand in a sentence as well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    text: String,
    data: Data,
}

/// What a cell stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    /// Nothing was measured or stated.
    Absent,
    /// Words.
    Text(String),
    /// A number and its unit, as field names end with it: `s`, `gb`, `pct`; counts have none.
    Number(f64, &'static str),
    /// Two numbers that are shown as one, such as a range: each with how its field ends.
    Pair([(Option<f64>, &'static str); 2]),
}

impl Cell {
    /// A number that is shown as `text`.
    pub(crate) fn number(value: f64, unit: &'static str, text: String) -> Cell {
        Cell {
            text,
            data: if value.is_finite() { Data::Number(value, unit) } else { Data::Absent },
        }
    }

    /// Two numbers that are shown as `text`.
    pub(crate) fn pair(pair: [(Option<f64>, &'static str); 2], text: String) -> Cell {
        Cell { text, data: Data::Pair(pair) }
    }

    /// A name from outside, shown as a code span.
    pub(crate) fn name(name: &str) -> Cell {
        Cell { text: code(name), data: Data::Text(name.to_owned()) }
    }

    /// Words from outside, shown as `text`.
    pub(crate) fn words(words: &str, text: String) -> Cell {
        Cell { text, data: Data::Text(words.to_owned()) }
    }

    /// The mark that there is nothing.
    pub(crate) fn none() -> Cell {
        Cell { text: NONE.to_owned(), data: Data::Absent }
    }

    /// What it stands for.
    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    /// The same value, shown in other words.
    pub(crate) fn shown_as(self, text: String) -> Cell {
        Cell { text, ..self }
    }
}

impl Deref for Cell {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        let data = match text.trim_matches('*') {
            "" | NONE => Data::Absent,
            words => Data::Text(words.to_owned()),
        };
        Cell { text, data }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        text.to_owned().into()
    }
}

impl From<Cell> for String {
    fn from(cell: Cell) -> String {
        cell.text
    }
}

/// The cells of a row.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { [$($crate::page::Cell::from($cell)),*] };
}
pub(crate) use row;
