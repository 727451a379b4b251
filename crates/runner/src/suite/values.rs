//! Small values of a suite that TOML has no type for.

use std::{fmt, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

/// A length of time, written as `"120s"`, `"1m 30s"` or `"500ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_duration(&text).map_err(|error| {
            de::Error::custom(format!(
                "{text:?} is no length of time ({error}); write \"120s\" or \"1m 30s\""
            ))
        })?;
        within_reason(time).map(Span).map_err(de::Error::custom)
    }
}

/// `time`, if it is one that clocks can be asked to add.
///
/// # Errors
///
/// When it is longer than a year.
pub fn within_reason(time: Duration) -> Result<Duration, String> {
    let year = Duration::from_secs(366 * 24 * 3600);
    if time <= year { Ok(time) } else { Err("longer than a year".to_owned()) }
}

/// A value or a list of values, where a list means any of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AnyOf<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AnyOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
            type Value = AnyOf<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(AnyOf)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(|value| AnyOf(vec![value]))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Self::Value, E> {
                T::deserialize(n.into_deserializer()).map(|value| AnyOf(vec![value]))
            }
        }
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::{AnyOf, Span};

    #[derive(Debug, Deserialize)]
    struct Case {
        timeout: Option<Span>,
        status: Option<AnyOf<u16>>,
        finish: Option<AnyOf<String>>,
    }

    #[test]
    fn lengths_of_time_and_lists_are_read() {
        let case: Case =
            toml::from_str("timeout = '1m 30s'\nstatus = 200\nfinish = ['stop', 'length']")
                .unwrap();
        assert_eq!(case.timeout, Some(Span(Duration::from_secs(90))));
        assert_eq!(case.status, Some(AnyOf(vec![200])));
        assert_eq!(case.finish, Some(AnyOf(vec!["stop".into(), "length".into()])));
    }

    #[test]
    fn what_is_wrong_says_how_to_write_it() {
        let error = toml::from_str::<Case>("timeout = 'soon'").unwrap_err();
        assert!(error.message().contains("write \"120s\""), "{error}");
        assert!(toml::from_str::<Case>("timeout = '500000000000years'").is_err());
        assert!(toml::from_str::<Case>("status = 70000").is_err());
    }
}
