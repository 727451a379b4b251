//! A line that is joined: what the join must know of it, and how it leaves.

use std::{borrow::Cow, fmt};

use records::{Kind, Malformed, Origin, Outcome, Params, Resources, Test, legacy::LegacyTest};
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    analysis::{Details, Facts},
    cold::ModelKey,
    window::Window,
};

/// A test, span or attempt on its way through.
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) window: Option<Window>,
    /// The id of a test or an attempt.
    pub(crate) id: Option<String>,
    /// The phase of a span.
    pub(crate) phase: Option<String>,
    pub(crate) params: Params,
    /// The model that it ran on; none when it names none or did not run.
    pub(crate) model: Option<ModelKey>,
    /// Whether it came to its aim: a load with an error loaded nothing.
    pub(crate) reached: bool,
    body: Body,
}

enum Body {
    /// The line as it came.
    Ours(Vec<u8>),
    /// A legacy line leaves as ours.
    Legacy(Box<Test>),
}

/// What the join reads of a line of ours. The rest of it is not its business.
#[derive(Deserialize)]
struct Head {
    ts: f64,
    run: String,
    host: String,
    end_ts: Option<f64>,
    duration_s: Option<f64>,
    id: Option<String>,
    phase: Option<String>,
    params: Option<Params>,
    model: Option<ModelId>,
    outcome: Option<String>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ModelId {
    id: Option<String>,
}

impl Item {
    /// Reads a test, span or attempt of ours.
    pub(crate) fn ours(kind: Kind, line: &[u8]) -> Result<Item, Malformed> {
        // What is parsed piecemeal is not all looked at: garbage in a text would leave the
        // line unjoined in silence.
        if let Err(error) = std::str::from_utf8(line) {
            return Err(Malformed(format!("not UTF-8 at byte {}", error.valid_up_to() + 1)));
        }
        let head: Head = records::parse(line)?;
        let params = head.params.unwrap_or_default();
        let ran = head.outcome.as_deref() != Some(Outcome::Skipped.name());
        let model = params.model.clone().or_else(|| head.model.and_then(|model| model.id));
        Ok(Item {
            kind,
            origin: Origin { run: head.run, host: head.host },
            window: Window::new(head.ts, head.end_ts, head.duration_s),
            id: head.id,
            phase: head.phase,
            model: model.filter(|_| ran).map(|model| (params.backend.clone(), model)),
            params,
            reached: head.error.is_none(),
            body: Body::Ours(line.to_vec()),
        })
    }

    /// Reads a test of the reference suite; it becomes ours, of `origin`.
    pub(crate) fn legacy(line: &[u8], origin: &Origin) -> Result<Item, Malformed> {
        let test = records::parse::<LegacyTest>(line)?.upgrade(origin)?;
        let ran = test.outcome != Outcome::Skipped;
        Ok(Item {
            kind: Kind::Test,
            origin: origin.clone(),
            window: Window::new(test.ts, test.end_ts, test.duration_s),
            id: Some(test.id.clone()),
            phase: None,
            model: test.params.model.clone().filter(|_| ran).map(|model| (None, model)),
            params: test.params.clone(),
            reached: true,
            body: Body::Legacy(Box::new(test)),
        })
    }

    /// Whether it is the span of a model that was loaded.
    pub(crate) fn is_load(&self) -> bool {
        self.kind == Kind::Span && self.phase.as_deref() == Some("load") && self.reached
    }

    /// What the analysis reads of it; none without a window.
    pub(crate) fn facts<'a>(
        &'a self,
        stream: usize,
        resources: Option<&'a Resources>,
    ) -> Option<Facts<'a>> {
        Some(Facts {
            kind: self.kind,
            stream,
            id: self.id.as_deref(),
            phase: self.phase.as_deref(),
            params: &self.params,
            model: self.model.as_ref(),
            window: self.window?,
            details: match &self.body {
                Body::Ours(line) => Details::of_line(line),
                Body::Legacy(test) => Details::of_test(test),
            },
            resources,
        })
    }

    /// The line with what was found out. Where that is nothing, it leaves as it came.
    pub(crate) fn joined(self, found: Joined) -> Vec<u8> {
        match self.body {
            Body::Legacy(mut test) => {
                test.resources = found.resources;
                test.cold_start = found.cold_start;
                // A record of numbers, texts and maps with text keys has no way to fail.
                serde_json::to_vec(&test).unwrap_or_default()
            }
            Body::Ours(line) => with_fields(&line, &found).unwrap_or(line),
        }
    }
}

