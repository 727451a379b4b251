//! Server-sent events (WHATWG HTML, "Parsing an event stream").

use std::time::Instant;

/// The data of one event, and when its last byte came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// When it was complete.
    pub at: Instant,
    /// Its data lines, joined by newlines.
    pub data: &'a str,
}

/// The events of a stream, in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    text: String,
    /// Where each event ends in the text, and when it was complete.
    ends: Vec<(usize, Instant)>,
}

impl Events {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, (end, at))| {
            let data = self.text.get(start..*end).unwrap_or_default();
            Event { at: *at, data }
        })
    }
}

#[cfg(test)]
impl<'a> FromIterator<Event<'a>> for Events {
    fn from_iter<I: IntoIterator<Item = Event<'a>>>(all: I) -> Events {
        let mut events = Events::default();
        for event in all {
            events.text.push_str(event.data);
            events.ends.push((events.text.len(), event.at));
        }
        events
    }
}

/// Takes a stream of bytes apart into events.
#[derive(Debug, Default)]
pub struct SseReader {
    /// The events so far; behind the last one the data of the one that is open.
    events: Events,
    /// Whether there is one that is open.
    open: bool,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    after_cr: bool,
}

impl SseReader {
    /// Reads on: events that `bytes` complete came `at` that moment.
    ///
    /// Comments (servers send them to keep a connection alive) and fields other
    /// than `data` are passed over.
    pub fn feed(&mut self, mut bytes: &[u8], at: Instant) {
        while let Some(first) = bytes.first() {
            // "\r\n" is one end of a line.
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.line.extend_from_slice(bytes);
                return;
            };
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.end_of_line(&bytes[..end], at);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.end_of_line(&line, at);
                line.clear();
                self.line = line;
            }
            bytes = &bytes[end + 1..];
        }
    }

    fn end_of_line(&mut self, line: &[u8], at: Instant) {
        if line.is_empty() {
            if std::mem::take(&mut self.open) {
                self.events.ends.push((self.events.text.len(), at));
            }
            return;
        }
        let value = match line.strip_prefix(b"data") {
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            Some([]) => &[],
            _ => return,
        };
        if std::mem::replace(&mut self.open, true) {
            self.events.text.push('\n');
        }
        self.events.text.push_str(&String::from_utf8_lossy(value));
    }

    /// The events that came. One that is not ended by a blank line is none.
    #[must_use]
    pub fn events(self) -> Events {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::SseReader;

    fn data(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = SseReader::default();
        for piece in pieces {
            reader.feed(piece, Instant::now());
        }
        reader.events().iter().map(|event| event.data.to_owned()).collect()
    }

    #[test]
    fn data_lines_are_joined_and_comments_and_other_fields_are_nothing() {
        assert_eq!(
            data(&[
                b": keepalive 1/3\n\nevent: x\ndata: {\"a\":\ndata:1}\nid: 7\n\ndata: [DONE]\n\n"
            ]),
            ["{\"a\":\n1}", "[DONE]"]
        );
    }

    #[test]
    fn a_field_without_a_colon_has_no_value_and_a_longer_name_is_another_field() {
        assert_eq!(data(&[b"data\n\ndata:\n\ndata:  b\n\ndatab: c\n\n"]), ["", "", " b"]);
    }

    #[test]
    fn an_event_that_is_not_ended_by_a_blank_line_is_none() {
        assert_eq!(data(&[b"data: a\n\ndata: b\n"]), ["a"]);
    }

    #[test]
    fn all_three_ends_of_a_line_are_known() {
        assert_eq!(data(&[b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"]), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_makes_no_difference(cuts in proptest::collection::vec(0usize..60, 0..8)) {
            let text = "data: é1\r\n\r\n: c\ndata: 2\ndata: 3\n\ndata: 4\r\n\r\n".as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            prop_assert_eq!(data(&pieces), vec!["é1", "2\n3", "4"]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = data(&[&bytes]);
        }
    }
}
