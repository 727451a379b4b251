//! Results of an earlier run that still stand.
//!
//! A run that was killed is continued with `--resume FILE`: whoever has a result there
//! does not run again. Results are written again, byte for byte, ahead of the new ones,
//! so that the new stream is whole by itself; when it is the same file, the new ones are
//! added to it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use pipe::{Error, Faults, Input, Lines as Reader, Place, RawLine};
use records::{ErrorInfo, Kind, LineKind, Outcome, Request, Test};
use serde::Deserialize;

/// The results of a run that this one continues.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The file that they come from, as it was given.
    pub file: String,
    /// The id of that run.
    pub run: Option<String>,
    /// Whether new results are added to that file.
    pub same_file: bool,
    results: HashMap<String, Lines>,
}

/// What was written about one case.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// Of its result; absent while there are only earlier tries.
    outcome: Option<Outcome>,
    /// Its lines as they stand, each with its newline.
    bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: String,
    run: String,
    #[serde(default)]
    suite: String,
    outcome: Option<Outcome>,
    error: Option<ErrorInfo>,
}

impl Kept {
    /// Reads the results of `suite` from `file`. What cannot be read is named and passed
    /// over: the last line of a run that was killed may be half a line.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds runs of other suites only.
    pub fn read(file: &str, suite: &str) -> Result<Kept, Error> {
        let mut kept = Kept { file: file.to_owned(), ..Kept::default() };
        let mut reader = Reader::new(Input::open(file)?);
        let mut faults = Faults::new("runner");
        let name: Arc<str> = Arc::from(file);
        let place = |line| Place { file: Arc::clone(&name), line };
        let mut other = None;
        let (mut lines, mut records) = (0u64, 0u64);
        loop {
            let next = reader.next_line();
            let next = next.map_err(|source| Error::Read { place: file.to_owned(), source })?;
            let (number, bytes) = match next {
                None => break,
                Some(RawLine::TooLong { number, length }) => {
                    faults.malformed(&place(number), &format!("a line of {length} bytes"));
                    continue;
                }
                Some(RawLine::Whole { number, bytes, .. }) => (number, bytes),
            };
            let kind = match records::classify(bytes) {
                LineKind::Blank => continue,
                LineKind::Ours(kind) => kind,
                LineKind::Newer { record, v } => {
                    faults.warn_once(&format!(
                        "{file}: {record} of version {v} is newer than this program: passed over"
                    ));
                    records += 1;
                    continue;
                }
                strange => {
                    if let LineKind::Broken(why) = strange {
                        faults.malformed(&place(number), &why);
                    }
                    lines += 1;
                    continue;
                }
            };
            records += 1;
            if !matches!(kind, Kind::RunStart | Kind::Test | Kind::Attempt | Kind::Request) {
                continue;
            }
            let head: Head = match records::parse(bytes) {
                Ok(head) => head,
                Err(error) => {
                    faults.malformed(&place(number), &error.to_string());
                    continue;
                }
            };
            match kind {
                Kind::RunStart if head.suite == suite => kept.run = Some(head.run),
                Kind::RunStart => other = Some((place(number), head.suite)),
                _ => kept.note(kind, head, bytes),
            }
        }
        // It cannot fail when bad lines are no reason to.
        faults.finish(false)?;
        match other {
            // What comes next would be added to it, or its place is a typing error.
            None if records == 0 && lines > 0 => {
                Err(Error::Usage(format!("{file}: holds no results of a run")))
            }
            Some((Place { file, line }, name)) if kept.run.is_none() => Err(Error::Usage(format!(
                "{file}:{line}: a run of the suite {name:?} is there, and none of {suite:?}"
            ))),
            _ => Ok(kept),
        }
    }

    fn note(&mut self, kind: Kind, head: Head, raw: &[u8]) {
        let lines = self.results.entry(head.id).or_default();
        // What comes after a result is of a later go, which stands.
        if lines.outcome.is_some() {
            *lines = Lines::default();
        }
        // A case that was interrupted never came to its end, though some of its requests
        // may have.
        let interrupted = head.error.is_some_and(|error| error.kind == "interrupted");
        if !(interrupted && kind == Kind::Test) {
            lines.outcome = head.outcome.filter(|_| kind == Kind::Test);
            lines.bytes.extend_from_slice(raw);
            lines.bytes.push(b'\n');
        }
    }

