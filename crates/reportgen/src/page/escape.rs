//! Text from outside, made harmless.
//!
//! Names, messages and log lines come from suites, models and servers. In the
//! report they are data: none can become markup, break out of a table cell, a code
//! span or a block, or reorder the line it stands in. Backslashes before every
//! special character would do that too, but the report is also read as it stands;
//! so whatever is not plainly harmless goes into a code span, in which nothing but
//! the backtick means anything.

use std::borrow::Cow;

/// The longest text that is shown in a line.
const LONGEST: usize = 400;

/// `text` as a code span: names and values.
#[must_use]
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // A space next to the fence is stripped by readers, and keeps a backtick at the
    // edge apart from it.
    let edge = |c: Option<char>| matches!(c, Some('`' | ' '));
    let pad = if edge(text.chars().next()) || edge(text.chars().last()) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` as prose where it is plainly harmless, else as a code span: sentences.
#[must_use]
pub(crate) fn prose(text: &str) -> String {
    let line = one_line(text);
    let harmless = |c: char| c.is_alphanumeric() || " .,;:()'\"/%°+-–=?".contains(c);
    // `1.` and `1)` would begin a list.
    let behind_digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = behind_digits.strip_prefix(['.', ')']);
    let counts = behind_digits.len() < line.len()
        && item.is_some_and(|item| item.is_empty() || item.starts_with(' '));
    let starts_well = line.starts_with(|c: char| c.is_alphanumeric() || c == '(') && !counts;
    let links = ["://", "www."].iter().any(|link| line.contains(link));
    // Within a word an underscore is nothing else: `generation_tps`. So it is where the pieces
    // between all of them begin and end with letters, as far as others are next to them.
    let pieces: Vec<&str> = line.split('_').collect();
    let inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let within_words = pieces
        .windows(2)
        .all(|pair| inner(pair[0].chars().next_back()) && inner(pair[1].chars().next()));
    let harmless = pieces.iter().all(|piece| piece.chars().all(harmless));
    if starts_well && !links && !line.contains("  ") && within_words && harmless {
        line.into_owned()
    } else {
        code(text)
    }
}

/// Lines for a fenced block, and the fence that they cannot close.
#[must_use]
pub(super) fn block<S: AsRef<str>>(lines: &[S]) -> (String, Vec<String>) {
    let lines: Vec<String> = lines
        .iter()
        .flat_map(|line| line.as_ref().split('\n'))
        .map(|line| visible(&line.trim_end().replace('\t', "    ")).into_owned())
        .collect();
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    ("`".repeat(longest.max(2) + 1), lines)
}

/// `text` on one line, cut where it is very long.
fn one_line(text: &str) -> Cow<'_, str> {
    let spaced = if text.contains(is_break) {
        Cow::Owned(text.replace(is_break, " "))
    } else {
        Cow::Borrowed(text)
    };
    let more = spaced.chars().count().saturating_sub(LONGEST);
    if more == 0 {
        return match spaced {
            Cow::Borrowed(text) => visible(text),
            Cow::Owned(text) => Cow::Owned(visible(&text).into_owned()),
        };
    }
    let head: String = spaced.chars().take(LONGEST).collect();
    Cow::Owned(format!("{} … ({more} more characters)", visible(&head)))
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `text` without what steers a terminal, reorders a line or cannot be seen.
fn visible(text: &str) -> Cow<'_, str> {
    let unseen = |c: char| {
        matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let printable = pipe::printable(text);
    if printable.contains(unseen) {
        Cow::Owned(printable.replace(unseen, "\u{fffd}"))
    } else {
        printable
    }
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{block, code, prose};

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(code("plain_name"), "`plain_name`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("two\nlines"), "`two lines`");
        assert_eq!(code("two\u{2028}"), "` two  `");
        assert_eq!(code(" \n"), "(empty)");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(code("a\u{202e}b\u{200b}c\x1b[2J"), "`a\u{fffd}b\u{fffd}c\u{fffd}[2J`");
    }

    #[test]
    fn harmless_sentences_stay_sentences() {
        for harmless in
            ["2.0.4", "needs 44 GB, has 40 GB", "generation_tps varies by 14 % (sd / mean)"]
        {
            assert_eq!(prose(harmless), harmless);
        }
        for hostile in [
            "<b>",
            "a | b",
            "**x**",
            "see http://x.y",
            "@all",
            "# x",
            "- x",
            "a & b",
            "a _b_ c",
            "a__b",
            "1. x",
            "12) x",
        ] {
            assert!(prose(hostile).starts_with('`'), "{hostile}");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_by_how_much() {
        assert!(prose(&"x".repeat(500)).ends_with("… (100 more characters)`"));
    }

    #[test]
    fn a_block_has_a_fence_longer_than_any_within() {
        let (fence, lines) = block(&["```", "`````\nnext"]);
        assert_eq!((fence.as_str(), lines.len()), ("``````", 3));
        assert_eq!(block(&["plain"]).0, "```");
    }
}
