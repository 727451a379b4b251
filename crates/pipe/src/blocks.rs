//! Reading on all cores: one thread reads, others tell lines apart and scan the
//! samples, and the caller gets their work in the order of the input.

use std::{
    io,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
};

use records::{LineKind, Malformed, Origin, Row, Scanned, Scanner};

use crate::{
    Error, Faults, Input, MAX_LINE, Place,
    assemble::{Assembler, Piece},
    reader::{open_all, warn_of_strangers},
};

/// More threads than this would wait for one another.
const MOST_SCANNERS: usize = 8;

/// Reads inputs one after the other, block by block.
pub struct BlockReader {
    blocks: Receiver<Pending>,
    spent: Spent,
    /// Asked for ahead of time.
    peeked: Option<Pending>,
    /// Names of the inputs.
    names: Vec<Arc<str>>,
    /// The input of the last block, and how many lines of it have come.
    input: usize,
    lines: u64,
}

/// A block on its way, in the order of the input.
struct Pending {
    input: usize,
    content: Content,
}

enum Content {
    /// Being scanned.
    Scanning(Receiver<Scan>),
    Scanned(Scan),
    TooLong(u64),
    Failed(io::Error),
}

/// What came of a block.
#[derive(Default)]
struct Scan {
    bytes: Vec<u8>,
    lines: Vec<(Range<u32>, Found)>,
    /// The samples among them.
    rows: Vec<Row>,
    /// The values of all samples.
    values: Vec<f64>,
    origins: Vec<Arc<Origin>>,
}

/// What a line was found to be.
enum Found {
    /// The next one of the rows.
    Sample,
    Other(LineKind, Option<Malformed>),
}

/// A block to be scanned, and where the outcome is awaited.
type Job = (Scan, SyncSender<Scan>);

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

/// Samples that follow one another, of one sampler and with the same series.
pub struct Samples<'a> {
    /// What was read of them; one at least.
    pub rows: &'a [Row],
    /// The values that theirs are among.
    pub values: &'a [f64],
    /// Whose they are.
    pub origin: &'a Arc<Origin>,
    /// Which of the inputs they come from, from 0.
    pub input: usize,
    lines: &'a [(Range<u32>, Found)],
}

impl Samples<'_> {
    /// The series that they have, as places in [`records::SERIES`], each with its values.
    pub fn columns(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = f64>)> {
        let first = self.rows.first();
        let values = first.map_or(&[][..], |row| row.own(self.values));
        let places = first.into_iter().flat_map(|row| row.places());
        let width = first.map_or(1, |row| row.present.count_ones().max(1)) as usize;
        // Those of one sample follow those of the one before.
        let values = &values[..values.len().min(width * self.rows.len())];
        places.enumerate().map(move |(rank, place)| {
            (place, values.chunks_exact(width).map(move |of_one| of_one[rank]))
        })
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

/// Blocks that were dealt with, whose memory serves the next ones.
type Spent = Arc<Mutex<Vec<Scan>>>;

impl BlockReader {
    /// Opens every one of `paths` as [`crate::Reader::open`] does, and begins to read.
    ///
    /// # Errors
    ///
    /// [`Error::NoInput`] for the first that cannot be opened.
    pub fn open(paths: &[String]) -> Result<BlockReader, Error> {
        let inputs = open_all(paths)?;
        let names = inputs.iter().map(|input| Arc::from(input.name())).collect();
        let scanners = thread::available_parallelism().map_or(1, |n| n.get().min(MOST_SCANNERS));
        // Enough that nobody waits for one who is a little late, and no more: each is
        // some hundred kilobytes.
        let (sender, blocks) = sync_channel(2 * scanners);
        let (jobs, todo) = sync_channel(scanners);
        let todo = Arc::new(Mutex::new(todo));
        for _ in 0..scanners {
            let todo = Arc::clone(&todo);
            thread::spawn(move || scan_all(&todo));
        }
        let spent = Spent::default();
        let reused = Arc::clone(&spent);
        thread::spawn(move || read_all(inputs, &jobs, &sender, &reused));
        Ok(BlockReader { blocks, spent, peeked: None, names, input: 0, lines: 0 })
    }

    /// Whether the next block would have to be waited for. A writer flushes then, so
    /// that a live stream is never held back and a file is written in large pieces.
    pub fn would_wait(&mut self) -> bool {
        if self.peeked.is_none() {
            self.peeked = self.blocks.try_recv().ok();
        }
        let Some(pending) = &mut self.peeked else {
            return true;
        };
        if let Content::Scanning(scan) = &pending.content {
            match scan.try_recv() {
                Ok(scan) => pending.content = Content::Scanned(scan),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => {}
            }
        }
        false
    }

    /// Takes back a block that was dealt with, for its memory.
    pub fn give_back(&mut self, block: Block) {
        lock(&self.spent).push(block.scan.cleared());
    }

    /// The next block, or `None` at the end of the last input.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let Some(pending) = self.peeked.take().or_else(|| self.blocks.recv().ok()) else {
            return Ok(None);
        };
        if pending.input != self.input {
            (self.input, self.lines) = (pending.input, 0);
        }
        let file = Arc::clone(&self.names[self.input]);
        let failed = |source| Error::Read { place: format!("{file}:{}", self.lines + 1), source };
        let scan = match pending.content {
            Content::Scanned(scan) => scan,
            Content::Scanning(scan) => {
                scan.recv().map_err(|_| failed(io::Error::other("a scanning thread ended")))?
            }
            Content::TooLong(length) => {
                Scan { lines: vec![(0..0, too_long(length))], ..Scan::default() }
            }
            Content::Failed(error) => return Err(failed(error)),
        };
        let first_line = self.lines + 1;
        self.lines += scan.lines.len() as u64;
        Ok(Some(Block { scan, file, input: self.input, first_line }))
    }
}

