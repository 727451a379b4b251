//! Results of an earlier run that still stand.
//!
//! A run that was killed is continued with `--resume FILE`: whoever has a result there
//! does not run again. Results are written again, byte for byte, ahead of the new ones,
//! so that the new stream is whole by itself; when it is the same file, the new ones are
//! added to it.
//!
//! Of a batch there may be very many requests. They are not held: where they stand in the
//! file is known, and they are read there again.

use std::{
    cell::Cell,
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    rc::Rc,
    sync::Arc,
};

use pipe::{Error, Faults, Input, Lines as Reader, Place, RawLine};
use records::{ErrorInfo, Kind, LineKind, Outcome, Request, Test};
use serde::Deserialize;

/// The results of a run that this one continues.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The file that they come from, as it was given.
    pub file: String,
    /// The id of that run.
    pub run: Option<String>,
    /// Whether new results are added to that file.
    pub same_file: bool,
    results: HashMap<String, Lines>,
}

/// What was written about one case.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// Of its result; absent while there are only earlier tries.
    outcome: Option<Outcome>,
    /// Its lines as they stand, each with its newline; those of requests aside.
    bytes: Vec<u8>,
    /// Where in the file its lines are, where there are requests among them.
    requests: Option<Range<u64>>,
    /// Where the first of them begins.
    start: u64,
}

impl Lines {
    /// What is known of a case whose first line begins at `start`.
    fn at(start: u64) -> Lines {
        Lines { start, ..Lines::default() }
    }
}

/// Counts the bytes that were taken from a reader.
struct Counting<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + n as u64);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.taken.set(self.taken.get() + n as u64);
        self.inner.consume(n);
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: String,
    run: String,
    #[serde(default)]
    suite: String,
    outcome: Option<Outcome>,
    error: Option<ErrorInfo>,
}

impl Kept {
    /// Reads the results of `suite` from `file`. What cannot be read is named and passed
    /// over: the last line of a run that was killed may be half a line.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds runs of other suites only.
    pub fn read(file: &str, suite: &str) -> Result<Kept, Error> {
        let mut kept = Kept { file: file.to_owned(), ..Kept::default() };
        let taken = Rc::new(Cell::new(0));
        let mut reader =
            Reader::new(Counting { inner: Input::open(file)?, taken: Rc::clone(&taken) });
        let mut faults = Faults::new("runner");
        let name: Arc<str> = Arc::from(file);
        let place = |line| Place { file: Arc::clone(&name), line };
        let mut other = None;
        let (mut lines, mut records) = (0u64, 0u64);
        loop {
            let start = taken.get();
            let next = reader.next_line();
            let next = next.map_err(|source| Error::Read { place: file.to_owned(), source })?;
            let (number, bytes) = match next {
                None => break,
                Some(RawLine::TooLong { number, length }) => {
                    faults.malformed(&place(number), &format!("a line of {length} bytes"));
                    continue;
                }
                Some(RawLine::Whole { number, bytes, .. }) => (number, bytes),
            };
            let kind = match records::classify(bytes) {
                LineKind::Blank => continue,
                LineKind::Ours(kind) => kind,
                LineKind::Newer { record, v } => {
                    faults.warn_once(&format!(
                        "{file}: {record} of version {v} is newer than this program: passed over"
                    ));
                    records += 1;
                    continue;
                }
                strange => {
                    if let LineKind::Broken(why) = strange {
                        faults.malformed(&place(number), &why);
                    }
                    lines += 1;
                    continue;
                }
            };
            records += 1;
            if !matches!(kind, Kind::RunStart | Kind::Test | Kind::Attempt | Kind::Request) {
                continue;
            }
            let head: Head = match records::parse(bytes) {
                Ok(head) => head,
                Err(error) => {
                    faults.malformed(&place(number), &error.to_string());
                    continue;
                }
            };
            match kind {
                Kind::RunStart if head.suite == suite => kept.run = Some(head.run),
                Kind::RunStart => other = Some((place(number), head.suite)),
                _ => kept.note(kind, head, bytes, start..taken.get()),
            }
        }
        // It cannot fail when bad lines are no reason to.
        faults.finish(false)?;
        match other {
            // What comes next would be added to it, or its place is a typing error.
            None if records == 0 && lines > 0 => {
                Err(Error::Usage(format!("{file}: holds no results of a run")))
            }
            Some((Place { file, line }, name)) if kept.run.is_none() => Err(Error::Usage(format!(
                "{file}:{line}: a run of the suite {name:?} is there, and none of {suite:?}"
            ))),
            _ => Ok(kept),
        }
    }

