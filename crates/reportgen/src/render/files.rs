//! What was read.

use super::{
    format::{count, things},
    head::shown_name,
};
use crate::input::Input;
use crate::page::{Page, code};

/// Writes each input with what it holds, and what could not be read.
pub(super) fn section(page: &mut Page, input: &Input, which: &str) {
    page.heading(2, &format!("Files{which}"));
    for file in &input.files {
        let lines: Vec<String> =
            file.lines.iter().map(|(kind, n)| format!("{} × `{kind}`", count(*n))).collect();
        let lines = if lines.is_empty() { "no records".to_owned() } else { lines.join(", ") };
        page.fact(&code(shown_name(&file.name)), &lines);
    }
    if input.malformed > 0 {
        page.item(&format!("{} could not be read.", things(input.malformed, "line")));
    }
    if input.text > 0 {
        page.item(&format!(
            "{} of text {} passed to standard error.",
            things(input.text, "line"),
            if input.text == 1 { "was" } else { "were" }
        ));
    }
}
