//! Answers as OpenAI's Batch interface gives them back, a line each.

use pipe::{Error, Writer};
use serde_json::{Value, json};

use super::Sent;
use crate::secrets::Secrets;

/// Writes the answers of batches to a file.
pub struct Output {
    writer: Writer,
    secrets: Secrets,
}

impl Output {
    /// Answers go to `path`, cleaned of `secrets`; behind what is there when a run is
    /// `continued`.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn open(path: &str, secrets: Secrets, continued: bool) -> Result<Output, Error> {
        let there = continued && std::fs::exists(path).unwrap_or(false);
        let writer = if there { Writer::append(path)? } else { Writer::create(Some(path))? };
        Ok(Output { writer: writer.live(), secrets })
    }

    /// Writes one answer; `id` names it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn add(&mut self, id: &str, sent: &Sent) -> Result<(), Error> {
        let response = sent
            .status
            .map(|status| json!({"status_code": status, "request_id": id, "body": sent.body}));
        let error =
            sent.error.as_ref().map(|error| json!({"code": error.kind, "message": error.message}));
        let mut line: Value = json!({
            "id": id,
            "custom_id": sent.custom_id,
            "response": response,
            "error": error,
        });
        self.secrets.hide_in(&mut line);
        self.writer.record(&line)
    }
}
