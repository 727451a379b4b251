//! A report as Markdown that reads well as it stands, too.

use std::fmt::Write as _;

use super::{Block, Page, escape};

/// How the source looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// For people: columns are as wide as their widest cell.
    Aligned,
    /// For programs that show it: as short as can be.
    Short,
}

/// `page` as Markdown, ended by one newline.
#[must_use]
pub fn write(page: &Page, source: Source) -> String {
    let mut out = String::new();
    for block in &page.blocks {
        write_block(&mut out, block, source);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Adds `block` to `out`.
pub(super) fn write_block(out: &mut String, block: &Block, source: Source) {
    if matches!(block, Block::Hidden(_)) {
        return;
    }
    if !matches!(block, Block::Item(..)) {
        end_list(out);
    }
    // Writing to a string cannot fail.
    let _ = match block {
        Block::Heading(level, text) => write!(out, "{} {text}\n\n", "#".repeat(*level)),
        Block::Paragraph(text) => write!(out, "{text}\n\n"),
        Block::Item(depth, text) => writeln!(out, "{}- {text}", "    ".repeat(*depth)),
        Block::Table(table) => writeln!(out, "{}", table.source(source)),
        Block::Hidden(_) => Ok(()),
        Block::Lines(lines) => write!(out, "{}\n\n", fenced(lines)),
        Block::Folded(summary, lines) => write!(
            out,
            "<details><summary>{summary}</summary>\n\n{}\n\n</details>\n\n",
            fenced(lines)
        ),
    };
}

fn fenced(lines: &[String]) -> String {
    let (fence, lines) = escape::block(lines);
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}

/// Ends a list with an empty line.
pub(super) fn end_list(out: &mut String) {
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
}
