//! A report as the summary of a job on GitHub: what needs attention at once, the rest where a
//! reader asks for it, and never more than GitHub takes.

use super::{
    Block, Page,
    markdown::{Source, end_list, write_block},
};

/// What GitHub takes of a step's summary is 1 MiB; a larger one is refused as a whole.
const LIMIT: usize = (1 << 20) - (4 << 10);

/// The parts that stand open.
const OPEN: [&str; 4] = ["Summary", "Comparison", "Regressions", "Failures and errors"];

/// `page` as Markdown with folded parts.
#[must_use]
pub fn write(page: &Page) -> String {
    let mut out = String::new();
    let mut left_out = 0;
    for part in parts(&page.blocks) {
        let text = part.text();
        if out.len() + text.len() <= LIMIT {
            out.push_str(&text);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        out.push_str(&format!(
            "{left_out} parts are left out: GitHub takes 1 MiB. `reportgen -o report.md` has them.\n"
        ));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A heading with what stands under it.
struct Part<'a> {
    title: Option<&'a str>,
    folded: bool,
    blocks: &'a [Block],
}

/// The parts of a report: each heading begins one, but for those in a part that is folded.
fn parts(blocks: &[Block]) -> Vec<Part<'_>> {
    // The headings of a report on several runs are one deeper.
    let chapters =
        |block: &&Block| matches!(block, Block::Heading(2, title) if title.starts_with("Report: "));
    let deepest = if blocks.iter().any(|block| chapters(&block)) { 3 } else { 2 };
    let mut parts = vec![Part { title: None, folded: false, blocks: &blocks[..0] }];
    let (mut from, mut open) = (0, true);
    for at in 0..=blocks.len() {
        let heading = match blocks.get(at) {
            Some(Block::Heading(level, title)) if *level <= deepest || open => Some((level, title)),
            Some(_) => continue,
            None => None,
        };
        if let Some(part) = parts.last_mut() {
            part.blocks = &blocks[from..at];
        }
        let Some((level, title)) = heading else { break };
        if *level <= deepest {
            open = *level < deepest || OPEN.contains(&title.as_str());
        }
        parts.push(Part { title: Some(title), folded: !open, blocks: &blocks[at..] });
        from = at;
    }
    parts
}

impl Part<'_> {
    fn text(&self) -> String {
        let mut out = String::new();
        let blocks = match self.title {
            Some(title) if self.folded => {
                out.push_str(&format!("<details><summary>{title}</summary>\n\n"));
                &self.blocks[1..]
            }
            _ => self.blocks,
        };
        blocks.iter().for_each(|block| write_block(&mut out, block, Source::Short));
        end_list(&mut out);
        if self.folded {
            out.push_str("</details>\n\n");
        }
        out
    }
}
