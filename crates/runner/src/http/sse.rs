//! Server-sent events (WHATWG HTML, "Parsing an event stream").

use std::time::Instant;

/// The data of one event, and when its last byte came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was complete.
    pub at: Instant,
    /// Its data lines, joined by newlines.
    pub data: String,
}

/// Takes a stream of bytes apart into events.
#[derive(Debug, Default)]
pub struct SseReader {
    line: Vec<u8>,
    data: Option<String>,
    after_cr: bool,
}

impl SseReader {
    /// Reads on; events that `bytes` complete are added to `events`.
    ///
    /// Comments (servers send them to keep a connection alive) and fields other
    /// than `data` are passed over.
    pub fn feed(&mut self, bytes: &[u8], at: Instant, events: &mut Vec<Event>) {
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                // "\r\n" is one end of a line.
                b'\n' if after_cr => {}
                b'\n' | b'\r' => self.end_of_line(at, events),
                _ => self.line.push(byte),
            }
        }
    }

    fn end_of_line(&mut self, at: Instant, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if let Some(data) = self.data.take() {
                events.push(Event { at, data });
            }
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        if field == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                None => self.data = Some(value.to_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
            }
        }
        self.line = line;
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::SseReader;

    fn data(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = SseReader::default();
        let mut events = Vec::new();
        for piece in pieces {
            reader.feed(piece, Instant::now(), &mut events);
        }
        events.into_iter().map(|event| event.data).collect()
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
