//! Blocks of whole lines out of a stream of bytes.

use std::io;

/// Bytes asked of the system at a time, at least.
const READ: usize = 256 << 10;
/// Room for the piece of a line that comes before them.
const BEFORE: usize = 16 << 10;

/// Where bytes come from.
pub(crate) trait Source {
    /// Adds to `block` what is there, but not more than it has room for; waits where there is
    /// nothing yet. How many bytes these are: none at the end.
    ///
    /// # Errors
    ///
    /// When reading fails, for another reason than an interruption.
    fn append_to(&mut self, block: &mut Vec<u8>) -> io::Result<usize>;
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Whole lines with their ends; the last one of all may have none.
    Lines(Vec<u8>),
    /// A line of that many bytes, which is beyond the limit; they are gone.
    TooLong(u64),
}

/// Takes a reader apart into blocks of whole lines: what one read gave, less the piece
/// of a line at its end, which begins the next one.
pub(crate) struct Assembler<R> {
    inner: R,
    /// The start of a line whose end is still to come.
    rest: Vec<u8>,
    /// Bytes of a line beyond the limit, of which the end is still to come.
    skipped: u64,
    max: usize,
    /// Comes before anything that is read.
    next: Option<Piece>,
}

impl<R: Source> Assembler<R> {
    /// Blocks of `inner`. A line of more than `max` bytes is given up as soon as that
    /// shows.
    pub(crate) fn new(inner: R, max: usize) -> Self {
        Assembler { inner, rest: Vec::new(), skipped: 0, max, next: None }
    }

    /// The next piece, or `None` at the end. `block` is empty memory to put it in.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub(crate) fn next(&mut self, mut block: Vec<u8>) -> io::Result<Option<Piece>> {
        if let Some(piece) = self.next.take() {
            return Ok(Some(piece));
        }
        block.append(&mut self.rest);
        loop {
            let known = block.len();
            if block.capacity() - known < READ {
                block.reserve_exact(READ + BEFORE);
            }
            let count = self.inner.append_to(&mut block)?;
            if count == 0 {
                return Ok(self.last(block));
            }
            match memchr::memrchr(b'\n', &block[known..]) {
                Some(newline) => {
                    self.rest.extend(block.drain(known + newline + 1..));
                    return Ok(Some(self.after_skipped(block)));
                }
                None if block.len() > self.max => {
                    self.skipped += block.len() as u64;
                    // Such a line must not keep its memory for the rest of the run.
                    block = Vec::new();
                }
                None => {}
            }
        }
    }

    fn last(&mut self, block: Vec<u8>) -> Option<Piece> {
        match std::mem::take(&mut self.skipped) {
            0 if block.is_empty() => None,
            0 => Some(Piece::Lines(block)),
            skipped => Some(Piece::TooLong(skipped + block.len() as u64)),
        }
    }

    /// `block`, which holds a newline, without what belongs to the line that was given up.
    fn after_skipped(&mut self, mut block: Vec<u8>) -> Piece {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped == 0 {
            return Piece::Lines(block);
        }
        let end = memchr::memchr(b'\n', &block).unwrap_or(block.len());
        let lines = block.split_off((end + 1).min(block.len()));
        self.next = Some(Piece::Lines(lines)).filter(|piece| *piece != Piece::Lines(Vec::new()));
        Piece::TooLong(skipped + end as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::{Assembler, Piece, Source};

    /// Gives at most so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Source for Slow<'_> {
        fn append_to(&mut self, block: &mut Vec<u8>) -> io::Result<usize> {
            let (some, rest) = self.0.split_at(self.1.min(self.0.len()));
            assert!(block.capacity() - block.len() >= some.len());
            block.extend_from_slice(some);
            self.0 = rest;
            Ok(some.len())
        }
    }

    fn pieces(bytes: &[u8], max: usize, chunk: usize) -> Vec<Piece> {
        let mut assembler = Assembler::new(Slow(bytes, chunk), max);
        std::iter::from_fn(|| assembler.next(Vec::new()).unwrap()).collect()
    }

    #[test]
    fn a_line_beyond_the_limit_is_given_up_and_the_next_ones_are_read() {
        let text = [&b"{}\n"[..], &[b'x'; 50], b"\n{}\nrest"].concat();
        assert_eq!(
            pieces(&text, 20, 10),
            [
                Piece::Lines(b"{}\n".to_vec()),
                Piece::TooLong(50),
                Piece::Lines(b"{}\n".to_vec()),
                Piece::Lines(b"rest".to_vec())
            ]
        );
        assert_eq!(pieces(&[b'x'; 50], 20, 10), [Piece::TooLong(50)]);
        assert_eq!(pieces(b"", 20, 10), []);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_bytes_cut_behind_newlines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..200),
            chunk in 1usize..40,
        ) {
            let pieces = pieces(&bytes, 1000, chunk);
            let mut all = Vec::new();
            for (index, piece) in pieces.iter().enumerate() {
                let Piece::Lines(lines) = piece else { panic!("{piece:?}") };
                prop_assert!(lines.ends_with(b"\n") || index + 1 == pieces.len());
                prop_assert!(!lines.is_empty());
                all.extend_from_slice(lines);
            }
            prop_assert_eq!(all, bytes);
        }
    }
}
