//! The file of a batch: a request a line.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::{Map, Value, json};

use crate::{
    http::{Asked, Outgoing},
    suite::Api,
};

/// A request of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The caller's own name for it.
    pub custom_id: String,
    method: String,
    path: String,
    body: Map<String, Value>,
}

/// Reads the requests in `file`. Blank lines are passed over.
///
/// # Errors
///
/// When it cannot be read, when a line is no request, or when two have the same
/// `custom_id`; the message names file and line.
pub fn read(file: &Path) -> Result<Vec<Item>, String> {
    let name = file.display().to_string();
    let opened = File::open(file).map_err(|error| format!("{name}: {error}"))?;
    let mut items = Vec::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    for (line, n) in BufReader::new(opened).lines().zip(1..) {
        let line = line.map_err(|error| format!("{name}:{n}: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        let item = Item::parse(&line).map_err(|why| format!("{name}:{n}: {why}"))?;
        if let Some(first) = lines.insert(item.custom_id.clone(), n) {
            let id = &item.custom_id;
            return Err(format!("{name}:{n}: custom_id {id:?} is in line {first} already"));
        }
        items.push(item);
    }
    if items.is_empty() { Err(format!("{name}: has no lines")) } else { Ok(items) }
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
    #[must_use]
    pub fn asked(&self) -> Asked {
        let apis = [Api::Chat, Api::Completion, Api::Embedding];
        let api = apis.into_iter().find(|api| self.path.ends_with(api.path()));
        Asked::from(api.unwrap_or(Api::Http))
    }

    /// What is sent to ask `model`, whatever model the file names: the same file is for
    /// every model.
    #[must_use]
    pub fn outgoing(&self, model: &str) -> Outgoing {
        let mut body = self.body.clone();
        body.insert("model".to_owned(), json!(model));
        if body.get("stream") == Some(&Value::Bool(true)) && !body.contains_key("stream_options") {
            // Without it a stream carries no token counts.
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        Outgoing {
            method: self.method.clone(),
            path: self.path.clone(),
            content_type: "application/json".to_owned(),
            payload: Value::Object(body).to_string().into_bytes().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Item, read};

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
        assert_eq!(bare.outgoing("m").path, "/v1/chat/completions");
    }

    #[test]
    fn what_is_no_request_is_named_with_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("b.jsonl");
        let said = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read(&file).unwrap_err().replace(dir.path().to_str().unwrap(), "")
        };
        assert_eq!(said("\n"), "/b.jsonl: has no lines");
        assert!(said("{\"custom_id\":\"a\"}\n[]").starts_with("/b.jsonl:2: no JSON object"));
        assert!(said("{}").contains(":1: has no custom_id"));
        let twice = "{\"custom_id\":\"a\"}\n\n{\"custom_id\":\"a\"}";
        assert_eq!(said(twice), "/b.jsonl:3: custom_id \"a\" is in line 1 already");
        assert!(said(r#"{"custom_id":"a","url":"http://x/"}"#).contains("is no path"));
        assert!(read(&dir.path().join("none")).unwrap_err().contains("No such file"));
    }
}
