//! The tables of a report as a program wants them: all that have the same name in one, with
//! a field for each value.

use std::collections::{HashMap, HashSet};

use super::{About, Data, Page, Table};

/// Everything that the tables of one name hold.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The name of the tables.
    pub(super) name: String,
    /// The fields, in the order in which they came up.
    pub(super) fields: Vec<String>,
    /// For each row the value of each field; short rows lack the last ones.
    pub(super) rows: Vec<Vec<Option<Datum>>>,
    at: HashMap<String, usize>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Text(String),
    Number(f64),
}

impl Sheet {
    fn new(name: &str) -> Sheet {
        Sheet { name: name.to_owned(), ..Sheet::default() }
    }

    fn set(&mut self, row: &mut Vec<Option<Datum>>, field: &str, value: Option<Datum>) {
        let at = self.at.get(field).copied().unwrap_or_else(|| {
            self.fields.push(field.to_owned());
            self.at.insert(field.to_owned(), self.fields.len() - 1);
            self.fields.len() - 1
        });
        if row.len() <= at {
            row.resize(at + 1, None);
        }
        row[at] = value;
    }

    fn about(&mut self, row: &mut Vec<Option<Datum>>, about: &About) {
        self.set(row, "run", about.run.clone().map(Datum::Text));
        self.set(row, "host", about.host.clone().map(Datum::Text));
        if let Some(test) = &about.test {
            self.set(row, "test", Some(Datum::Text(test.clone())));
        }
    }

    fn add(&mut self, table: &Table) {
        let mut titles = HashSet::new();
        let stems: Vec<String> = table
            .titles()
            .map(|title| {
                let stem = field(title);
                // Two columns may have one title.
                (1..)
                    .map(|n| if n == 1 { stem.clone() } else { format!("{stem}_{n}") })
                    .find(|stem| titles.insert(stem.clone()))
                    .unwrap_or_default()
            })
            .collect();
        for cells in table.rows() {
            let mut row = Vec::new();
            self.about(&mut row, &table.about);
            for (stem, cell) in stems.iter().zip(cells) {
                match cell.data() {
                    Data::Absent => {}
                    Data::Text(text) => self.set(&mut row, stem, Some(Datum::Text(text.clone()))),
                    Data::Number(value, unit) => {
                        self.set(&mut row, &joined(stem, unit), Some(Datum::Number(*value)));
                    }
                    Data::Pair(pair) => {
                        for (value, end) in pair {
                            let value = value.filter(|value| value.is_finite());
                            self.set(&mut row, &joined(stem, end), value.map(Datum::Number));
                        }
                    }
                }
            }
            self.rows.push(row);
        }
    }
}

/// All tables of `page`, and what is said beside them as one called `facts`.
pub(super) fn sheets(page: &Page) -> Vec<Sheet> {
    let mut sheets: Vec<Sheet> = Vec::new();
    for table in page.tables() {
        let at = sheets.iter().position(|sheet| sheet.name == table.name());
        let at = at.unwrap_or_else(|| {
            sheets.push(Sheet::new(table.name()));
            sheets.len() - 1
        });
        sheets[at].add(table);
    }
    let mut facts = Sheet::new("facts");
    for fact in &page.facts {
        let mut row = Vec::new();
        let text = |text: &str| Some(Datum::Text(text.to_owned()));
        facts.about(&mut row, &fact.about);
        facts.set(&mut row, "section", text(&fact.section));
        facts.set(&mut row, "fact", text(&fact.name));
        facts.set(&mut row, "text", text(&fact.text));
        facts.rows.push(row);
    }
    sheets.push(facts);
    sheets
}

fn joined(stem: &str, end: &str) -> String {
    match end {
        "" => stem.to_owned(),
        end => format!("{stem}_{end}"),
    }
}

/// The title of a column as a field's name: `Free memory` is `free_memory`.
fn field(title: &str) -> String {
    let mut out = String::new();
    for c in title.replace('%', "pct").chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    let end = out.trim_end_matches('_').len();
    out.truncate(end);
    match out.is_empty() {
        true => "nr".to_owned(),
        false => out,
    }
}

#[cfg(test)]
mod tests {
    use super::{Datum, field, sheets};
    use crate::page::{Cell, Left, Page, Right, Table, row};

    #[test]
    fn titles_become_fields() {
        assert_eq!(
            ["Free memory", "CPU mean/most", "#", "Δ", "p50", "`depth`"].map(field),
            ["free_memory", "cpu_mean_most", "nr", "δ", "p50", "depth"]
        );
    }

    #[test]
    fn tables_of_one_name_are_one_sheet_with_all_fields() {
        let mut page = Page::default();
        page.about.run = Some("a".into());
        let mut table = Table::new("models", &[("Model", Left), ("Time", Right)]);
        table.row(row![Cell::name("m|`x"), Cell::number(1.5, "s", "1.5 s".into())]);
        page.table(table, "");
        page.about.run = Some("b".into());
        let mut table = Table::new("models", &[("Model", Left), ("Size", Right), ("Time", Right)]);
        table.row(row![Cell::name("n"), Cell::number(2.0, "gb", "2.0 GB".into()), Cell::none()]);
        page.table(table, "");
        let all = sheets(&page);
        assert_eq!(all[0].fields, ["run", "host", "model", "time_s", "size_gb"]);
        let text = |text: &str| Some(Datum::Text(text.into()));
        assert_eq!(all[0].rows[0], [text("a"), None, text("m|`x"), Some(Datum::Number(1.5))]);
        assert_eq!(all[0].rows[1], [text("b"), None, text("n"), None, Some(Datum::Number(2.0))]);
    }
}