/// What the join adds to a line.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) resources: Option<Resources>,
    pub(crate) cold_start: Option<bool>,
    pub(crate) model_delta_gb: Option<f64>,
}

/// The object in `line` with what was found set; every other field stays as it came,
/// in its place. None when there is nothing to set.
fn with_fields(line: &[u8], found: &Joined) -> Option<Vec<u8>> {
    let added = [
        ("resources", raw(found.resources.as_ref())),
        ("cold_start", raw(found.cold_start.as_ref())),
        ("model_delta_gb", raw(found.model_delta_gb.as_ref())),
    ];
    if added.iter().all(|(_, value)| value.is_none()) {
        return None;
    }
    let without_nan = records::without_nan(line);
    let line = without_nan.as_deref().unwrap_or(line);
    let added = || added.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    if added().all(|(name, _)| is_new(line, name)) {
        return append(line, added());
    }
    let mut fields: Fields<'_> = serde_json::from_slice(line).ok()?;
    added().for_each(|(name, value)| fields.set(name, value));
    serde_json::to_vec(&fields).ok()
}

fn raw<T: Serialize>(value: Option<&T>) -> Option<Box<RawValue>> {
    value.and_then(|value| serde_json::value::to_raw_value(value).ok())
}

/// Whether `line` surely has no field of that name: the word is nowhere in it, nor an
/// escape by which it could be spelled.
fn is_new(line: &[u8], name: &str) -> bool {
    memchr::memmem::find(line, name.as_bytes()).is_none()
        && memchr::memmem::find(line, b"\\u").is_none()
}

/// `line`, an object with fields, with `added` at its end.
fn append<'a>(
    line: &[u8],
    added: impl Iterator<Item = (&'static str, &'a RawValue)>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len() + 4096);
    out.extend_from_slice(line.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end());
    for (name, value) in added {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        out.extend_from_slice(value.get().as_bytes());
    }
    out.push(b'}');
    Some(out)
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

#[cfg(test)]
mod tests {
    use records::{Kind, Resources};

    use super::{Item, Joined};

    const LINE: &str = r#"{"z":1.50,"record":"test","v":1,"ts":5.0,"run":"r","host":"h","id":"a","resources":{"old":1},"big":123456789012345678901234567890,"q":"\u00e9 NaN"}"#;

    fn joined(line: &str, resources: Option<Resources>, cold: Option<bool>) -> String {
        let item = Item::ours(Kind::Test, line.as_bytes()).unwrap();
        let found = Joined { resources, cold_start: cold, ..Joined::default() };
        String::from_utf8(item.joined(found)).unwrap()
    }

    #[test]
    fn other_fields_keep_their_digits_and_their_places() {
        let resources = Resources { samples: 2, coverage: 1.0, ..Resources::default() };
        assert_eq!(
            joined(LINE, Some(resources), Some(true)),
            LINE.replace(r#"{"old":1}"#, r#"{"samples":2,"coverage":1.0}"#)
                .trim_end_matches('}')
                .to_owned()
                + r#","cold_start":true}"#
        );
    }

    #[test]
    fn a_line_about_which_nothing_was_found_out_leaves_as_it_came() {
        let spaced = LINE.replace(':', " : ");
        assert_eq!(joined(&spaced, None, None), spaced);
    }

    #[test]
    fn nan_leaves_as_null_with_what_was_added() {
        let line = r#"{"ts":1,"run":"r","host":"h","end_ts":2,"x":NaN}"#;
        assert_eq!(
            joined(line, None, Some(false)),
            r#"{"ts":1,"run":"r","host":"h","end_ts":2,"x":null,"cold_start":false}"#
        );
    }
}