impl Block {
    /// The lines in `bytes`, for those who have bytes and no file.
    #[must_use]
    pub fn scanned(bytes: Vec<u8>, scanner: &mut Scanner) -> Block {
        let mut block = Scan { bytes, ..Scan::default() };
        scan(scanner, &mut block);
        Block { scan: block, file: Arc::from("memory"), input: 0, first_line: 1 }
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
        let first = &rows[0];
        let count = lines
            .iter()
            .zip(rows)
            .take_while(|((_, found), row)| {
                matches!(found, Found::Sample)
                    && (row.origin, row.present) == (first.origin, first.present)
            })
            .count();
        Samples {
            rows: &rows[..count],
            values: &self.scan.values,
            origin: &self.scan.origins[first.origin],
            input: self.input,
            lines: &lines[..count],
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

/// Reads all inputs and hands out their blocks. Ends when nobody wants more.
fn read_all(
    inputs: Vec<Input>,
    jobs: &SyncSender<Job>,
    blocks: &SyncSender<Pending>,
    spent: &Spent,
) {
    for (index, input) in inputs.into_iter().enumerate() {
        let mut assembler = Assembler::new(input, MAX_LINE);
        loop {
            let mut scan = lock(spent).pop().unwrap_or_default();
            let (content, job) = match assembler.next(std::mem::take(&mut scan.bytes)) {
                Ok(None) => break,
                Ok(Some(Piece::Lines(bytes))) => {
                    let (done, waiting) = sync_channel(1);
                    scan.bytes = bytes;
                    (Content::Scanning(waiting), Some((scan, done)))
                }
                Ok(Some(Piece::TooLong(length))) => (Content::TooLong(length), None),
                Err(error) => (Content::Failed(error), None),
            };
            let failed = matches!(content, Content::Failed(_));
            if blocks.send(Pending { input: index, content }).is_err() || failed {
                return;
            }
            if let Some(job) = job
                && jobs.send(job).is_err()
            {
                return;
            }
        }
    }
}

/// Scans blocks as long as there are any.
fn scan_all(todo: &Mutex<Receiver<Job>>) {
    let mut scanner = Scanner::default();
    loop {
        let job = lock(todo).recv();
        let Ok((mut block, done)) = job else {
            return;
        };
        scan(&mut scanner, &mut block);
        // Nobody may want it any more.
        let _ = done.send(block);
    }
}

fn scan(scanner: &mut Scanner, block: &mut Scan) {
    let Scan { bytes, lines, rows, values, origins } = block;
    let mut start = 0;
    while start < bytes.len() {
        let newline = memchr::memchr(b'\n', &bytes[start..]);
        let end = newline.map_or(bytes.len(), |newline| start + newline);
        let line = &bytes[start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let found = if line.len() > MAX_LINE {
            too_long(line.len() as u64)
        } else {
            match scanner.scan(line, values) {
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

fn too_long(length: u64) -> Found {
    let why = format!("a line of {length} bytes is refused: the limit is {MAX_LINE}");
    Found::Other(LineKind::Broken(why), None)
}

impl Scan {
    /// Empty, with its memory.
    fn cleared(mut self) -> Scan {
        // A single huge line must not keep its memory for the rest of the run.
        self.bytes.shrink_to(LARGEST_REUSED);
        self.bytes.clear();
        self.lines.clear();
        self.rows.clear();
        self.values.clear();
        self.origins.clear();
        self
    }
}

/// Blocks larger than this come of lines that are out of the ordinary.
const LARGEST_REUSED: usize = 1 << 20;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is whole, whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
