//! Lines of bounded length out of a stream of bytes.

use std::io::{self, BufRead, ErrorKind};

/// The longest line that is read, in bytes. Longer ones are skipped and named, at no
/// cost in memory. Our own longest lines are some kilobytes.
pub const MAX_LINE: usize = 16 << 20;

/// Takes a reader apart into lines.
pub struct Lines<R> {
    inner: R,
    number: u64,
    line: Vec<u8>,
    max: usize,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum RawLine<'a> {
    /// A line without its end.
    Whole {
        /// Counts from 1.
        number: u64,
        /// Its bytes.
        bytes: &'a [u8],
        /// Whether it was ended by a newline. The last one may not be.
        ended: bool,
    },
    /// A line beyond the limit; its bytes are gone.
    TooLong {
        /// Counts from 1.
        number: u64,
        /// Its length in bytes.
        length: u64,
    },
}

impl<R: BufRead> Lines<R> {
    /// Lines of `inner`, none longer than [`MAX_LINE`].
    pub fn new(inner: R) -> Self {
        Lines::with_limit(inner, MAX_LINE)
    }

    /// Lines of `inner`, none longer than `max` bytes.
    pub fn with_limit(inner: R, max: usize) -> Self {
        Lines { inner, number: 0, line: Vec::new(), max }
    }

    /// The number of the last line returned; 0 before the first.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    ///
    /// When reading fails, for another reason than an interruption.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line.clear();
        // A single huge line must not keep its memory for the rest of the run.
        self.line.shrink_to(64 << 10);
        let mut skipped = 0u64;
        let ended = loop {
            let available = match self.inner.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                if self.line.is_empty() && skipped == 0 {
                    return Ok(None);
                }
                break false;
            }
            let newline = memchr::memchr(b'\n', available);
            let part = &available[..newline.unwrap_or(available.len())];
            if skipped == 0 && self.line.len() + part.len() <= self.max {
                self.line.extend_from_slice(part);
            } else {
                skipped += (self.line.len() + part.len()) as u64;
                self.line.clear();
            }
            let used = part.len() + usize::from(newline.is_some());
            self.inner.consume(used);
            if newline.is_some() {
                break true;
            }
        };
        self.number += 1;
        if skipped > 0 {
            return Ok(Some(RawLine::TooLong { number: self.number, length: skipped }));
        }
        Ok(Some(RawLine::Whole { number: self.number, bytes: self.last(), ended }))
    }

    /// The bytes of the line that was returned last.
    pub fn last(&self) -> &[u8] {
        self.line.strip_suffix(b"\r").unwrap_or(&self.line)
    }

    /// The reader itself.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use proptest::prelude::*;

    use super::{Lines, RawLine};

    fn whole(text: &[u8], max: usize, chunk: usize) -> Vec<(u64, Option<Vec<u8>>, bool)> {
        let mut lines = Lines::with_limit(BufReader::with_capacity(chunk, text), max);
        let mut out = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            out.push(match line {
                RawLine::Whole { number, bytes, ended } => (number, Some(bytes.to_vec()), ended),
                RawLine::TooLong { number, .. } => (number, None, true),
            });
        }
        out
    }

    #[test]
    fn a_last_line_without_newline_says_so_and_empty_lines_count() {
        assert_eq!(
            whole(b"a\r\n\nlast", 10, 3),
            vec![
                (1, Some(b"a".to_vec()), true),
                (2, Some(vec![]), true),
                (3, Some(b"last".to_vec()), false)
            ]
        );
        assert_eq!(whole(b"", 10, 3), vec![]);
    }

    #[test]
    fn a_line_of_64_mib_is_refused_without_taking_the_memory() {
        let huge = std::io::repeat(b'x').take(64 << 20).chain(&b"\n{}\n"[..]);
        let mut lines = Lines::new(BufReader::new(huge));
        assert_eq!(
            lines.next_line().unwrap(),
            Some(RawLine::TooLong { number: 1, length: 64 << 20 })
        );
        assert!(lines.line.capacity() <= 2 * super::MAX_LINE);
        assert_eq!(
            lines.next_line().unwrap(),
            Some(RawLine::Whole { number: 2, bytes: b"{}", ended: true })
        );
        assert!(lines.line.capacity() <= 64 << 10);
    }

    proptest! {
        #[test]
        fn lines_are_those_of_split_whatever_the_buffer(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..200),
            chunk in 1usize..40,
        ) {
            let got: Vec<Vec<u8>> = whole(&bytes, 1000, chunk).into_iter().map(|l| l.1.unwrap()).collect();
            let mut want: Vec<Vec<u8>> = bytes
                .split(|b| *b == b'\n')
                .map(|l| l.strip_suffix(b"\r").unwrap_or(l).to_vec())
                .collect();
            if bytes.is_empty() || bytes.ends_with(b"\n") {
                want.pop();
            }
            prop_assert_eq!(got, want);
        }
    }
}
