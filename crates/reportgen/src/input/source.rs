//! What is known, while an input is read, of where its lines come from.

use std::ops::Range;

use records::Origin;

/// How far into a line its run is looked for.
const LONGEST_HEAD: usize = 80;

/// A time has this many digits behind its point, and fewer where they are zeros.
const DIGITS: usize = 6;

/// Where the lines of an input come from.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What those come from that do not say it.
    pub(super) origin: Option<Origin>,
    /// The run that the last sample was of.
    pub(super) recording: Option<usize>,
    /// Where that one named its run and its host, and the text there.
    named: (Range<usize>, Vec<u8>),
}

impl Source {
    /// A recording of `origin`, which is the run `at`.
    pub(super) fn recording(origin: Origin, at: usize) -> Source {
        Source { origin: Some(origin), recording: Some(at), ..Source::default() }
    }

    /// The run of a sample that names its run and its host as the last one did, at the same
    /// place but for the digits of its time; nothing where it does not.
    pub(super) fn recording_of(&self, sample: &[u8]) -> Option<usize> {
        let (place, text) = &self.named;
        let mut places = place.start.saturating_sub(DIGITS)..=place.start + DIGITS;
        let mut same = |at: usize| sample.get(at..at + text.len()) == Some(text);
        self.recording.filter(|_| !text.is_empty() && places.any(&mut same))
    }

    /// Remembers how `sample` names its run, which is the run `at`.
    pub(super) fn recorded(&mut self, sample: &[u8], at: usize) {
        self.named = named(sample).unwrap_or_default();
        self.recording = Some(at);
    }
}

/// Where `line` names its run and its host, and that text: from the comma before the one to
/// that behind the other. Nothing unless they follow one another as memmon writes them.
fn named(line: &[u8]) -> Option<(Range<usize>, Vec<u8>)> {
    let key = br#","run":""#;
    let quote = |text: &[u8]| text.iter().position(|byte| *byte == b'"');
    let start = line.windows(key.len()).take(LONGEST_HEAD).position(|text| text == key)?;
    let run_end = start + key.len() + quote(&line[start + key.len()..])?;
    let host = line[run_end..].strip_prefix(br#"","host":""#)?;
    let end = line.len() - host.len() + quote(host)? + 2;
    let text = line.get(start..end)?;
    // A backslash would make the quote behind it part of a name.
    (text.ends_with(b",") && !text.contains(&b'\\')).then(|| (start..end, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_sample_of_another_run_or_host_is_not_taken_for_the_last_ones() {
        let sample = |run: &str, host: &str, ts: &str| {
            format!(
                r#"{{"record":"sample","v":1,"ts":{ts},"run":"{run}","host":"{host}","seq":0}}"#
            )
        };
        let mut source = Source::default();
        source.recorded(sample("a", "h", "1.25").as_bytes(), 7);
        let of = |line: String| source.recording_of(line.as_bytes());
        assert_eq!(of(sample("a", "h", "9.75")), Some(7));
        assert_eq!(of(sample("b", "h", "9.75")), None);
        assert_eq!(of(sample("a", "i", "9.75")), None);
        assert_eq!(of(sample("a", "h", "10.751234")), Some(7), "times have more digits or fewer");
        assert_eq!(of(sample("a", "h", "1000000000.751234")), None, "what looks otherwise is read");
        assert_eq!(of(r#"{"record":"sample"}"#.into()), None);
    }

    #[test]
    fn a_name_with_a_quote_in_it_is_never_told_by_its_place() {
        let mut source = Source::default();
        let line = br#"{"record":"sample","v":1,"ts":1.25,"run":"a\"","host":"h","seq":0}"#;
        source.recorded(line, 7);
        assert_eq!(source.recording_of(line), None);
    }
}
