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

/// The parts of a report: each heading that is not below another's part begins one.
fn parts(blocks: &[Block]) -> Vec<Part<'_>> {
    // Reports on several runs have each of their headings one deeper.
    let several = blocks.iter().filter(|block| matches!(block, Block::Heading(1, _))).count() == 1
        && blocks
            .iter()
            .filter(|b| matches!(b, Block::Heading(2, title) if title.starts_with("Report: ")))
            .count()
            > 1;
    let deepest = if several { 3 } else { 2 };
    let begins: Vec<usize> = (0..blocks.len())
        .filter(|at| matches!(&blocks[*at], Block::Heading(level, _) if *level <= deepest))
        .chain([blocks.len()])
        .collect();
    let first = begins[0];
    let before = Part { title: None, folded: false, blocks: &blocks[..first] };
    let rest = begins.windows(2).map(|pair| {
        let blocks = &blocks[pair[0]..pair[1]];
        match &blocks[0] {
            Block::Heading(level, title) => Part {
                title: Some(title),
                folded: *level == deepest && !OPEN.contains(&title.as_str()),
                blocks,
            },
            _ => Part { title: None, folded: false, blocks },
        }
    });
    [before].into_iter().chain(rest).collect()
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
