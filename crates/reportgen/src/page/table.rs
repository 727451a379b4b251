//! Tables whose source reads as a table too, and whose cells keep their values.

use unicode_width::UnicodeWidthStr;

use super::{About, Cell, NONE, markdown::Source};

/// The most rows that are shown: no reader goes through more, and no page shows them well.
pub(super) const MOST: usize = 300;

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

pub(crate) use Side::{Left, Right};

#[derive(Debug)]
struct Column {
    title: String,
    side: Side,
    shown: bool,
}

/// A table. What its cells show is Markdown already.
#[derive(Debug)]
pub(crate) struct Table {
    name: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// How many more rows there are than were wanted.
    pub(crate) more: usize,
    /// What it is about.
    pub(super) about: About,
}

impl Table {
    /// An empty table with these columns. `name` tells programs what it holds.
    #[must_use]
    pub(crate) fn new(name: &'static str, columns: &[(&str, Side)]) -> Table {
        let (columns, more) = (Vec::new(), columns);
        let mut table = Table { name, columns, rows: Vec::new(), more: 0, about: About::default() };
        more.iter().for_each(|(title, side)| table.column(title, *side));
        table
    }

    /// Adds a column to a table without rows.
    pub(crate) fn column(&mut self, title: &str, side: Side) {
        self.columns.push(Column { title: in_cell(title), side, shown: true });
    }

    /// Adds a row, which has a cell for every column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.cells(cells.into());
    }

    /// Adds a row to a table whose columns depend on what was measured.
    pub(crate) fn cells(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// What it holds, for programs.
    #[must_use]
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The titles of all columns, those that are not shown, too.
    pub(super) fn titles(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.title.as_str())
    }

    /// All rows, with a cell for every column.
    pub(super) fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// Whether there are no rows.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Hides every column in which nothing was measured, and names them.
    pub(super) fn hide_unmeasured(&mut self) -> Vec<String> {
        let mut hidden = Vec::new();
        for (at, column) in self.columns.iter_mut().enumerate().filter(|(_, c)| c.shown) {
            if !self.rows.is_empty() && self.rows.iter().all(|row| &*row[at] == NONE) {
                column.shown = false;
                hidden.push(column.title.clone());
            }
        }
        hidden
    }

    /// Hides the columns called `title` from people.
    pub(crate) fn hide(&mut self, title: &str) {
        for column in self.columns.iter_mut().filter(|column| column.title == title) {
            column.shown = false;
        }
    }

    /// Hides the column called `title` when all of its cells show `text`; says whether.
    pub(crate) fn hide_where(&mut self, title: &str, text: &str) -> bool {
        let at = self.columns.iter().position(|column| column.title == title);
        let hide = at.is_some_and(|at| self.rows.iter().all(|row| &*row[at] == text));
        if hide {
            self.hide(title);
        }
        hide
    }

    /// Whether a cell that is shown says that nothing was measured.
    #[must_use]
    pub(super) fn has_gaps(&self) -> bool {
        self.shown_rows().any(|row| self.shown(row).any(|(cell, _)| &**cell == NONE))
    }

    /// How many rows are too many to be shown, in words.
    #[must_use]
    pub(super) fn left_out(&self) -> Option<String> {
        let more = self.more + self.rows.len().saturating_sub(MOST);
        (more > 0).then(|| format!("The first {MOST} rows; `--csv` writes the other {more}, too."))
    }

    fn shown_rows(&self) -> impl Iterator<Item = &Vec<Cell>> {
        self.rows.iter().take(MOST)
    }

    fn shown<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = (&'a Cell, &'a Column)> {
        row.iter().zip(&self.columns).filter(|(_, column)| column.shown)
    }

    /// The source.
    #[must_use]
    pub(super) fn source(&self, source: Source) -> String {
        let columns: Vec<&Column> = self.columns.iter().filter(|column| column.shown).collect();
        let rows: Vec<Vec<String>> = self
            .shown_rows()
            .map(|row| self.shown(row).map(|(cell, _)| in_cell(cell)).collect())
            .collect();
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| match source {
                Source::Short => 1,
                Source::Aligned => {
                    let cells = rows.iter().map(|row| row[at].width());
                    cells.chain([columns[at].title.width(), 3]).max().unwrap_or(3)
                }
            })
            .collect();
        let mut out = String::new();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            for ((cell, width), column) in cells.zip(&widths).zip(&columns) {
                let space = " ".repeat(width.saturating_sub(cell.width()));
                let (before, after) =
                    if column.side == Left { ("", &*space) } else { (&*space, "") };
                for piece in ["| ", before, cell, after, " "] {
                    out.push_str(piece);
                }
            }
            out.push_str("|\n");
            out.len()
        };
        let head = line(&mut columns.iter().map(|column| column.title.as_str()));
        for row in &rows {
            line(&mut row.iter().map(String::as_str));
        }
        let mut rule = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let dashes = "-".repeat(width + 1);
            rule.push_str(&match column.side {
                Left => format!("|:{dashes}"),
                Right => format!("|{dashes}:"),
            });
        }
        rule.push_str("|\n");
        out.insert_str(head, &rule);
        out
    }
}

/// `text` with its pipes escaped, even behind a backslash: a table is taken apart
/// before code spans are seen.
fn in_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut backslashes = 0;
    for c in text.chars() {
        if c == '|' {
            // An even number of backslashes and one for the pipe.
            out.push_str(&"\\".repeat(backslashes % 2 + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Left, MOST, Right, Table, in_cell};
    use crate::page::{markdown::Source, row};

    #[test]
    fn columns_are_padded_by_what_is_seen() {
        let mut table = Table::new("t", &[("Name", Left), ("Time", Right)]);
        table.row(row!["`模型`", "1.5 s"]);
        table.row(row!["`longer-name`", "12.5 s"]);
        assert_eq!(
            table.source(Source::Aligned),
            "| Name          |   Time |\n\
             |:--------------|-------:|\n\
             | `模型`        |  1.5 s |\n\
             | `longer-name` | 12.5 s |\n"
        );
    }

    #[test]
    fn pipes_are_escaped_behind_backslashes_too() {
        assert_eq!(in_cell(r"a|b"), r"a\|b");
        assert_eq!(in_cell(r"a\|b"), r"a\\\|b");
        assert_eq!(in_cell(r"a\\|b"), r"a\\\|b");
    }

    #[test]
    fn columns_without_a_measurement_are_hidden_and_named() {
        let mut table = Table::new("t", &[("Name", Left), ("TTFT", Right), ("Load", Right)]);
        table.row(row!["a", "–", "–"]);
        table.row(row!["b", "–", "1.0 s"]);
        assert_eq!(table.hide_unmeasured(), ["TTFT"]);
        assert!(table.has_gaps());
    }

    #[test]
    fn a_long_table_shows_its_beginning_and_says_so() {
        let mut table = Table::new("t", &[("n", Right)]);
        (0..MOST).for_each(|n| table.row(row![n.to_string()]));
        assert_eq!(table.left_out(), None);
        table.row(row!["last"]);
        assert!(table.left_out().is_some_and(|words| words.contains("the other 1,")));
        assert!(!table.source(Source::Short).contains("last"));
        assert_eq!(table.rows().len(), MOST + 1);
    }
}
