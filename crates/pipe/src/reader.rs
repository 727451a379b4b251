//! Lines that know where they stand and what they are.

use std::{fmt, sync::Arc};

use records::{LineKind, Malformed};
use serde::de::DeserializeOwned;

use crate::{Error, Faults, Input, Lines, RawLine};

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or `standard input`.
    pub file: Arc<str>,
    /// The number of the line, from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A line that is JSON.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Its bytes, without the newline.
    pub raw: &'a [u8],
    /// What it is.
    pub kind: LineKind,
    /// Where it stands.
    pub place: Place,
    /// Which of the inputs it comes from, from 0.
    pub input: usize,
}

impl Incoming<'_> {
    /// Reads the line as a `T`.
    ///
    /// # Errors
    ///
    /// When it lacks a field that a `T` must have, or has one of another type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        records::parse(self.raw)
    }
}

/// Reads inputs one after the other.
pub struct Reader {
    waiting: std::vec::IntoIter<Input>,
    current: Option<(Arc<str>, Lines<Input>)>,
    index: usize,
    glances: bool,
}

impl Reader {
    /// Opens every one of `paths` (`-` is standard input) before the first is read,
    /// so that a missing file is known at once. No path at all is standard input.
    ///
    /// # Errors
    ///
    /// [`Error::NoInput`] for the first that cannot be opened.
    pub fn open(paths: &[String]) -> Result<Reader, Error> {
        Ok(Reader {
            waiting: open_all(paths)?.into_iter(),
            current: None,
            index: 0,
            glances: false,
        })
    }

    /// Tells lines apart by their first bytes, where they look as our programs write them:
    /// for those who read each line that they need as a whole and only count samples.
    #[must_use]
    pub fn at_a_glance(mut self) -> Reader {
        self.glances = true;
        self
    }

    /// The next line that is JSON, or `None` at the end of the last input.
    ///
    /// Text goes to standard error, what cannot be read to `faults`; blank lines
    /// are nothing. Records that are newer than we are, or unknown, come with
    /// their kind, after one warning each.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub fn next(&mut self, faults: &mut Faults) -> Result<Option<Incoming<'_>>, Error> {
        // The borrow of the line that is returned must not reach into the next turn
        // of the loop, so its kind is decided first and it is lent out at the end.
        let (number, kind) = loop {
            if self.current.is_none() {
                let Some(input) = self.waiting.next() else {
                    return Ok(None);
                };
                self.current = Some((Arc::from(input.name()), Lines::new(input)));
            }
            let Some((file, lines)) = &mut self.current else {
                continue;
            };
            let next_number = lines.number() + 1;
            let line = lines
                .next_line()
                .map_err(|source| Error::Read { place: format!("{file}:{next_number}"), source })?;
            let place = |number| Place { file: Arc::clone(file), line: number };
            match line {
                None => {
                    self.current = None;
                    self.index += 1;
                }
                Some(RawLine::TooLong { number, length }) => faults.malformed(
                    &place(number),
                    &format!(
                        "a line of {length} bytes is refused: the limit is {}",
                        crate::MAX_LINE
                    ),
                ),
                Some(RawLine::Whole { number, bytes, ended }) => match kind_of(bytes, self.glances)
                {
                    LineKind::Blank => {}
                    LineKind::Text => faults.text(bytes),
                    LineKind::Broken(why) if ended => faults.malformed(&place(number), &why),
                    LineKind::Broken(why) => {
                        faults
                            .malformed(&place(number), &format!("the last line is cut off: {why}"));
                    }
                    kind => {
                        warn_of_strangers(&kind, faults);
                        break (number, kind);
                    }
                },
            }
        };
        let index = self.index;
        Ok(self.current.as_ref().map(|(file, lines)| Incoming {
            raw: lines.last(),
            kind,
            place: Place { file: Arc::clone(file), line: number },
            input: index,
        }))
    }

    /// Whether the next line would have to be waited for. A writer flushes then, so
    /// that a live stream is never held back and a file is written in large pieces.
    #[must_use]
    pub fn would_wait(&self) -> bool {
        self.current.as_ref().is_none_or(|(_, lines)| lines.get_ref().would_wait())
    }
}

fn kind_of(line: &[u8], at_a_glance: bool) -> LineKind {
    let glance = if at_a_glance { records::kind_at_a_glance(line) } else { None };
    glance.map_or_else(|| records::classify(line), LineKind::Ours)
}

/// Opens every one of `paths`, and standard input when there is none.
pub(crate) fn open_all(paths: &[String]) -> Result<Vec<Input>, Error> {
    let standard_input = ["-".to_owned()];
    let paths = if paths.is_empty() { &standard_input[..] } else { paths };
    if paths.iter().any(|path| path == "-") {
        crate::ignore_interrupt_when_piped();
    }
    paths.iter().map(|path| Input::open(path)).collect()
}

pub(crate) fn warn_of_strangers(kind: &LineKind, faults: &mut Faults) {
    match kind {
        LineKind::Newer { record, v } => faults.warn_once(&format!(
            "record {record:?} has version {v}, this program knows {}: passed on unread",
            records::VERSION
        )),
        LineKind::UnknownRecord(record) => {
            faults.warn_once(&format!("record {record:?} is unknown: passed on unread"));
        }
        _ => {}
    }
}
