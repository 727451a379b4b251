//! Tells the JSON lines of a command's output from its text.
//!
//! Bytes come in pieces of any size and leave as they came: lines that begin like
//! a JSON object only whole, everything else as soon as it is known not to.

use memchr::{memchr, memchr_iter, memrchr};

/// Bytes asked of the system at a time.
const CHUNK: usize = 128 << 10;

/// Holds what was read and has not gone out.
pub struct Splitter {
    buffer: Vec<u8>,
    /// The part of `buffer` that goes out next or is a line's beginning.
    start: usize,
    end: usize,
    /// The beginning of the current line went out as text: so does its rest.
    inside_text: bool,
    /// A line of JSON was too long and goes out as text.
    refused: bool,
    /// Where lines are gathered when a piece has both kinds.
    json: Vec<u8>,
    text: Vec<u8>,
}

/// What can go out now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Whole lines, each a JSON object by its beginning.
    pub json: &'a [u8],
    /// The other lines, and beginnings of lines.
    pub text: &'a [u8],
}

/// What the beginning of a line makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Json,
    Text,
    /// Too short to tell.
    Unclear,
}

impl Splitter {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Splitter {
        Splitter {
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            inside_text: false,
            refused: false,
            json: Vec::new(),
            text: Vec::new(),
        }
    }

    /// Where to put the bytes that are read next; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes the first `read` bytes of [`Splitter::space`]; what can go out.
    pub fn filled(&mut self, read: usize) -> Parts<'_> {
        let new = self.end..self.end + read;
        self.end = new.end;
        // What was kept has no newline: only what is new need be searched.
        let whole = memrchr(b'\n', &self.buffer[new.clone()]).map(|at| new.start + at + 1);
        let lines = self.start..whole.unwrap_or(self.start);
        let continues = self.inside_text;
        if whole.is_some() {
            self.inside_text = false;
        }

        // The line that is not whole yet: text need not wait for its end, and a
        // line that no reader takes for its length is not worth the memory.
        let rest = &self.buffer[lines.end..self.end];
        let is_text = begins(rest) == Begins::Text;
        self.refused |= !self.inside_text && !is_text && rest.len() > pipe::MAX_LINE;
        self.inside_text |= is_text || rest.len() > pipe::MAX_LINE;
        let out = if self.inside_text { lines.start..self.end } else { lines };
        self.start = out.end;
        self.part(out, continues)
    }

    /// Whether a line of JSON was too long since this was last asked.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// What is left when nothing comes any more. A cut line of JSON is given its
    /// newline, lest the next line be glued to it.
    pub fn end(&mut self) -> Parts<'_> {
        let rest = self.start..self.end;
        self.start = self.end;
        if !self.inside_text && begins(&self.buffer[rest.clone()]) == Begins::Json {
            self.json.clear();
            self.json.extend_from_slice(&self.buffer[rest]);
            self.json.push(b'\n');
            Parts { json: &self.json, text: &[] }
        } else {
            Parts { json: &[], text: &self.buffer[rest] }
        }
    }

    /// Parts lines, of which the last may lack its end.
    fn part(&mut self, bytes: std::ops::Range<usize>, continues_text: bool) -> Parts<'_> {
        let bytes = &self.buffer[bytes];
        let is_json = |line: &[u8], first: bool| {
            !(first && continues_text) && line.ends_with(b"\n") && begins(line) == Begins::Json
        };
        // Nearly always there is only one kind, which then need not be copied.
        if !continues_text && all_plain_json(bytes) {
            return Parts { json: bytes, text: &[] };
        }
        let Some(text_at) = find_line(bytes, |line, first| !is_json(line, first)) else {
            return Parts { json: bytes, text: &[] };
        };
        if text_at == 0 && find_line(bytes, is_json).is_none() {
            return Parts { json: &[], text: bytes };
        }
        self.json.clear();
        self.text.clear();
        each_line(bytes, |line, first| {
            let part = if is_json(line, first) { &mut self.json } else { &mut self.text };
            part.extend_from_slice(line);
            true
        });
        Parts { json: &self.json, text: &self.text }
    }
}

impl Default for Splitter {
    fn default() -> Splitter {
        Splitter::new()
    }
}

/// A cheap test on every line of a command that may print a lot: an object opens
/// with a brace and then a name or its end. What is inside is for the readers.
fn begins(line: &[u8]) -> Begins {
    let mut significant = line.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    match (significant.next(), significant.next()) {
        (None, _) | (Some(b'{'), None) => Begins::Unclear,
        (Some(b'{'), Some(b'"' | b'}')) => Begins::Json,
        _ => Begins::Text,
    }
}

