//! Inputs block by block, in which samples lie together and other lines by themselves.

use std::{io, ops::Range, sync::Arc};

use records::{Grid, LineKind, Malformed, Origin, Piece, Row, Scanner};

use crate::{
    Error, Faults, Place,
    ahead::{Ahead, Next},
    reader::{open_all, warn_of_strangers},
    scan::{Found, Scan},
};

/// Reads inputs one after the other, block by block, on all cores.
pub struct BlockReader {
    ahead: Ahead,
    /// Names of the inputs.
    names: Vec<Arc<str>>,
    /// The input of the last block, and how many lines of it have come.
    input: usize,
    lines: u64,
}

/// Lines that lie behind one another in the input.
pub struct Block {
    scan: Scan,
    file: Arc<str>,
    input: usize,
    first_line: u64,
}

/// What a block holds, piece by piece.
pub enum Part<'a> {
    /// Samples that follow one another.
    Samples(Samples<'a>),
    /// Any other line that is JSON.
    Line(Line<'a>),
}

/// Samples of one sampler that follow one another.
#[derive(Clone, Copy)]
pub struct Samples<'a> {
    /// What was read of them; one at least.
    pub rows: &'a [Row],
    /// Whose they are.
    pub origin: &'a Arc<Origin>,
    /// Which of the inputs they come from, from 0.
    pub input: usize,
    lines: &'a [(Range<u32>, Found)],
    grid: &'a Grid,
    /// The first one's row in the grid.
    first: usize,
}

impl<'a> Samples<'a> {
    /// The first `count` samples, and those behind them, if there are any.
    #[must_use]
    pub fn split(self, count: usize) -> (Samples<'a>, Option<Samples<'a>>) {
        let (rows, later_rows) = self.rows.split_at(count);
        let (lines, later_lines) = self.lines.split_at(count);
        let later =
            Samples { rows: later_rows, lines: later_lines, first: self.first + count, ..self };
        (Samples { rows, lines, ..self }, Some(later).filter(|later| !later.rows.is_empty()))
    }

    /// Their values, some samples at a time: few enough that one can go through them series
    /// by series and meet each value while it is still near.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'a>> {
        self.grid.pieces(self.first..self.first + self.rows.len())
    }

    /// Where their lines lie in [`Block::bytes`].
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.lines.iter().map(|(range, _)| widen(range))
    }
}

/// A line that is JSON and no sample that could be read.
pub struct Line<'a> {
    /// Its bytes, without the newline.
    pub raw: &'a [u8],
    /// Where they lie in [`Block::bytes`].
    pub range: Range<usize>,
    /// What it is.
    pub kind: &'a LineKind,
    /// Why it cannot be read as a sample, which it says it is.
    pub bad_sample: Option<&'a Malformed>,
    /// Which of the inputs it comes from, from 0.
    pub input: usize,
    file: &'a Arc<str>,
    number: u64,
}

impl Line<'_> {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { file: Arc::clone(self.file), line: self.number }
    }
}

impl BlockReader {
    /// Opens every one of `paths` as [`crate::Reader::open`] does, and begins to read.
    ///
    /// # Errors
    ///
    /// [`Error::NoInput`] for the first that cannot be opened.
    pub fn open(paths: &[String]) -> Result<BlockReader, Error> {
        let inputs = open_all(paths)?;
        let names = inputs.iter().map(|input| Arc::from(input.name())).collect();
        Ok(BlockReader { ahead: Ahead::new(inputs), names, input: 0, lines: 0 })
    }

    /// Whether the next block is not here yet. A writer flushes then, so that a live
    /// stream is never held back and a file is written in large pieces.
    #[must_use]
    pub fn would_wait(&self) -> bool {
        self.ahead.would_wait()
    }

    /// Takes back a block that was dealt with, for its memory.
    pub fn give_back(&mut self, block: Block) {
        self.ahead.give_back(block.scan);
    }

