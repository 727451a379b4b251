//! Telling lines apart, and reading them.

use std::{borrow::Cow, fmt, sync::LazyLock};

use memchr::memmem::Finder;

use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{Kind, VERSION, legacy, nan::without_nan};

/// What a line is, in the order in which the contract tells them apart.
#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// A record of ours, in a version that we know.
    Ours(Kind),
    /// A record of ours whose version is newer than this program: pass it on.
    Newer {
        /// The value of `record`.
        record: String,
        /// The value of `v`.
        v: u64,
    },
    /// A record whose name we do not know: pass it on.
    UnknownRecord(String),
    /// The summary of the reference sampler.
    LegacySummary,
    /// A test of the reference suite, schema 0.1.0 to 0.2.2.
    LegacyTest,
    /// A sample of the reference sampler.
    LegacySample,
    /// Some other JSON object: pass it on.
    Foreign,
    /// Not a JSON object.
    Text,
    /// Begins like a JSON object but is not one: cut off, or garbled.
    Broken(String),
    /// Nothing but white space.
    Blank,
}

/// Why a line could not be read as what it says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// Tells what `line` is. Reads it once, to the end, without building it up.
#[must_use]
pub fn classify(line: &[u8]) -> LineKind {
    let trimmed = line.trim_ascii();
    match trimmed.first() {
        None => return LineKind::Blank,
        Some(b'{') => {}
        Some(_) => return LineKind::Text,
    }
    match read_json::<Peek<'_>>(trimmed) {
        Ok(peek) => peek.kind(),
        Err(error) => match without_nan(trimmed) {
            Some(fixed) => match serde_json::from_slice::<Peek<'_>>(&fixed) {
                Ok(peek) => peek.kind(),
                Err(error) => LineKind::Broken(reason(&error)),
            },
            // "{" opens much that is no JSON: a log's "{name} started", say.
            // A quote after it is what tells an object that was cut off.
            None if opens_object(trimmed) => LineKind::Broken(reason(&error)),
            None => LineKind::Text,
        },
    }
}

/// The kind of `line` by its first bytes, where it looks as our programs write it; for those
/// who read the whole line next, or who only count. A sample that has another record in it,
/// because somebody's write was torn, does not look so.
#[must_use]
pub fn kind_at_a_glance(line: &[u8]) -> Option<Kind> {
    static RECORD: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(br#""record":"#));

    if line.last() != Some(&b'}') {
        return None;
    }
    if let Some(fields) = line.strip_prefix(br#"{"record":"sample","v":1,"#) {
        // Of other kinds the line is read, and would not be one record.
        return RECORD.find(fields).is_none().then_some(Kind::Sample);
    }
    let rest = line.strip_prefix(br#"{"record":""#)?;
    let end = memchr::memchr(b'"', rest)?;
    let kind = Kind::from_name(std::str::from_utf8(&rest[..end]).ok()?)?;
    (rest[end..].starts_with(br#"","v":1,"#) && kind != Kind::Sample).then_some(kind)
}

/// Reads `line` as a `T`; `NaN` and `Infinity` count as absent.
///
/// # Errors
///
/// When it is not JSON, or lacks a field that a `T` must have, or has one of
/// another type. The message names the column or the field.
pub fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Malformed> {
    parse_with(line, |line| read_json(line))
}

/// Reads JSON as [`serde_json::from_slice`] does, but looks once whether all of it is UTF-8, and
/// not at each text by itself.
///
/// # Errors
///
/// The same.
pub fn read_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        // Where nobody reads the text that it is in, garbage is none of our business.
        Err(_) => serde_json::from_slice(bytes),
    }
}

/// The same for what borrows from the line, or is not what is wanted in the end.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_with<T>(
    line: &[u8],
    mut read: impl FnMut(&[u8]) -> serde_json::Result<T>,
) -> Result<T, Malformed> {
    read(line).or_else(|error| match without_nan(line) {
        Some(fixed) => read(&fixed).map_err(|e| Malformed(reason(&e))),
        None => Err(Malformed(reason(&error))),
    })
}

/// `serde_json`'s message without "line 1", which would be taken for the file's.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line 1 column ") {
        Some(at) => format!("{} at column {}", &text[..at], error.column()),
        None => text,
    }
}

fn opens_object(trimmed: &[u8]) -> bool {
    matches!(trimmed[1..].trim_ascii_start().first(), None | Some(b'"' | b'}'))
}

/// The few fields that tell lines apart.
#[derive(Default)]
struct Peek<'a> {
    record: Option<Cow<'a, str>>,
    v: Option<u64>,
    has_summary: bool,
    has_test: bool,
    has_outcome: bool,
    has_ts: bool,
    has_series: bool,
}

