//! The page that the sections write on.

use std::fmt::Write as _;

use super::{escape, table::Table};

/// Markdown in the making. What is handed to it is Markdown already: text from
/// outside goes through [`escape`] first.
#[derive(Debug, Default)]
pub(super) struct Page {
    out: String,
    /// How many levels deeper headings are than they say.
    pub(super) depth: usize,
}

impl Page {
    /// A heading of this level, from 1.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.space();
        let marks = "#".repeat((level + self.depth).min(6));
        self.put(&format!("{marks} {text}\n\n"));
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.space();
        self.put(&format!("{text}\n\n"));
    }

    /// An item of a list.
    pub(super) fn item(&mut self, text: &str) {
        self.put(&format!("- {text}\n"));
    }

    /// An item of a list that says what it is about.
    pub(super) fn fact(&mut self, name: &str, text: &str) {
        self.item(&format!("**{name}:** {text}"));
    }

    /// An item of a list in an item.
    pub(super) fn sub_item(&mut self, text: &str) {
        self.put(&format!("    - {text}\n"));
    }

    /// A table, and below it what its gaps mean and which columns it lacks.
    pub(super) fn table(&mut self, mut table: Table, gap: &str) {
        if table.is_empty() {
            return;
        }
        let unmeasured = table.drop_unmeasured();
        self.space();
        self.put(&table.source());
        self.put("\n");
        let mut notes = Vec::new();
        if table.has_gaps() {
            notes.push(format!("– means {gap}."));
        }
        if !unmeasured.is_empty() {
            notes.push(format!(
                "Not measured or not stated for any row: {}.",
                unmeasured.join(", ")
            ));
        }
        if !notes.is_empty() {
            self.paragraph(&notes.join(" "));
        }
    }

    /// Lines that are shown as they are.
    pub(super) fn block<S: AsRef<str>>(&mut self, lines: &[S]) {
        self.space();
        let (fence, lines) = escape::block(lines);
        self.put(&format!("{fence}text\n"));
        for line in lines {
            let _ = writeln!(self.out, "{line}");
        }
        self.put(&format!("{fence}\n\n"));
    }

    /// Lines that are shown as they are where a reader asks for them; in plain text and in
    /// what shows no HTML they just stand there.
    pub(super) fn folded<S: AsRef<str>>(&mut self, summary: &str, lines: &[S]) {
        self.space();
        self.put(&format!("<details><summary>{summary}</summary>\n\n"));
        self.block(lines);
        self.put("</details>\n\n");
    }

    /// Everything, ended by one newline.
    #[must_use]
    pub(super) fn finish(self) -> String {
        let mut out = self.out;
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// Ends a list with an empty line.
    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }
}