    fn note(&mut self, kind: Kind, head: Head, raw: &[u8], at: Range<u64>) {
        let lines = self.results.entry(head.id).or_insert_with(|| Lines::at(at.start));
        // What comes after a result is of a later go, which stands.
        if lines.outcome.is_some() {
            *lines = Lines::at(at.start);
        }
        if kind == Kind::Request {
            lines.requests = Some(lines.start..at.end);
            return;
        }
        // A case that was interrupted never came to its end, though some of its requests
        // may have.
        if !is_interrupted(kind, head.error.as_ref()) {
            lines.outcome = head.outcome.filter(|_| kind == Kind::Test);
            lines.bytes.extend_from_slice(raw);
            lines.bytes.push(b'\n');
            if let Some(requests) = &mut lines.requests {
                requests.end = at.end;
            }
        }
    }

    /// Whether `id` has a result.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.outcome(id).is_some()
    }

    /// How `id` came out.
    #[must_use]
    pub fn outcome(&self, id: &str) -> Option<Outcome> {
        self.results.get(id)?.outcome
    }

    /// Hands the lines about `id` to `each`, as they stand in the file, each with its
    /// newline.
    ///
    /// # Errors
    ///
    /// When the file can no longer be read, and those of `each`.
    pub fn each_line(
        &self,
        id: &str,
        mut each: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self.results.get(id) {
            Some(Lines { requests: Some(range), .. }) => {
                let mut line = Vec::new();
                self.read_again(id, range, |_, bytes| {
                    line.clear();
                    line.extend_from_slice(bytes);
                    line.push(b'\n');
                    each(&line)
                })
            }
            Some(lines) => each(&lines.bytes),
            None => Ok(()),
        }
    }

    /// The result of `id`.
    #[must_use]
    pub fn test(&self, id: &str) -> Option<Test> {
        // The result comes after the tries.
        let lines = self.results.get(id).map_or(&[][..], |lines| &lines.bytes);
        let last = lines.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        records::parse(last).ok()
    }

    /// Hands the requests of `id` that are done to `each`.
    ///
    /// # Errors
    ///
    /// When the file can no longer be read.
    pub fn each_request(&self, id: &str, mut each: impl FnMut(&Request)) -> Result<(), Error> {
        let Some(Lines { requests: Some(range), .. }) = self.results.get(id) else {
            return Ok(());
        };
        self.read_again(id, range, |kind, bytes| {
            if kind == Kind::Request
                && let Ok(request) = records::parse(bytes)
            {
                each(&request);
            }
            Ok(())
        })
    }

    /// Hands the lines about `id` in `range` of the file to `each`.
    fn read_again(
        &self,
        id: &str,
        range: &Range<u64>,
        mut each: impl FnMut(Kind, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let path = &self.file;
        let failed = |source| Error::Read { place: path.clone(), source };
        let mut file =
            File::open(path).map_err(|source| Error::NoInput { path: path.clone(), source })?;
        file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
        let mut reader = Reader::new(BufReader::new(file.take(range.end - range.start)));
        while let Some(line) = reader.next_line().map_err(failed)? {
            let RawLine::Whole { bytes, .. } = line else { continue };
            let LineKind::Ours(kind @ (Kind::Test | Kind::Attempt | Kind::Request)) =
                records::classify(bytes)
            else {
                continue;
            };
            // What cannot be read was named when the file was read first.
            let Ok(head) = records::parse::<Head>(bytes) else { continue };
            if head.id == id && !is_interrupted(kind, head.error.as_ref()) {
                each(kind, bytes)?;
            }
        }
        Ok(())
    }

    /// How many of `ids` have a result.
    pub fn count<'a>(&self, ids: impl Iterator<Item = &'a str>) -> u64 {
        ids.filter(|id| self.has(id)).count() as u64
    }
}

fn is_interrupted(kind: Kind, error: Option<&ErrorInfo>) -> bool {
    kind == Kind::Test && error.is_some_and(|error| error.kind == "interrupted")
}

#[cfg(test)]
mod tests;
