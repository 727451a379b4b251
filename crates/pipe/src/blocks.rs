//! Reading on all cores: one thread reads, others tell lines apart and scan the
//! samples, and the caller gets their work in the order of the input.

use std::{
    io,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
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
    lines: Vec<(Range<u32>, Scanned)>,
    /// The values of all samples.
    values: Vec<f64>,
    origins: Vec<Arc<Origin>>,
}

/// A block to be scanned, and where the outcome is awaited.
type Job = (Vec<u8>, SyncSender<Scan>);

/// Lines that lie behind one another in the input.
pub struct Block {
    scan: Scan,
    file: Arc<str>,
    input: usize,
    first_line: u64,
}

/// A line that is JSON.
pub struct Line<'a> {
    /// Its bytes, without the newline.
    pub raw: &'a [u8],
    /// Where they lie in [`Block::bytes`].
    pub range: Range<usize>,
    /// What it is.
    pub what: What<'a>,
    /// Which of the inputs it comes from, from 0.
    pub input: usize,
    file: &'a Arc<str>,
    number: u64,
}

/// What a line is.
pub enum What<'a> {
    /// A sample, the values that it is among, and whose it is.
    Sample(&'a Row, &'a [f64], &'a Arc<Origin>),
    /// A sample that cannot be read, and why.
    BadSample(&'a Malformed),
    /// Anything else.
    Other(&'a LineKind),
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
        thread::spawn(move || read_all(inputs, &jobs, &sender));
        Ok(BlockReader { blocks, peeked: None, names, input: 0, lines: 0 })
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
    /// All bytes of its lines.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.scan.bytes
    }

    /// Its lines that are JSON, in order. Text goes to standard error, what cannot be
    /// read to `faults`; blank lines are nothing. Records that are newer than we are,
    /// or unknown, come with their kind, after one warning each.
    pub fn each_line<E>(
        &self,
        faults: &mut Faults,
        mut take: impl FnMut(Line<'_>, &mut Faults) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, (range, scanned)) in (self.first_line..).zip(&self.scan.lines) {
            // Positions in a block, which is far smaller than 4 GiB.
            let range = range.start as usize..range.end as usize;
            let raw = &self.scan.bytes[range.clone()];
            let place = || Place { file: Arc::clone(&self.file), line: number };
            let what = match scanned {
                Scanned::Sample(row) => {
                    What::Sample(row, &self.scan.values, &self.scan.origins[row.origin])
                }
                Scanned::Other(_, Some(why)) => What::BadSample(why),
                Scanned::Other(LineKind::Blank, _) => continue,
                Scanned::Other(LineKind::Text, _) => {
                    faults.text(raw);
                    continue;
                }
                Scanned::Other(LineKind::Broken(why), _) => {
                    let ended = raw.is_empty() || range.end < self.scan.bytes.len();
                    let cut = if ended { "" } else { "the last line is cut off: " };
                    faults.malformed(&place(), &format!("{cut}{why}"));
                    continue;
                }
                Scanned::Other(kind, _) => {
                    warn_of_strangers(kind, faults);
                    What::Other(kind)
                }
            };
            let line = Line { raw, range, what, input: self.input, file: &self.file, number };
            take(line, faults)?;
        }
        Ok(())
    }
}

/// Reads all inputs and hands out their blocks. Ends when nobody wants more.
fn read_all(inputs: Vec<Input>, jobs: &SyncSender<Job>, blocks: &SyncSender<Pending>) {
    for (index, input) in inputs.into_iter().enumerate() {
        let mut assembler = Assembler::new(input, MAX_LINE);
        loop {
            let (content, job) = match assembler.next() {
                Ok(None) => break,
                Ok(Some(Piece::Lines(bytes))) => {
                    let (done, scan) = sync_channel(1);
                    (Content::Scanning(scan), Some((bytes, done)))
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
        let job = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((bytes, done)) = job else {
            return;
        };
        // Nobody may want it any more.
        let _ = done.send(scan(&mut scanner, bytes));
    }
}

fn scan(scanner: &mut Scanner, bytes: Vec<u8>) -> Scan {
    let mut lines = Vec::new();
    let mut values = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let newline = memchr::memchr(b'\n', &bytes[start..]);
        let end = newline.map_or(bytes.len(), |newline| start + newline);
        let line = &bytes[start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let scanned =
            if line.len() > MAX_LINE { too_long(line.len() as u64) } else { scanner.scan(line, &mut values) };
        // A block is little more than the longest line.
        lines.push((start as u32..(start + line.len()) as u32, scanned));
        start = end + 1;
    }
    Scan { bytes, lines, values, origins: scanner.origins().to_vec() }
}

fn too_long(length: u64) -> Scanned {
    let why = format!("a line of {length} bytes is refused: the limit is {MAX_LINE}");
    Scanned::Other(LineKind::Broken(why), None)
}
