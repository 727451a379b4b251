//! Tables for a terminal of 80 columns.

use std::fmt::Write as _;

use pipe::printable;

const WIDTH: usize = 80;
/// Where the columns of a row begin; the last one takes the rest and is wrapped.
const STARTS: [usize; 3] = [2, 22, 36];

/// A text that is written row by row.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) text: String,
}

impl Table {
    /// Begins a part of the table.
    pub(crate) fn title(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        // A String takes everything.
        let _ = writeln!(self.text, "{gap}{title}");
    }

    /// Adds a row of at most three cells.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        let Some((last, others)) = cells.split_last() else {
            return;
        };
        let mut line = String::new();
        for (cell, start) in others.iter().zip(STARTS) {
            pad(&mut line, start);
            line.push_str(&printable(cell));
        }
        let start = STARTS[others.len().min(STARTS.len() - 1)];
        for part in wrap(&printable(last), WIDTH - start) {
            pad(&mut line, start);
            line.push_str(&part);
            self.text.push_str(line.trim_end());
            self.text.push('\n');
            line.clear();
        }
    }
}

/// Fills `line` up to the column `start`; at least one blank after what it has.
fn pad(line: &mut String, start: usize) {
    let length = line.chars().count();
    let least = usize::from(length > 0);
    line.extend(std::iter::repeat_n(' ', start.saturating_sub(length).max(least)));
}

/// Lines of at most `width` characters, broken between words, and inside of paths
/// that are longer after a slash; never none.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for (index, word) in text.split_whitespace().enumerate() {
        let mut word: Vec<char> = word.chars().collect();
        if index > 0 && length + 1 + word.len() <= width {
            length = push(&mut lines, " ", length);
        } else if index > 0 {
            lines.push(String::new());
            length = 0;
        }
        while word.len() > width - length {
            let room = width - length;
            let slash = word[..room].iter().rposition(|letter| *letter == '/');
            let rest = word.split_off(slash.map_or(room, |at| at + 1));
            push(&mut lines, &String::from_iter(word), length);
            lines.push(String::new());
            (word, length) = (rest, 0);
        }
        length = push(&mut lines, &String::from_iter(word), length);
    }
    lines
}

/// Adds to the last line, which has `length` characters; how many it has then.
fn push(lines: &mut [String], part: &str, length: usize) -> usize {
    if let Some(line) = lines.last_mut() {
        line.push_str(part);
    }
    length + part.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Table, wrap};

    #[test]
    fn long_reasons_go_on_below_and_paths_break_after_a_slash() {
        let mut table = Table::default();
        table.title("Not measured");
        table.row(&[
            "cgroup_limit_gb",
            "12.000 GB",
            "/sys/fs/cgroup/user.slice/user-1000.slice/memory.max",
        ]);
        table.row(&["a_name_that_is_longer", "no reason"]);
        assert_eq!(
            table.text,
            "Not measured\n  \
               cgroup_limit_gb     12.000 GB     /sys/fs/cgroup/user.slice/user-1000.slice/\n                                    \
               memory.max\n  \
               a_name_that_is_longer no reason\n"
        );
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_nothing_is_lost(text in "[a-zé/ ]{0,200}", width in 1..60_usize) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
