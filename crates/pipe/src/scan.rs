//! What a block of lines was found to hold.

use std::{ops::Range, sync::Arc};

use records::{Grid, LineKind, Malformed, Origin, Row, Scanned, Scanner};

use crate::MAX_LINE;

/// Blocks larger than this come of lines that are out of the ordinary.
const LARGEST_REUSED: usize = 1 << 19;

/// What came of a block.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: Vec<(Range<u32>, Found)>,
    /// The samples among them.
    pub(crate) rows: Vec<Row>,
    /// Their values, a row for each.
    pub(crate) grid: Grid,
    pub(crate) origins: Vec<Arc<Origin>>,
}

/// What a line was found to be.
pub(crate) enum Found {
    /// The next one of the rows.
    Sample,
    Other(LineKind, Option<Malformed>),
}

impl Scan {
    /// One in which there was but a line of that many bytes, which is beyond the limit.
    pub(crate) fn too_long(length: u64) -> Scan {
        Scan { lines: vec![(0..0, Found::too_long(length))], ..Scan::default() }
    }

    /// Finds out what its bytes are.
    pub(crate) fn scan(&mut self, scanner: &mut Scanner) {
        let Scan { bytes, lines, rows, grid, origins } = self;
        let mut start = 0;
        while start < bytes.len() {
            let newline = memchr::memchr(b'\n', &bytes[start..]);
            let end = newline.map_or(bytes.len(), |newline| start + newline);
            let line = &bytes[start..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let found = if line.len() > MAX_LINE {
                Found::too_long(line.len() as u64)
            } else {
                match scanner.scan(line, grid) {
                    Scanned::Sample(row) => {
                        rows.push(row);
                        Found::Sample
                    }
                    Scanned::Other(kind, bad_sample) => Found::Other(kind, bad_sample),
                }
            };
            // A block is little more than the longest line.
            lines.push((start as u32..(start + line.len()) as u32, found));
            start = end + 1;
        }
        origins.extend_from_slice(scanner.origins());
    }

    /// Empty, with its memory.
    pub(crate) fn cleared(mut self) -> Scan {
        // A single huge line must not keep its memory for the rest of the run, nor have the
        // next blocks be as large. What is full does not shrink.
        self.bytes.clear();
        self.bytes.shrink_to(LARGEST_REUSED);
        self.lines.clear();
        self.rows.clear();
        self.grid.clear();
        self.origins.clear();
        self
    }
}

impl Found {
    fn too_long(length: u64) -> Found {
        let why = format!("a line of {length} bytes is refused: the limit is {MAX_LINE}");
        Found::Other(LineKind::Broken(why), None)
    }
}

#[cfg(test)]
mod tests {
    use records::Scanner;

    use super::{LARGEST_REUSED, Scan};

    #[test]
    fn a_huge_line_does_not_keep_its_memory() {
        let mut scan = Scan { bytes: vec![b' '; 4 * LARGEST_REUSED], ..Scan::default() };
        scan.scan(&mut Scanner::default());
        let scan = scan.cleared();
        assert!(scan.bytes.is_empty() && scan.bytes.capacity() <= LARGEST_REUSED);
    }
}
