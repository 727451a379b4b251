//! A case that sends requests: one, the turns of a conversation, or the rows of a dataset.

use std::{path::Path, time::Duration};

use records::{Check, ErrorInfo, Metrics};
use serde_json::{Value, json};

use super::{
    Came, Measuring, Prepared,
    build::{Built, Making},
    conversation,
    dataset::Row,
    result::judge_all,
    stop_token,
    tally::Tally,
    unsupported,
};
use crate::{
    backend::{Kind, Server},
    expect::{Expectation, Observed, Subject},
    http::{Answer, Asked, HttpError, HttpErrorKind, Outgoing, Reply},
    interrupt::Interrupts,
    measure,
    suite::{Api, Defaults, Places, RequestDef},
};

/// A request and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// The request.
    pub request: &'a RequestDef,
    /// What was prepared of its case.
    pub prepared: &'a Prepared,
    /// What it is sent to.
    pub kind: Kind,
    /// The name by which it asks for the model.
    pub model: &'a str,
    /// What the suite fills in.
    pub defaults: &'a Defaults,
    /// Where files are looked for.
    pub folder: &'a Path,
    /// What placeholders in the names of files stand for.
    pub places: &'a Places,
    /// How long each answer may take.
    pub timeout: Duration,
}

/// A case whose first request only waits to be sent.
#[derive(Debug)]
pub struct Ready<'a> {
    sending: Sending<'a>,
    first: Result<First, String>,
}

#[derive(Debug)]
struct First {
    messages: Vec<Value>,
    built: Built,
}

impl<'a> Sending<'a> {
    /// Reads the files and makes the body of the first request, so that nothing but the
    /// sending falls into the time of the test.
    #[must_use]
    pub fn ready(self) -> Ready<'a> {
        let request = self.prepared.rows.first().map_or(self.request, |row| &row.request);
        Ready { sending: self, first: self.first(request) }
    }

    fn making<'b>(&'b self, request: &'b RequestDef) -> Making<'b> {
        let &Sending { kind, model, defaults, folder, places, .. } = self;
        Making { request, kind, model, defaults, folder, places, measured: None }
    }

    /// `request` as it is sent when it is measured.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, with a sentence that names it.
    pub(crate) fn measured(
        &self,
        request: &RequestDef,
        measuring: Measuring<'_>,
    ) -> Result<Built, String> {
        let making = Making { measured: Some(measuring), ..self.making(request) };
        making.build(&making.opening()?)
    }

    /// The way to `server`.
    pub(crate) fn wire(self, server: &'a mut Server, interrupts: &'a Interrupts) -> Wire<'a> {
        Wire { sending: self, server, interrupts }
    }

    fn first(&self, request: &RequestDef) -> Result<First, String> {
        let making = self.making(request);
        let mut messages = making.opening()?;
        let turn = request.turns.iter().flatten().next();
        if let Some(prompt) = turn.and_then(|turn| turn.prompt.as_ref()) {
            messages.push(making.says(prompt, true)?);
        }
        let built = making.build(&messages)?;
        Ok(First { messages, built })
    }
}

impl Ready<'_> {
    /// Sends what there is to send and reads what comes.
    pub fn run(self, server: &mut Server, interrupts: &Interrupts) -> Came {
        let Ready { sending, first } = self;
        let mut wire = Wire { sending, server, interrupts };
        match sending.prepared.rows.as_slice() {
            [] => {
                let Sending { request, prepared, .. } = sending;
                wire.ask(request, first, &prepared.expectations)
            }
            rows => wire.dataset(rows, first),
        }
    }
}

/// A server, and how it is asked.
pub(crate) struct Wire<'a> {
    /// What goes with each request.
    pub(crate) sending: Sending<'a>,
    /// The server.
    pub(crate) server: &'a mut Server,
    interrupts: &'a Interrupts,
}

