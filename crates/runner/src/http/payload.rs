//! What is sent.

use std::io::{self, Read};

/// A request as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The method.
    pub method: String,
    /// The path at the server.
    pub path: String,
    /// The type that the body says to be of.
    pub content_type: String,
    /// The body; nothing is sent where the method has none.
    pub payload: Payload,
}

/// A body: bytes, and between them as much filler as it takes to make it large without
/// holding it in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    head: Vec<u8>,
    filler: Option<(&'static [u8], u64)>,
    tail: Vec<u8>,
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload { head: bytes, ..Payload::default() }
    }
}

impl Payload {
    /// `head` and `tail` with as many bytes of `pattern`, over and over, between them as
    /// make `size` bytes.
    ///
    /// # Errors
    ///
    /// When there is more than that already.
    pub fn filled(
        head: Vec<u8>,
        pattern: &'static [u8],
        tail: Vec<u8>,
        size: u64,
    ) -> Result<Payload, String> {
        let least = (head.len() + tail.len()) as u64;
        match size.checked_sub(least) {
            Some(fill) => Ok(Payload { head, filler: Some((pattern, fill)), tail }),
            None => Err(format!("body_bytes is {size}, and the body has {least} without filler")),
        }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.filler.map_or(0, |(_, n)| n)
    }

    /// Whether it was made large: then what is of interest is whether it is refused.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filler.is_some()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `text` stands in it, filler aside.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let within = |bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        within(&self.head) || within(&self.tail)
    }

    /// What stands in it, filler aside.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.tail].concat()
    }

    /// Its bytes, one after another.
    pub fn reader(&self) -> impl Read + '_ {
        let (pattern, n) = self.filler.unwrap_or_default();
        self.head.as_slice().chain(Filler { pattern, at: 0 }.take(n)).chain(self.tail.as_slice())
    }
}

/// A pattern without end.
struct Filler {
    pattern: &'static [u8],
    at: usize,
}

impl Read for Filler {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() && !self.pattern.is_empty() {
            let n = (self.pattern.len() - self.at).min(buffer.len() - done);
            buffer[done..done + n].copy_from_slice(&self.pattern[self.at..self.at + n]);
            self.at = (self.at + n) % self.pattern.len();
            done += n;
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::Payload;

    fn bytes(payload: &Payload) -> Vec<u8> {
        let mut bytes = Vec::new();
        payload.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn filler_makes_a_body_of_exactly_the_size() {
        let payload = Payload::filled(b"<".to_vec(), b"abc", b">".to_vec(), 9).unwrap();
        assert_eq!(bytes(&payload), b"<abcabca>");
        let error = Payload::filled(b"<<".to_vec(), b"a", b">".to_vec(), 2).unwrap_err();
        assert_eq!(error, "body_bytes is 2, and the body has 3 without filler");
    }

    #[test]
    fn what_is_in_it_is_found_and_filler_is_not() {
        let payload = Payload::filled(b"a</s>".to_vec(), b"x", b"b".to_vec(), 20).unwrap();
        assert!(payload.contains("</s>") && !payload.contains("xx") && !payload.contains("ab"));
    }

    proptest! {
        #[test]
        fn its_length_is_that_of_its_bytes(head in ".{0,9}", fill in 0u64..9000, tail in ".{0,9}") {
            let size = (head.len() + tail.len()) as u64 + fill;
            let payload = Payload::filled(head.into(), b"hello ", tail.into(), size).unwrap();
            prop_assert_eq!(payload.len(), size);
            prop_assert_eq!(bytes(&payload).len() as u64, size);
        }
    }
}
