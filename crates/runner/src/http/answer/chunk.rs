//! The usual chunk of a stream, read without making a tree of it.
//!
//! A server sends one for each token, and all of them look alike. What looks otherwise in
//! any way (an error, usage, a call of a tool, content in parts, another type) is none, and
//! is read as any other JSON; so this may be strict, and never has to guess.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A chunk with one choice, and nothing else that counts.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    pub(super) heads: Heads<'a>,
    pub(super) choice: Choice<'a>,
}

/// What is the same in all the chunks of a stream.
#[derive(Debug, Default)]
pub(super) struct Heads<'a> {
    pub(super) id: Option<Text<'a>>,
    pub(super) model: Option<Text<'a>>,
    pub(super) created: Option<u64>,
    pub(super) system_fingerprint: Option<Text<'a>>,
}

/// The first choice.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) delta: Delta<'a>,
    pub(super) text: Option<Text<'a>>,
    pub(super) finish_reason: Option<Text<'a>>,
}

/// What is new.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) content: Option<Text<'a>>,
    pub(super) reasoning_content: Option<Text<'a>>,
    pub(super) reasoning: Option<Text<'a>>,
}

/// A text, borrowed where it has no escapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'a> Chunk<'a> {
    /// Reads `data`, if it is a chunk of the usual shape.
    pub(super) fn read(data: &'a str) -> Option<Chunk<'a>> {
        serde_json::from_str(data).ok().map(|Object(chunk)| chunk)
    }
}

/// An object, field by field. Of a field that is there twice the last one counts, as
/// everywhere.
trait Fields<'de>: Default {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl<'de> Fields<'de> for Chunk<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let heads = &mut self.heads;
        match key {
            "choices" => self.choice = map.next_value::<One<Choice<'de>>>()?.0,
            "id" => heads.id = map.next_value()?,
            "model" => heads.model = map.next_value()?,
            "created" => heads.created = map.next_value()?,
            "system_fingerprint" => heads.system_fingerprint = map.next_value()?,
            "error" | "usage" | "timings" | "stats" => {
                map.next_value::<Option<Unusual>>().map(drop)?;
            }
            "eval_duration" => map.next_value::<Unusual>().map(drop)?,
            _ => map.next_value::<Ignored>().map(drop)?,
        }
        Ok(())
    }
}

impl<'de> Fields<'de> for Choice<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "index" if map.next_value::<Option<u64>>()?.is_some_and(|index| index > 0) => {
                return Err(A::Error::custom("another choice"));
            }
            "index" => {}
            "delta" => self.delta = map.next_value::<Object<Delta<'de>>>()?.0,
            "text" => self.text = map.next_value()?,
            "finish_reason" => self.finish_reason = map.next_value()?,
            _ => map.next_value::<Ignored>().map(drop)?,
        }
        Ok(())
    }
}

impl<'de> Fields<'de> for Delta<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "content" => self.content = map.next_value()?,
            "reasoning_content" => self.reasoning_content = map.next_value()?,
            "reasoning" => self.reasoning = map.next_value()?,
            "tool_calls" => map.next_value::<Option<Vec<Unusual>>>().map(drop)?,
            _ => map.next_value::<Ignored>().map(drop)?,
        }
        Ok(())
    }
}

/// An object, and no list in its place, which derived types would take too.
struct Object<T>(T);

impl<'de, T: Fields<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of<T>(PhantomData<T>);
        impl<'de, T: Fields<'de>> Visitor<'de> for Of<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<T>, A::Error> {
                let mut fields = T::default();
                while let Some(Text(key)) = map.next_key()? {
                    fields.field(&key, &mut map)?;
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Of(PhantomData))
    }
}

/// A list of one.
struct One<T>(T);

impl<'de, T: Fields<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of<T>(PhantomData<T>);
        impl<'de, T: Fields<'de>> Visitor<'de> for Of<T> {
            type Value = One<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of one object")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<One<T>, A::Error> {
                let first: Option<Object<T>> = list.next_element()?;
                match (first, list.next_element::<IgnoredAny>()?) {
                    (Some(Object(one)), None) => Ok(One(one)),
                    _ => Err(A::Error::custom("not one")),
                }
            }
        }
        deserializer.deserialize_seq(Of(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Any)
    }
}

/// What no usual chunk has: a value of any kind, which is for the other way of reading.
struct Unusual;

impl<'de> Deserialize<'de> for Unusual {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("nothing usual"))
    }
}

/// Anything that can be read at all. `IgnoredAny` takes more: numbers that are too large,
/// halves of surrogate pairs, whatever its depth.
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Ignored;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E: Error>(self) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Ignored, E> {
                Ok(Ignored)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ignored, A::Error> {
                while list.next_element::<Ignored>()?.is_some() {}
                Ok(Ignored)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ignored, A::Error> {
                while map.next_entry::<Text<'de>, Ignored>()?.is_some() {}
                Ok(Ignored)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
