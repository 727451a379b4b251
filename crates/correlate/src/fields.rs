//! Fields that are set in a line, of which nothing else changes.

use std::{borrow::Cow, fmt, ops::Range, sync::LazyLock};

use memchr::memmem::Finder;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A line, an object with fields, and fields to set in it.
pub(crate) struct Set<'a> {
    line: Cow<'a, [u8]>,
    /// The line without its last brace, and the fields as they are written behind others.
    text: Vec<u8>,
    /// Their names, and where in the text their values are.
    fields: Vec<(&'static str, Range<usize>)>,
}

impl<'a> Set<'a> {
    /// None yet, with room for so many bytes of them, in `memory`, whatever that held. `NaN` and
    /// the like leave as `null`.
    pub(crate) fn new(line: &'a [u8], room: usize, memory: Vec<u8>) -> Set<'a> {
        let line = records::without_nan(line).map_or(Cow::Borrowed(line), Cow::Owned);
        let fields = line.trim_ascii_end();
        let fields = fields.strip_suffix(b"}").unwrap_or(fields).trim_ascii_end();
        let mut text = memory;
        text.clear();
        text.reserve(fields.len() + room);
        text.extend_from_slice(fields);
        Set { line, text, fields: Vec::new() }
    }

    /// One more, whose value `write` writes.
    pub(crate) fn field(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.text.extend_from_slice(b",\"");
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
        let from = self.text.len();
        write(&mut self.text);
        self.fields.push((name, from..self.text.len()));
    }

    /// The line with them; every other field stays as it came, in its place. None when there
    /// is nothing to set.
    pub(crate) fn line(mut self) -> Option<Vec<u8>> {
        if self.fields.is_empty() {
            return None;
        }
        if self.are_new() {
            self.text.push(b'}');
            return Some(self.text);
        }
        let mut fields: Fields<'_> = serde_json::from_slice(&self.line).ok()?;
        for (name, place) in &self.fields {
            fields.set(name, serde_json::from_slice(&self.text[place.clone()]).ok()?);
        }
        serde_json::to_vec(&fields).ok()
    }

    /// Whether the line surely has none of those fields: the words are nowhere in it, nor an
    /// escape by which they could be spelled.
    fn are_new(&self) -> bool {
        static ESCAPE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u"));
        let has = |name: &str| memchr::memmem::find(&self.line, name.as_bytes()).is_some();
        ESCAPE.find(&self.line).is_none() && !self.fields.iter().any(|(name, _)| has(name))
    }
}

/// The fields of an object in their order, their values unread.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn set(&mut self, name: &'static str, value: &'a RawValue) {
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((Cow::Owned(key), value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
