//! Text from outside, on its way to a terminal or a spreadsheet.

use std::borrow::Cow;

/// `text` without characters that could steer a terminal or reorder a line:
/// control characters and Unicode's direction marks become `�`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let hostile = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(hostile) {
        Cow::Owned(text.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `text` as a cell of a spreadsheet, with an apostrophe before what one would compute.
/// Some trim what cannot be seen, and some take the wide forms for the others.
#[must_use]
pub fn no_formula(text: &str) -> Cow<'_, str> {
    let unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let seen = text.trim_start_matches(unseen);
    if seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n'])
    {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{no_formula, printable};

    #[test]
    fn a_name_is_no_formula_even_behind_what_cannot_be_seen() {
        for hostile in ["=1+1", "\u{200b}=1", " @x", "＝1", "\tx"] {
            assert_eq!(no_formula(hostile), format!("'{hostile}"));
        }
        assert_eq!(no_formula("smollm2-135m"), "smollm2-135m");
    }

    #[test]
    fn escape_sequences_and_direction_marks_do_not_reach_the_terminal() {
        assert_eq!(printable("a\tb é"), "a\tb é");
        assert_eq!(printable("\x1b[31mred\u{202e}"), "\u{fffd}[31mred\u{fffd}");
    }
}