/// Whether `bytes` are whole lines that all begin with a brace and a quote, as nearly
/// every line of JSON does: what [`begins`] finds out with more care and in more time.
fn all_plain_json(bytes: &[u8]) -> bool {
    const PLAIN: &[u8] = b"{\"";
    bytes.ends_with(b"\n")
        && bytes.starts_with(PLAIN)
        && memchr_iter(b'\n', &bytes[..bytes.len() - 1])
            .all(|newline| bytes[newline + 1..].starts_with(PLAIN))
}

/// The position of the first line that `wanted` says yes to.
fn find_line(bytes: &[u8], wanted: impl Fn(&[u8], bool) -> bool) -> Option<usize> {
    let mut at = 0;
    let mut found = None;
    each_line(bytes, |line, first| {
        if wanted(line, first) {
            found = Some(at);
        }
        at += line.len();
        found.is_none()
    });
    found
}

/// Calls `visit` with each line, its newline included, and whether it is the
/// first, until it says no.
fn each_line(bytes: &[u8], mut visit: impl FnMut(&[u8], bool) -> bool) {
    let mut at = 0;
    while at < bytes.len() {
        let length = memchr(b'\n', &bytes[at..]).map_or(bytes.len() - at, |newline| newline + 1);
        if !visit(&bytes[at..at + length], at == 0) {
            return;
        }
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Splitter, begins};

    /// Feeds `input` in pieces; the JSON and the text that came out, and whether
    /// JSON only ever came out in whole lines.
    fn feed(input: &[u8], mut sizes: impl Iterator<Item = usize>) -> (Vec<u8>, Vec<u8>, bool) {
        let mut splitter = Splitter::new();
        let (mut json, mut text, mut whole) = (Vec::new(), Vec::new(), true);
        let mut rest = input;
        while !rest.is_empty() {
            let space = splitter.space();
            let size = sizes.next().unwrap_or(1).clamp(1, rest.len().min(space.len()));
            space[..size].copy_from_slice(&rest[..size]);
            rest = &rest[size..];
            let parts = splitter.filled(size);
            whole &= parts.json.is_empty() || parts.json.ends_with(b"\n");
            json.extend_from_slice(parts.json);
            text.extend_from_slice(parts.text);
        }
        let parts = splitter.end();
        json.extend_from_slice(parts.json);
        text.extend_from_slice(parts.text);
        (json, text, whole)
    }

    fn oracle(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut json, mut text) = (Vec::new(), Vec::new());
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if begins(line) == super::Begins::Json {
                json.extend_from_slice(line);
            } else {
                text.extend_from_slice(line);
            }
        }
        if json.last().is_some_and(|last| *last != b'\n') {
            json.push(b'\n');
        }
        (json, text)
    }

    #[test]
    fn objects_are_told_from_text_that_only_begins_with_a_brace() {
        let json = "{\"a\":1}\n  { \"b\":2}\r\n{}\n";
        let text = "hello\n\n[1]\n{name} started\n{\n \"a\": 1\n}\n1\n\"x\"\n";
        let (out, err, _) = feed(format!("{json}{text}{json}").as_bytes(), std::iter::repeat(7));
        assert_eq!(String::from_utf8(out).unwrap(), format!("{json}{json}"));
        assert_eq!(String::from_utf8(err).unwrap(), text);
    }

    #[test]
    fn a_prompt_without_newline_does_not_wait() {
        let mut splitter = Splitter::new();
        splitter.space()[..8].copy_from_slice(b"{}\nOK? {");
        let parts = splitter.filled(8);
        assert_eq!((parts.json, parts.text), (&b"{}\n"[..], &b"OK? {"[..]));
        splitter.space()[..5].copy_from_slice(b"\"}\n{\"");
        let parts = splitter.filled(5);
        assert_eq!((parts.json, parts.text), (&b""[..], &b"\"}\n"[..]));
        assert_eq!(splitter.end().json, b"{\"\n");
    }

    #[test]
    fn a_line_longer_than_any_reader_takes_goes_to_the_text_in_bounded_memory() {
        let mut input = b"{\"".to_vec();
        input.resize(3 * pipe::MAX_LINE, b'x');
        input.extend_from_slice(b"\n{}\n");
        let (json, text, _) = feed(&input, std::iter::repeat(usize::MAX));
        assert_eq!(json, b"{}\n");
        assert_eq!(text.len(), 3 * pipe::MAX_LINE + 1);
    }

    proptest! {
        #[test]
        fn lines_come_out_byte_for_byte_and_whole_whatever_the_pieces(
            input in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{\"a\":1}", "{", "\n", "\n", "text", " ", "\r", "\"", "}", "é",
                ]),
                0..60,
            ),
            sizes in proptest::collection::vec(1usize..30, 1..20),
        ) {
            let input = input.concat().into_bytes();
            let (json, text, whole) = feed(&input, sizes.into_iter().cycle());
            let (wanted_json, wanted_text) = oracle(&input);
            prop_assert_eq!(json, wanted_json);
            prop_assert_eq!(text, wanted_text);
            prop_assert!(whole);
        }
    }
}
