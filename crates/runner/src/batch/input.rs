//! The file of a batch: a request a line, read as requests are sent and never held.

use std::{
    collections::HashMap,
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader},
    path::Path,
    time::SystemTime,
};

use serde_json::{Map, Value, json};

use crate::{
    http::{Asked, Outgoing},
    suite::Api,
};

/// How much of the file is read at once, in bytes.
const BUFFER: usize = 64 << 10;

/// A request of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// The caller's own name for it.
    pub(super) custom_id: String,
    method: String,
    path: String,
    body: Map<String, Value>,
}

/// What is known of a file that was looked through.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// How many requests are in it.
    pub(super) requests: u64,
    /// Hashes of their ids, sorted.
    ids: Vec<u64>,
    state: State,
}

/// By which a file is known to be as it was: its length and when it was written.
type State = (u64, Option<SystemTime>);

/// The lines of a file that are requests.
#[derive(Debug)]
pub(super) struct Lines {
    name: String,
    reader: BufReader<File>,
    number: u64,
    requests: u64,
}

/// A line that is to be a request.
#[derive(Debug)]
pub(super) struct Line {
    /// Its place among the requests of the file, from 0.
    pub(super) index: u64,
    /// Its place in the file, from 1.
    number: u64,
    text: String,
}

/// Looks through the requests in `file`. Blank lines are passed over.
///
/// # Errors
///
/// When it cannot be read, when a line is no request, or when two have the same
/// `custom_id`; the message names file and line.
pub fn check(file: &Path) -> Result<(), String> {
    Checked::of(file).map(drop)
}

/// How many requests are in `file`.
///
/// # Errors
///
/// When it cannot be read.
pub fn count(file: &Path) -> Result<u64, String> {
    let mut lines = Lines::open(file)?;
    while lines.next()?.is_some() {}
    Ok(lines.requests)
}

impl Checked {
    /// What is in `file`, if all of it is right.
    pub(super) fn of(file: &Path) -> Result<Checked, String> {
        let mut lines = Lines::open(file)?;
        let state = lines.state()?;
        let mut ids = Vec::new();
        while let Some(line) = lines.next()? {
            ids.push(short_hash(&lines.item(&line)?.custom_id));
        }
        if ids.is_empty() {
            return Err(format!("{}: has no lines", lines.name));
        }
        ids.sort_unstable();
        let again = ids.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
        let again: Vec<u64> = again.map(|same| same[0]).collect();
        if !again.is_empty() {
            no_id_twice(file, &again)?;
        }
        Ok(Checked { requests: ids.len() as u64, ids, state })
    }

    /// Whether a request called `custom_id` is in the file.
    pub(super) fn has(&self, custom_id: &str) -> bool {
        self.ids.binary_search(&short_hash(custom_id)).is_ok()
    }

    /// Forgets the ids, which there may be many of.
    pub(super) fn forget_ids(&mut self) {
        self.ids = Vec::new();
    }
}

/// Looks again for ids that have one of `hashes`: two of them may still be different.
fn no_id_twice(file: &Path, hashes: &[u64]) -> Result<(), String> {
    let mut lines = Lines::open(file)?;
    let mut seen: HashMap<String, u64> = HashMap::new();
    while let Some(line) = lines.next()? {
        let id = lines.item(&line)?.custom_id;
        if hashes.binary_search(&short_hash(&id)).is_err() {
            continue;
        }
        if let Some(first) = seen.get(&id) {
            let (name, number) = (&lines.name, line.number);
            return Err(format!("{name}:{number}: custom_id {id:?} is in line {first} already"));
        }
        seen.insert(id, line.number);
    }
    Ok(())
}

/// A hash that two ids of one file may have in common by chance.
fn short_hash(custom_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    custom_id.hash(&mut hasher);
    hasher.finish()
}

/// A hash that no two ids have in common.
pub(super) fn hash(custom_id: &str) -> u128 {
    let mut other = DefaultHasher::new();
    (custom_id, 1).hash(&mut other);
    u128::from(short_hash(custom_id)) << 64 | u128::from(other.finish())
}

impl Lines {
    /// Those of `file`.
    pub(super) fn open(file: &Path) -> Result<Lines, String> {
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|error| format!("{name}: {error}"))?;
        let reader = BufReader::with_capacity(BUFFER, opened);
        Ok(Lines { name, reader, number: 0, requests: 0 })
    }

    /// The next one, unread yet.
    pub(super) fn next(&mut self) -> Result<Option<Line>, String> {
        loop {
            let mut text = String::new();
            self.number += 1;
            let number = self.number;
            match self.reader.read_line(&mut text) {
                Ok(0) => return Ok(None),
                Ok(_) if text.trim().is_empty() => {}
                Ok(_) => {
                    self.requests += 1;
                    return Ok(Some(Line { index: self.requests - 1, number, text }));
                }
                Err(error) => return Err(format!("{}:{number}: {error}", self.name)),
            }
        }
    }

    /// `line` as the request that it is.
    pub(super) fn item(&self, line: &Line) -> Result<Item, String> {
        Item::parse(line.text.trim_end())
            .map_err(|why| format!("{}:{}: {why}", self.name, line.number))
    }

    /// That the file is as it was when it was `checked`.
    pub(super) fn unchanged_since(&self, checked: &Checked) -> Result<(), String> {
        match self.state()? == checked.state {
            true => Ok(()),
            false => Err(format!("{}: was changed while its requests were sent", self.name)),
        }
    }

    fn state(&self) -> Result<State, String> {
        let state = self.reader.get_ref().metadata();
        let state = state.map_err(|error| format!("{}: {error}", self.name))?;
        Ok((state.len(), state.modified().ok()))
    }
}

