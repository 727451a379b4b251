//! Python's `NaN` and `Infinity`, which are not JSON.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// `line` with every bare `NaN`, `Infinity` and `-Infinity` outside of strings
/// turned into `null`, or `None` when there is none.
///
/// Python's `json` writes them for numbers that do not exist. For us what was
/// not measured is absent.
#[must_use]
pub fn without_nan(line: &[u8]) -> Option<Vec<u8>> {
    static WORDS: LazyLock<[Finder<'_>; 2]> =
        LazyLock::new(|| [Finder::new(b"NaN"), Finder::new(b"Infinity")]);

    // Hardly any line has the words at all.
    WORDS.iter().find_map(|word| word.find(line))?;
    let mut out = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while at < line.len() {
        match line[at] {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'N' | b'I' | b'-' if !in_string => {
                let word = ["NaN", "Infinity", "-Infinity"]
                    .into_iter()
                    .find(|word| line[at..].starts_with(word.as_bytes()));
                if let Some(word) = word {
                    out.extend_from_slice(&line[copied..at]);
                    out.extend_from_slice(b"null");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&line[copied..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::without_nan;

    fn fixed(text: &str) -> Option<String> {
        without_nan(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn bare_words_become_null_and_strings_stay() {
        assert_eq!(
            fixed(r#"{"a": NaN, "b": [-Infinity,Infinity], "NaN": "\"NaN", "c": -1}"#).unwrap(),
            r#"{"a": null, "b": [null,null], "NaN": "\"NaN", "c": -1}"#
        );
        assert_eq!(fixed(r#"{"a": 1, "b": "NaN"}"#), None);
        assert_eq!(fixed(""), None);
    }

    proptest! {
        #[test]
        fn valid_json_is_never_touched(text in r#"[ -~]{0,40}"#) {
            let line = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(without_nan(line.as_bytes()), None);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = without_nan(&bytes);
        }
    }
}
