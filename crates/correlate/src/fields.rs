//! Fields that are set in a line, of which nothing else changes.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Fields to set, as they are written behind others.
pub(crate) struct Added {
    text: Vec<u8>,
    /// Their names, and where in the text their values are.
    fields: Vec<(&'static str, Range<usize>)>,
}

impl Added {
    /// None, with room for so many bytes of them.
    pub(crate) fn with_room(bytes: usize) -> Added {
        Added { text: Vec::with_capacity(bytes), fields: Vec::new() }
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

    fn values(&self) -> impl Iterator<Item = Option<(&'static str, &RawValue)>> {
        self.fields.iter().map(|(name, place)| {
            Some((*name, serde_json::from_slice(&self.text[place.clone()]).ok()?))
        })
    }
}

/// The object in `line` with what was added; every other field stays as it came, in its
/// place. None when there is nothing to set.
pub(crate) fn with_fields(line: &[u8], added: &Added) -> Option<Vec<u8>> {
    if added.fields.is_empty() {
        return None;
    }
    let without_nan = records::without_nan(line);
    let line = without_nan.as_deref().unwrap_or(line);
    if added.fields.iter().all(|(name, _)| is_new(line, name)) {
        return append(line, &added.text);
    }
    let mut fields: Fields<'_> = serde_json::from_slice(line).ok()?;
    for field in added.values() {
        let (name, value) = field?;
        fields.set(name, value);
    }
    serde_json::to_vec(&fields).ok()
}

/// Whether `line` surely has no field of that name: the word is nowhere in it, nor an
/// escape by which it could be spelled.
fn is_new(line: &[u8], name: &str) -> bool {
    memchr::memmem::find(line, name.as_bytes()).is_none()
        && memchr::memmem::find(line, b"\\u").is_none()
}

/// `line`, an object with fields, with `text` at its end.
fn append(line: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let fields = line.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    Some([fields, text, b"}"].concat())
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
