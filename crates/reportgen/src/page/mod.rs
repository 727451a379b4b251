//! What a report consists of, whatever it is written as.
//!
//! The sections put blocks on a [`Page`]; [`markdown`], [`html`], [`github`], [`json`] and
//! [`csv`] write them. Text is Markdown already when it comes here: what is from outside
//! goes through `escape` first. Tables keep the values behind their cells, so that
//! programs get numbers where people get words.

mod cell;
pub mod csv;
mod escape;
pub mod github;
pub mod html;
pub mod json;
pub mod markdown;
mod sheet;
mod table;

pub(crate) use cell::{Cell, Data, row};
pub(crate) use escape::{code, prose};
pub(crate) use table::{Left, Right, Side, Table};

/// What stands where nothing was measured.
pub(crate) const NONE: &str = "–";

/// A piece of a report.
#[derive(Debug)]
enum Block {
    /// A heading of this level, from 1.
    Heading(usize, String),
    Paragraph(String),
    /// An item of a list, so many levels deep.
    Item(usize, String),
    Table(Table),
    /// One that only programs see.
    Hidden(Table),
    /// Lines that are shown as they are.
    Lines(Vec<String>),
    /// Lines that are shown where a reader asks for them, and what to ask for.
    Folded(&'static str, Vec<String>),
}

/// The run that a part of the report is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The run's id; none where a table is about several.
    pub(crate) run: Option<String>,
    /// The host, as far as it is named.
    pub(crate) host: Option<String>,
    /// The test, where a table is about one.
    pub(crate) test: Option<String>,
}

/// Something that is said in words: which run it is about, under which heading it stands,
/// its name and the words.
#[derive(Debug)]
struct Fact {
    about: About,
    section: String,
    name: String,
    text: String,
}

/// A report in the making.
#[derive(Debug, Default)]
pub struct Page {
    blocks: Vec<Block>,
    facts: Vec<Fact>,
    section: String,
    /// How many levels deeper headings are than they say.
    pub(crate) depth: usize,
    /// What the blocks that come are about.
    pub(crate) about: About,
    /// Whether programs want its tables: then they have all of their rows.
    all_rows: bool,
}

impl Page {
    /// An empty report; with `all_rows` its tables have the rows, too, that nobody sees.
    #[must_use]
    pub fn new(all_rows: bool) -> Page {
        Page { all_rows, ..Page::default() }
    }

    /// A heading of this level, from 1.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        text.clone_into(&mut self.section);
        self.blocks.push(Block::Heading((level + self.depth).min(6), text.to_owned()));
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.blocks.push(Block::Paragraph(text.to_owned()));
    }

    /// An item of a list.
    pub(crate) fn item(&mut self, text: &str) {
        self.blocks.push(Block::Item(0, text.to_owned()));
    }

    /// An item of a list that says what it is about.
    pub(crate) fn fact(&mut self, name: &str, text: &str) {
        self.facts.push(Fact {
            about: self.about.clone(),
            section: self.section.clone(),
            name: name.to_owned(),
            text: text.to_owned(),
        });
        self.item(&format!("**{name}:** {text}"));
    }

    /// An item of a list in an item.
    pub(crate) fn sub_item(&mut self, text: &str) {
        self.blocks.push(Block::Item(1, text.to_owned()));
    }

    /// A table, and below it what its gaps mean and which columns it lacks.
    pub(crate) fn table(&mut self, mut table: Table, gap: &str) {
        if table.is_empty() {
            return;
        }
        let unmeasured = table.hide_unmeasured();
        let mut notes = Vec::new();
        if let Some(left_out) = table.left_out() {
            notes.push(left_out);
        }
        if table.has_gaps() {
            notes.push(format!("– means {gap}."));
        }
        if !unmeasured.is_empty() {
            notes.push(format!(
                "Not measured or not stated for any row: {}.",
                unmeasured.join(", ")
            ));
        }
        table.about = self.about.clone();
        self.blocks.push(Block::Table(table));
        if !notes.is_empty() {
            self.paragraph(&notes.join(" "));
        }
    }

    /// A table that only programs see.
    pub(crate) fn hidden(&mut self, mut table: Table) {
        if self.all_rows && !table.is_empty() {
            table.about = self.about.clone();
            self.blocks.push(Block::Hidden(table));
        }
    }

    /// How many rows such a table is to have: all or none.
    pub(crate) fn rows_for_programs(&self) -> usize {
        if self.all_rows { usize::MAX } else { 0 }
    }

    /// How many of a table's rows are wanted: those that are shown, else all.
    pub(crate) fn wanted_rows(&self) -> usize {
        if self.all_rows { usize::MAX } else { table::MOST }
    }

    /// Lines that are shown as they are.
    pub(crate) fn block<S: AsRef<str>>(&mut self, lines: &[S]) {
        self.blocks.push(Block::Lines(owned(lines)));
    }

    /// Lines that are shown as they are where a reader asks for them; in plain text and in
    /// what shows no HTML they just stand there.
    pub(crate) fn folded<S: AsRef<str>>(&mut self, summary: &'static str, lines: &[S]) {
        self.blocks.push(Block::Folded(summary, owned(lines)));
    }

    /// Has `write` put on what is about the test with this id.
    pub(crate) fn on_test(&mut self, id: &str, write: impl FnOnce(&mut Page)) {
        self.about.test = Some(id.to_owned());
        write(self);
        self.about.test = None;
    }

    /// The tables, in their order.
    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) | Block::Hidden(table) => Some(table),
            _ => None,
        })
    }
}

fn owned<S: AsRef<str>>(lines: &[S]) -> Vec<String> {
    lines.iter().map(|line| line.as_ref().to_owned()).collect()
}