impl Item {
    /// Reads a line. Without a `body`, what else stands in the line is the body; method
    /// and url are those of a chat.
    fn parse(line: &str) -> Result<Item, String> {
        let mut object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("no JSON object: {error}"))?;
        let mut text = |key: &str| match object.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{key} = {other} is no text")),
        };
        let custom_id = text("custom_id")?.filter(|id| !id.is_empty());
        let custom_id = custom_id.ok_or("has no custom_id, which its result is known by")?;
        let method = text("method")?.unwrap_or_else(|| "POST".to_owned());
        let url = text("url")?.unwrap_or_else(|| Api::Chat.path().to_owned());
        if !url.starts_with('/') {
            return Err(format!("url {url:?} is no path: it begins with /"));
        }
        let body = match object.remove("body") {
            None => object,
            Some(Value::Object(body)) => body,
            Some(other) => return Err(format!("body = {other} is no object")),
        };
        Ok(Item { custom_id, method, path: url, body })
    }

    /// How its answer is to be read.
    pub(super) fn asked(&self) -> Asked {
        let apis = [Api::Chat, Api::Completion, Api::Embedding];
        let api = apis.into_iter().find(|api| self.path.ends_with(api.path()));
        Asked::from(api.unwrap_or(Api::Http))
    }

    /// Its name, and what is sent to ask `model`, whatever model the file names: the same
    /// file is for every model.
    pub(super) fn outgoing(self, model: &str) -> (String, Outgoing) {
        let Item { custom_id, method, path, mut body } = self;
        body.insert("model".to_owned(), json!(model));
        if body.get("stream") == Some(&Value::Bool(true)) && !body.contains_key("stream_options") {
            // Without it a stream carries no token counts.
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        let payload = Value::Object(body).to_string().into_bytes().into();
        let content_type = "application/json".to_owned();
        (custom_id, Outgoing { method, path, content_type, payload })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Checked, Item, Lines, check, count, hash};

    #[test]
    fn a_line_has_its_defaults_and_asks_the_model_at_hand() {
        let bare = Item::parse(r#"{"custom_id":"a","messages":[],"model":"other"}"#).unwrap();
        assert_eq!((bare.method.as_str(), bare.path.as_str()), ("POST", "/v1/chat/completions"));
        let whole = Item::parse(
            r#"{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"input":"x"}}"#,
        )
        .unwrap();
        assert_eq!(whole.path, "/v1/embeddings");
        assert_eq!(whole.body.get("input"), Some(&json!("x")));
        assert_eq!(bare.outgoing("m").1.path, "/v1/chat/completions");
    }

    #[test]
    fn what_is_no_request_is_named_with_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("b.jsonl");
        let said = |text: &str| {
            std::fs::write(&file, text).unwrap();
            check(&file).unwrap_err().replace(dir.path().to_str().unwrap(), "")
        };
        assert_eq!(said("\n"), "/b.jsonl: has no lines");
        assert!(said("{\"custom_id\":\"a\"}\n[]").starts_with("/b.jsonl:2: no JSON object"));
        assert!(said("{}").contains(":1: has no custom_id"));
        let twice = "{\"custom_id\":\"a\"}\n\n{\"custom_id\":\"a\"}";
        assert_eq!(said(twice), "/b.jsonl:3: custom_id \"a\" is in line 1 already");
        assert!(said(r#"{"custom_id":"a","url":"http://x/"}"#).contains("is no path"));
        assert!(check(&dir.path().join("none")).unwrap_err().contains("No such file"));
    }

    #[test]
    fn a_file_is_known_to_have_been_changed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("b.jsonl");
        std::fs::write(&file, "{\"custom_id\":\"a\"}\n\n{\"custom_id\":\"b\"}").unwrap();
        let checked = Checked::of(&file).unwrap();
        assert_eq!((checked.requests, count(&file)), (2, Ok(2)));
        assert!(checked.has("a") && checked.has("b") && !checked.has("c"));
        let lines = Lines::open(&file).unwrap();
        assert_eq!(lines.unchanged_since(&checked), Ok(()));
        std::fs::write(&file, "{\"custom_id\":\"a\"}\n").unwrap();
        let said = lines.unchanged_since(&checked).unwrap_err();
        assert!(said.ends_with("b.jsonl: was changed while its requests were sent"), "{said}");
    }

    #[test]
    fn different_ids_have_different_hashes() {
        let all: std::collections::HashSet<u128> =
            (0..10_000).map(|n| hash(&format!("r-{n}"))).collect();
        assert_eq!(all.len(), 10_000);
        assert_eq!(hash("a"), hash("a"));
    }
}
