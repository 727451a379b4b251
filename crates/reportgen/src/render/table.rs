//! Tables whose source reads as a table too.

use unicode_width::UnicodeWidthStr;

use super::format::NONE;

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

pub(super) use Side::{Left, Right};

/// A table. Its cells are Markdown already.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub(super) fn new(columns: &[(&str, Side)]) -> Table {
        let mut table = Table { columns: Vec::new(), rows: Vec::new() };
        columns.iter().for_each(|(name, side)| table.column(name, *side));
        table
    }

    /// Adds a column to a table without rows.
    pub(super) fn column(&mut self, name: &str, side: Side) {
        self.columns.push((in_cell(name), side));
    }

    /// Adds a row, which has a cell for every column.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.cells(cells.into());
    }

    /// Adds a row to a table whose columns depend on what was measured.
    pub(super) fn cells(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells.iter().map(|cell| in_cell(cell)).collect());
    }

    /// Whether there are no rows.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Drops every column in which nothing was measured, and names them.
    pub(super) fn drop_unmeasured(&mut self) -> Vec<String> {
        let mut dropped = Vec::new();
        for at in (0..self.columns.len()).rev() {
            if !self.rows.is_empty() && self.rows.iter().all(|row| row[at] == NONE) {
                dropped.push(self.columns.remove(at).0);
                self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
            }
        }
        dropped.reverse();
        dropped
    }

    /// Drops the columns called `name`.
    pub(super) fn drop_column(&mut self, name: &str) {
        while let Some(at) = self.columns.iter().position(|column| column.0 == name) {
            self.columns.remove(at);
            self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
    }

    /// Drops the column called `name` when all of its cells are `cell`; says whether.
    pub(super) fn drop_where(&mut self, name: &str, cell: &str) -> bool {
        let at = self.columns.iter().position(|column| column.0 == name);
        let drop = at.is_some_and(|at| self.rows.iter().all(|row| row[at] == cell));
        if drop {
            self.drop_column(name);
        }
        drop
    }

    /// Whether a cell says that nothing was measured.
    #[must_use]
    pub(super) fn has_gaps(&self) -> bool {
        self.rows.iter().flatten().any(|cell| cell == NONE)
    }

    /// The source: every column as wide as its widest cell.
    #[must_use]
    pub(super) fn source(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().map(|row| row[at].width());
                cells.chain([self.columns[at].0.width(), 3]).max().unwrap_or(3)
            })
            .collect();
        let mut out = String::new();
        self.line(&mut out, &widths, self.columns.iter().map(|column| column.0.as_str()));
        for ((_, side), width) in self.columns.iter().zip(&widths) {
            let dashes = "-".repeat(width + 1);
            out.push_str(&if *side == Left {
                format!("|:{dashes}")
            } else {
                format!("|{dashes}:")
            });
        }
        out.push_str("|\n");
        for row in &self.rows {
            self.line(&mut out, &widths, row.iter().map(String::as_str));
        }
        out
    }

    fn line<'a>(&self, out: &mut String, widths: &[usize], cells: impl Iterator<Item = &'a str>) {
        for ((cell, width), (_, side)) in cells.zip(widths).zip(&self.columns) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if *side == Left { ("", &*space) } else { (&*space, "") };
            out.push_str("| ");
            out.push_str(before);
            out.push_str(cell);
            out.push_str(after);
            out.push(' ');
        }
        out.push_str("|\n");
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
    use super::{Left, Right, Table, in_cell};

    #[test]
    fn columns_are_padded_by_what_is_seen() {
        let mut table = Table::new(&[("Name", Left), ("Time", Right)]);
        table.row(["`模型`".into(), "1.5 s".into()]);
        table.row(["`longer-name`".into(), "12.5 s".into()]);
        assert_eq!(
            table.source(),
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
    fn columns_without_a_measurement_are_dropped_and_named() {
        let mut table = Table::new(&[("Name", Left), ("TTFT", Right), ("Load", Right)]);
        table.row(["a".into(), "–".into(), "–".into()]);
        table.row(["b".into(), "–".into(), "1.0 s".into()]);
        assert_eq!(table.drop_unmeasured(), ["TTFT"]);
        assert!(table.has_gaps());
    }
}
