//! Answers that a batch kept to be read.

use records::Test;
use unicode_width::UnicodeWidthChar;

use crate::{
    page::{Page, code},
    render::format::things,
};

/// The most characters of an answer that are shown.
const MOST: usize = 2000;
/// How wide its lines become.
const WIDTH: usize = 96;

/// Writes each answer in a block of its own.
pub(super) fn list(page: &mut Page, test: &Test) {
    for sample in &test.samples {
        let name = code(&sample.custom_id);
        if sample.text.trim().is_empty() {
            page.paragraph(&format!("Answer to {name}: (empty)"));
            continue;
        }
        page.paragraph(&format!("Answer to {name}:"));
        let shown: String = sample.text.chars().take(MOST).collect();
        page.block(&wrapped(&shown));
        let more = sample.text.chars().count().saturating_sub(MOST);
        if more > 0 {
            let verb = if more == 1 { "is" } else { "are" };
            page.paragraph(&format!(
                "{} more {verb} in the stream.",
                things(more as u64, "character")
            ));
        }
    }
}

/// The lines of `text`, broken between words where they are too long to be read.
fn wrapped(text: &str) -> Vec<String> {
    text.lines().flat_map(wrap).collect()
}

fn wrap(line: &str) -> Vec<String> {
    let (mut out, mut current, mut width) = (Vec::new(), String::new(), 0);
    for word in line.split_inclusive(' ') {
        let long: usize = word.trim_end().chars().map(of).sum();
        if width > 0 && width + long > WIDTH {
            out.push(std::mem::take(&mut current));
            width = 0;
        }
        for c in word.chars() {
            // A word that is longer than a line is broken anywhere.
            if width + of(c) > WIDTH && c != ' ' {
                out.push(std::mem::take(&mut current));
                width = 0;
            }
            current.push(c);
            width += of(c);
        }
    }
    out.push(current);
    out
}

fn of(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::{WIDTH, wrapped};

    #[test]
    fn words_stay_whole_where_they_fit() {
        let text = format!("{} two\n\nnext", "x".repeat(WIDTH));
        assert_eq!(
            wrapped(&text),
            [format!("{} ", "x".repeat(WIDTH)), "two".into(), String::new(), "next".into()]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(text in "([a-z模 ]{0,200}\n){0,3}[a-z ]{0,300}") {
            let lines = wrapped(&text);
            prop_assert_eq!(lines.concat(), text.replace('\n', ""));
            prop_assert!(lines.iter().all(|line| line.trim_end().width() <= WIDTH));
        }
    }
}