    /// Whether `id` has a result.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.outcome(id).is_some()
    }

    /// How `id` came out.
    #[must_use]
    pub fn outcome(&self, id: &str) -> Option<Outcome> {
        self.results.get(id)?.outcome
    }

    /// The lines about `id`, as they stand in the file.
    #[must_use]
    pub fn lines(&self, id: &str) -> &[u8] {
        self.results.get(id).map_or(&[], |lines| &lines.bytes)
    }

    /// The result of `id`.
    #[must_use]
    pub fn test(&self, id: &str) -> Option<Test> {
        // The result comes after the tries.
        let last = self.lines(id).trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        records::parse(last).ok()
    }

    /// The requests of `id` that are done, by their `custom_id`.
    #[must_use]
    pub fn requests(&self, id: &str) -> BTreeMap<String, Request> {
        let lines = self.lines(id).split(|byte| *byte == b'\n');
        lines
            .filter(|line| records::classify(line) == LineKind::Ours(Kind::Request))
            .filter_map(|line| records::parse::<Request>(line).ok())
            .filter_map(|request| Some((request.custom_id.clone()?, request)))
            .collect()
    }

    /// How many of `ids` have a result.
    pub fn count<'a>(&self, ids: impl Iterator<Item = &'a str>) -> u64 {
        ids.filter(|id| self.has(id)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use records::Outcome;

    use super::Kept;

    const HEAD: &str = r#""v":1,"ts":1.0,"run":"r","host":"h""#;

    fn read(lines: &[String]) -> Result<Kept, pipe::Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        Kept::read(path.to_str().unwrap(), "s")
    }

    fn line(record: &str, id: &str, rest: &str) -> String {
        format!(r#"{{"record":"{record}",{HEAD},"id":"{id}","suite":"s"{rest}}}"#)
    }

    #[test]
    fn results_are_kept_with_their_tries_byte_for_byte() {
        let lines = [
            line("run_start", "", ""),
            line("attempt", "a", r#","outcome":"failed", "odd":  1"#),
            line("test", "a", r#","outcome":"passed""#),
            line("test", "b", r#","outcome":"error","error":{"kind":"interrupted","message":""}"#),
            line("attempt", "c", r#","outcome":"failed""#),
            line("test", "d", r#","outcome":"failed""#),
            r#"{"record":"test","v":1,"ts""#.to_owned(),
        ];
        let kept = read(&lines).unwrap();
        assert_eq!(kept.run.as_deref(), Some("r"));
        assert_eq!(kept.count(["a", "b", "c", "d", "e"].into_iter()), 2);
        assert_eq!(kept.outcome("a"), Some(Outcome::Passed));
        assert_eq!(kept.lines("a"), format!("{}\n{}\n", lines[1], lines[2]).as_bytes());
        assert_eq!(kept.outcome("d"), Some(Outcome::Failed));
        assert!(!kept.has("b") && !kept.has("c") && !kept.has("e"));
    }

    #[test]
    fn the_later_of_two_results_stands() {
        let kept = read(&[
            line("run_start", "", ""),
            line("test", "a", r#","outcome":"failed""#),
            line("test", "a", r#","outcome":"passed""#),
        ]);
        assert_eq!(kept.unwrap().outcome("a"), Some(Outcome::Passed));
    }

    #[test]
    fn what_holds_no_results_at_all_is_refused_and_what_holds_none_yet_is_not() {
        for garbage in ["notes\n\u{1b}[31mmore", "{\"a\": 1}\n", "{\"record\":\"test\",\"v\""] {
            let error = read(&[garbage.to_owned()]).unwrap_err().to_string();
            assert!(error.ends_with("run.jsonl: holds no results of a run"), "{error}");
        }
        let sample = format!(r#"{{"record":"sample",{HEAD},"seq":1,"elapsed_s":0}}"#);
        for early in [&[][..], &[sample]] {
            assert!(read(early).unwrap().run.is_none());
        }
    }

    #[test]
    fn a_run_of_another_suite_is_refused() {
        let other = line("run_start", "", "").replace(r#""suite":"s""#, r#""suite":"t""#);
        let error = read(&[other]).unwrap_err().to_string();
        assert!(error.contains("run.jsonl:1: a run of the suite \"t\""), "{error}");
    }
}