    /// The next block, or `None` at the end of the last input.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let next = self.ahead.next().map_err(|error| self.failed(error))?;
        let Some(next) = next else {
            return Ok(None);
        };
        let (Next::Block(input, _) | Next::TooLong(input, _) | Next::Failed(input, _)) = next;
        if input != self.input {
            (self.input, self.lines) = (input, 0);
        }
        let scan = match next {
            Next::Block(_, scan) => scan,
            Next::TooLong(_, length) => Scan::too_long(length),
            Next::Failed(_, error) => return Err(self.failed(error)),
        };
        let first_line = self.lines + 1;
        self.lines += scan.lines.len() as u64;
        let file = Arc::clone(&self.names[input]);
        Ok(Some(Block { scan, file, input, first_line }))
    }

    fn failed(&self, source: io::Error) -> Error {
        let file = &self.names[self.input];
        Error::Read { place: format!("{file}:{}", self.lines + 1), source }
    }
}

impl Block {
    /// The lines in `bytes`, for those who have bytes and no file.
    #[must_use]
    pub fn scanned(bytes: Vec<u8>, scanner: &mut Scanner) -> Block {
        let mut scan = Scan { bytes, ..Scan::default() };
        scan.scan(scanner);
        Block { scan, file: Arc::from("memory"), input: 0, first_line: 1 }
    }

    /// All bytes of its lines.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.scan.bytes
    }

    /// Gives what it holds that is JSON to `take`, in order. Text goes to standard error,
    /// what cannot be read to `faults`; blank lines are nothing. Records that are newer
    /// than we are, or unknown, come with their kind, after one warning each.
    ///
    /// # Errors
    ///
    /// The first that `take` returns.
    pub fn each_part<E>(
        &self,
        faults: &mut Faults,
        mut take: impl FnMut(Part<'_>, &mut Faults) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut at, mut row) = (0, 0);
        while let Some((range, found)) = self.scan.lines.get(at) {
            let count = match found {
                Found::Sample => {
                    let samples = self.samples(at, row);
                    let count = samples.rows.len();
                    row += count;
                    take(Part::Samples(samples), faults)?;
                    count
                }
                Found::Other(kind, bad_sample) => {
                    let number = self.first_line + at as u64;
                    let line = self.line(widen(range), number, kind, bad_sample.as_ref());
                    if is_record(&line, self.bytes(), faults) {
                        take(Part::Line(line), faults)?;
                    }
                    1
                }
            };
            at += count;
        }
        Ok(())
    }

    /// The samples that begin with that line and that row.
    fn samples(&self, at: usize, row: usize) -> Samples<'_> {
        let lines = &self.scan.lines[at..];
        let rows = &self.scan.rows[row..];
        let origin = rows[0].origin;
        let count = lines
            .iter()
            .zip(rows)
            .take_while(|((_, found), row)| matches!(found, Found::Sample) && row.origin == origin)
            .count();
        Samples {
            rows: &rows[..count],
            origin: &self.scan.origins[origin],
            input: self.input,
            lines: &lines[..count],
            grid: &self.scan.grid,
            first: row,
        }
    }

    fn line<'a>(
        &'a self,
        range: Range<usize>,
        number: u64,
        kind: &'a LineKind,
        bad_sample: Option<&'a Malformed>,
    ) -> Line<'a> {
        let raw = &self.scan.bytes[range.clone()];
        Line { raw, range, kind, bad_sample, input: self.input, file: &self.file, number }
    }
}

/// Whether a line is a record; says what is to be said of it.
fn is_record(line: &Line<'_>, block: &[u8], faults: &mut Faults) -> bool {
    match line.kind {
        LineKind::Blank => false,
        LineKind::Text => {
            faults.text(line.raw);
            false
        }
        LineKind::Broken(why) => {
            let ended = line.raw.is_empty() || line.range.end < block.len();
            let cut = if ended { "" } else { "the last line is cut off: " };
            faults.malformed(&line.place(), &format!("{cut}{why}"));
            false
        }
        kind => {
            warn_of_strangers(kind, faults);
            true
        }
    }
}

/// Positions in a block, which is far smaller than 4 GiB.
fn widen(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