impl Peek<'_> {
    fn kind(self) -> LineKind {
        if let Some(record) = self.record {
            return match (Kind::from_name(&record), self.v) {
                (_, Some(v)) if v > u64::from(VERSION) => {
                    LineKind::Newer { record: record.into(), v }
                }
                (Some(kind), _) => LineKind::Ours(kind),
                (None, _) => LineKind::UnknownRecord(record.into()),
            };
        }
        if self.has_summary {
            LineKind::LegacySummary
        } else if self.has_test && self.has_outcome {
            LineKind::LegacyTest
        } else if self.has_ts && self.has_series {
            LineKind::LegacySample
        } else {
            LineKind::Foreign
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Peek<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Peek<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peek<'de>, A::Error> {
                let mut peek = Peek::default();
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    match key.as_ref() {
                        "record" => {
                            if let Shape::Text(text) = map.next_value()? {
                                peek.record = Some(text);
                            }
                        }
                        "v" => {
                            if let Shape::Number(n) = map.next_value()? {
                                // A version is small and whole; what is not is no version.
                                let v = n as u64;
                                peek.v = Some(v);
                            }
                        }
                        "summary" => {
                            peek.has_summary = matches!(map.next_value()?, Shape::Object);
                        }
                        "ts" => peek.has_ts = matches!(map.next_value()?, Shape::Number(_)),
                        "test" => {
                            peek.has_test = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        "outcome" => {
                            peek.has_outcome = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        name => {
                            peek.has_series |= legacy::is_series(name);
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(peek)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key, borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A value of any kind, kept only as far as telling lines apart needs it.
enum Shape<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Object,
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Shape<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Shape<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Shape::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Shape::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
                // Exact enough to tell a number from what is not one.
                Ok(Shape::Number(n as f64))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
                Ok(Shape::Number(n as f64))
            }

            fn visit_f64<E>(self, n: f64) -> Result<Self::Value, E> {
                Ok(Shape::Number(n))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Shape::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Shape::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LineKind, classify, kind_at_a_glance, parse};
    use crate::{Kind, Sample};

    fn kind(line: &str) -> LineKind {
        classify(line.as_bytes())
    }

    #[test]
    fn lines_are_told_apart_in_the_order_of_the_contract() {
        assert_eq!(kind(r#"{"record":"test","v":1,"summary":{}}"#), LineKind::Ours(Kind::Test));
        assert_eq!(kind(r#"{"rec\u006frd":"sample"}"#), LineKind::Ours(Kind::Sample));
        assert_eq!(
            kind(r#"{"record":"sample","v":2}"#),
            LineKind::Newer { record: "sample".into(), v: 2 }
        );
        assert_eq!(kind(r#"{"record":"dream","v":1}"#), LineKind::UnknownRecord("dream".into()));
        assert_eq!(kind(r#"{"summary":{"samples":3},"ts":1,"load_1":2}"#), LineKind::LegacySummary);
        assert_eq!(kind(r#"{"summary":3,"ts":1.5,"load_1":2}"#), LineKind::LegacySample);
        assert_eq!(kind(r#"{"test":"a::b","outcome":"passed","ts":1}"#), LineKind::LegacyTest);
        assert_eq!(kind(r#"{"record":7,"ts":1,"ram_free_gb":2}"#), LineKind::LegacySample);
        assert_eq!(kind(r#"{"ts":"now","ram_free_gb":2}"#), LineKind::Foreign);
        assert_eq!(kind(r#"{"ts":1,"message":"hello"}"#), LineKind::Foreign);
    }

    #[test]
    fn what_is_no_object_is_text_and_what_is_cut_off_is_broken() {
        assert_eq!(kind("loading model"), LineKind::Text);
        assert_eq!(kind("42"), LineKind::Text);
        assert_eq!(kind(r#"["a"]"#), LineKind::Text);
        assert_eq!(kind("{name} started"), LineKind::Text);
        assert_eq!(kind("  "), LineKind::Blank);
        assert!(matches!(kind(r#"{"record":"sample","ts":17"#), LineKind::Broken(_)));
        assert!(matches!(kind("{"), LineKind::Broken(_)));
        assert!(matches!(kind(r#"{"a":1} trailing"#), LineKind::Broken(_)));
    }

    #[test]
    fn a_glance_tells_what_the_whole_line_tells_or_nothing() {
        let at_a_glance = |line: &str| kind_at_a_glance(line.as_bytes());
        let sample = r#"{"record":"sample","v":1,"ts":1.0,"seq":0,"elapsed_s":0.0}"#;
        assert_eq!(at_a_glance(sample), Some(Kind::Sample));
        assert_eq!(at_a_glance(r#"{"record":"test","v":1,"ts":1.0}"#), Some(Kind::Test));
        let torn = format!("{}{sample}", &sample[..40]);
        for other in [
            torn.as_str(),
            &sample[..40],
            r#"{"record":"sample","v":2,"ts":1.0}"#,
            r#"{"record":"dream","v":1,"ts":1.0}"#,
            r#"{"v":1,"record":"sample","ts":1.0}"#,
            "{}",
            "",
        ] {
            assert_eq!(at_a_glance(other), None, "{other}");
        }
    }

    #[test]
    fn nan_and_infinity_are_absent() {
        let line = br#"{"ts": 1.0, "load_1": NaN, "ram_free_gb": 3.5}"#;
        assert_eq!(classify(line), LineKind::LegacySample);
        let sample: crate::legacy::LegacySample = parse(line).unwrap();
        assert_eq!((sample.load_1, sample.ram_free_gb), (None, Some(3.5)));
    }

    #[test]
    fn an_error_names_the_field_and_never_line_1() {
        let error = parse::<Sample>(br#"{"record":"sample","v":1}"#).unwrap_err();
        assert_eq!(error.0, "missing field `ts` at column 25");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = classify(&bytes);
            let _ = parse::<Sample>(&bytes);
        }

        #[test]
        fn arbitrary_cuts_of_a_real_line_never_panic(cut in 0usize..200) {
            let line = br#"{"record":"sample","v":1,"ts":1770811205.001,"run":"r","host":"h","seq":0,"elapsed_s":0.0,"load_1":NaN}"#;
            let _ = classify(&line[..cut.min(line.len())]);
        }
    }
}