impl Wire<'_> {
    /// Asks for one answer, by as many turns as there are.
    fn ask(
        &mut self,
        request: &RequestDef,
        first: Result<First, String>,
        expectations: &[Expectation],
    ) -> Came {
        let First { mut messages, built } = match first {
            Ok(first) => first,
            Err(message) => return Came::error("bad_request", message),
        };
        let turns = request.turns.as_deref().unwrap_or_default();
        if turns.is_empty() {
            return self.exchange(request, built, expectations);
        }
        let mut built = built;
        let mut checks = Vec::new();
        let mut told = Vec::new();
        for (turn, n) in turns.iter().zip(1..) {
            let own = self.sending.prepared.turns.get(n - 1).map(Vec::as_slice).unwrap_or_default();
            let expected =
                if n == turns.len() { [own, expectations].concat() } else { own.to_vec() };
            let mut came = self.exchange(request, built, &expected);
            checks.append(&mut came.checks);
            if came.error.is_none() {
                came.error = judge_all(own, &came.observed, Some(n), &mut checks);
            }
            told.push(conversation::told(turn, &came.observed));
            if let Some(error) = &mut came.error {
                error.message = format!("turn {n}: {}", error.message);
            }
            let next = turns.get(n).filter(|_| came.error.is_none());
            let on = next.map(|next| conversation::go_on(&mut messages, &came.observed, next));
            if let Some(Err(actual)) = &on {
                let expect = json!(format!("turn {n} calls the tools that turn {} answers", n + 1));
                checks.push(Check { expect, ok: false, actual: Some(actual.clone()) });
                came.cut_short = true;
            }
            if !matches!(on, Some(Ok(()))) {
                came.checks = checks;
                came.metadata.insert("turns".to_owned(), Value::Array(told));
                return came;
            }
            built = match self.sending.making(request).build(&messages) {
                Ok(built) => built,
                Err(message) => return Came::error("bad_request", message),
            };
        }
        Came::error("bad_request", "there are no turns".to_owned())
    }

    /// Sends one request and reads its answer.
    pub(crate) fn exchange(
        &mut self,
        request: &RequestDef,
        built: Built,
        expectations: &[Expectation],
    ) -> Came {
        let Built { outgoing, audio_s } = built;
        let client = self.server.client.clone();
        let timeout = self.sending.timeout;
        let asked = Asked {
            api: request.api,
            format: request.response_format.unwrap_or_default(),
            inputs: self.sending.making(request).inputs(),
        };
        let exchange = self.interrupts.run(move || {
            let reply = client.send(&outgoing, timeout)?;
            // Read here too: a long answer takes its time, and Ctrl-C should not.
            let answer = Answer::read(&reply, asked);
            Ok((reply, answer, outgoing))
        });
        match exchange {
            None => Came::interrupted(),
            Some(Err(error)) => failed(&error, self.server),
            Some(Ok((reply, mut answer, outgoing))) => {
                answer.audio_s = audio_s;
                let leak = leak(request, &reply, &answer, &outgoing);
                let mut came = came(request, &reply, answer, expectations, self.server);
                came.checks.extend(leak);
                came
            }
        }
    }

    /// Asks for an answer to each row and counts those that are right.
    fn dataset(&mut self, rows: &[Row], first: Result<First, String>) -> Came {
        let mut all = Tally::default();
        let mut first = Some(first);
        for (row, n) in rows.iter().zip(0..) {
            let request = &row.request;
            let asked = first.take().unwrap_or_else(|| self.sending.first(request));
            let came = self.ask(request, asked, &row.expectations);
            let ends = ["interrupted", "backend_died", "unsupported"];
            if let Some(error) = came.error.as_ref().filter(|e| ends.contains(&e.kind.as_str())) {
                let mut error = error.clone();
                if error.kind != "unsupported" {
                    error.message = format!(
                        "{} (at row {} of {}, line {})",
                        error.message,
                        n + 1,
                        rows.len(),
                        row.line
                    );
                }
                return all.came(Some(error));
            }
            all.add(row, came, &self.sending.prepared.implied);
        }
        all.came(None)
    }
}

/// That a stop token leaked into the answer, where one did that the request does not have
/// itself.
fn leak(
    request: &RequestDef,
    reply: &Reply,
    answer: &Answer,
    outgoing: &Outgoing,
) -> Option<Check> {
    let generates = matches!(request.api, Api::Chat | Api::Completion);
    if !generates || request.allow_stop_tokens || reply.status >= 400 {
        return None;
    }
    let texts = answer.text.iter().chain(&answer.reasoning);
    let token = texts
        .filter_map(|text| stop_token::leaked(text, |token| outgoing.payload.contains(token)))
        .next()?;
    Some(Check {
        expect: json!("no stop token in the answer"),
        ok: false,
        actual: Some(json!(token)),
    })
}

/// There was no answer: the server died, or only the connection broke.
fn failed(error: &HttpError, server: &mut Server) -> Came {
    let dead = if error.kind == HttpErrorKind::Timeout { server.ended() } else { server.died() };
    let info = match dead {
        Some(end) => ErrorInfo {
            kind: "backend_died".to_owned(),
            message: format!("the backend died during the request, with {}", end.describe()),
            exit: end.exit,
            signal: end.signal,
            log_tail: server.log_tail(),
            memory: None,
        },
        None => ErrorInfo { log_tail: server.log_tail(), ..error.info() },
    };
    Came { error: Some(info), ..Came::default() }
}

fn came(
    request: &RequestDef,
    reply: &Reply,
    answer: Answer,
    expectations: &[Expectation],
    server: &mut Server,
) -> Came {
    let status_expected = expectations.iter().any(|e| match &e.subject {
        Subject::Status(any) => any.contains(&u64::from(reply.status)) != e.negated,
        _ => false,
    });
    let bad_status = reply.status >= 400;
    let problem = if bad_status && !status_expected && reply.broken.is_none() {
        let said: String = answer.text.iter().flat_map(|text| text.chars()).take(300).collect();
        let message = format!("HTTP status {}: {said}", reply.status);
        match unsupported::is_unsupported(request, reply.status, &said) {
            true => Some(("unsupported", format!("the backend does not support it: {message}"))),
            false => Some(("http_status", message)),
        }
    } else if bad_status {
        None
    } else {
        answer.fault.clone().map(|fault| ("bad_answer", fault))
    };
    let error = match (&reply.broken, problem) {
        (Some(broken), _) => failed(broken, server).error,
        (None, Some((kind, message))) => Some(ErrorInfo {
            kind: kind.to_owned(),
            message,
            log_tail: server.log_tail(),
            ..ErrorInfo::default()
        }),
        (None, None) => None,
    };
    let gaps_s = match (bad_status, &error) {
        (false, None) => measure::gaps_s(&answer),
        _ => Vec::new(),
    };
    let metrics = match (bad_status, &error) {
        (false, None) => measure::metrics(reply, &answer),
        // An answer that broke off has a beginning, and nothing else to be measured.
        (false, Some(_)) => {
            let ttft_s = measure::metrics(reply, &answer).ttft_s;
            Metrics { ttft_s, ..Metrics::default() }
        }
        (true, _) => Metrics::default(),
    };
    let observed = Observed {
        status: Some(reply.status),
        text: answer.text,
        body: answer.body,
        finish_reason: answer.finish_reason,
        tool_calls: answer.tool_calls,
        sse: answer.sse,
        metrics,
        ..Observed::default()
    };
    Came { observed, error, gaps_s, retry_after: reply.retry_after, ..Came::default() }
}
