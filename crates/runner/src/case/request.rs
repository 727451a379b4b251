//! A case that sends a request.

use std::{fs, path::Path, time::Duration};

use records::{ErrorInfo, Metrics};
use serde_json::{Map, Value, json};

use super::Came;
use crate::{
    backend::Server,
    expect::{Expectation, Observed, Subject},
    http::{Answer, Body, HttpError, HttpErrorKind, Reply},
    interrupt::Interrupts,
    measure,
    suite::{Defaults, RequestDef},
};

/// Where chat requests go.
const CHAT: &str = "/v1/chat/completions";

/// A request and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// The request.
    pub request: &'a RequestDef,
    /// The name by which it asks for the model.
    pub model: &'a str,
    /// What the suite fills in.
    pub defaults: &'a Defaults,
    /// Where files are looked for.
    pub folder: &'a Path,
    /// What the case expects: a status that is expected is no error.
    pub expectations: &'a [Expectation],
    /// How long it may take.
    pub timeout: Duration,
}

/// Sends the request once and reads the answer.
pub fn run(sending: &Sending<'_>, server: &mut Server, interrupts: &Interrupts) -> Came {
    let &Sending { request, model, defaults, folder, expectations, timeout } = sending;
    let body = match body(request, model, defaults, folder) {
        Ok(body) => body,
        Err(message) => return Came::error("bad_request", message),
    };
    let client = server.client.clone();
    let exchange = interrupts.run(move || {
        let reply = client.post(CHAT, &body, timeout)?;
        // Read here too: a long answer takes its time, and Ctrl-C should not.
        let answer = Answer::read(&reply);
        Ok((reply, answer))
    });
    match exchange {
        None => Came::interrupted(),
        Some(Err(error)) => failed(&error, server),
        Some(Ok((reply, answer))) => came(&reply, answer, expectations, server),
    }
}

/// The body of the request.
fn body(
    request: &RequestDef,
    model: &str,
    defaults: &Defaults,
    folder: &Path,
) -> Result<Vec<u8>, String> {
    let to_json =
        |value: &toml::Value| serde_json::to_value(value).map_err(|error| error.to_string());
    match &request.raw {
        Some(toml::Value::String(text)) => return Ok(text.clone().into_bytes()),
        Some(table) => return Ok(to_json(table)?.to_string().into_bytes()),
        None => {}
    }
    let messages = match (&request.messages, &request.prompt, &request.prompt_file) {
        (Some(messages), ..) => messages.iter().map(to_json).collect::<Result<_, _>>()?,
        (_, Some(prompt), _) => json!([{"role": "user", "content": prompt}]),
        (.., Some(file)) => {
            let prompt = fs::read_to_string(folder.join(file))
                .map_err(|error| format!("prompt_file {file}: {error}"))?;
            json!([{"role": "user", "content": prompt}])
        }
        _ => return Err("there is no prompt".to_owned()),
    };
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("messages".to_owned(), messages);
    let stop = request.stop.as_ref().map(|stop| &stop.0);
    for (name, value) in [
        ("max_tokens", request.max_tokens.map(Value::from)),
        ("temperature", request.temperature.or(defaults.temperature).map(Value::from)),
        ("seed", request.seed.or(defaults.seed).map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("top_k", request.top_k.map(Value::from)),
        ("min_p", request.min_p.map(Value::from)),
        ("stop", stop.map(|words| json!(words))),
    ] {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    }
    if request.stream {
        body.insert("stream".to_owned(), json!(true));
        // Without it a stream carries no token counts.
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    Ok(Value::Object(body).to_string().into_bytes())
}

/// There was no answer: the server died, or only the connection broke.
fn failed(error: &HttpError, server: &mut Server) -> Came {
    let kind = match error.kind {
        HttpErrorKind::Timeout => "timeout",
        HttpErrorKind::Connection => "connection",
        HttpErrorKind::Protocol => "bad_answer",
    };
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
        None => ErrorInfo {
            kind: kind.to_owned(),
            message: error.message.clone(),
            log_tail: server.log_tail(),
            ..ErrorInfo::default()
        },
    };
    Came { error: Some(info), ..Came::default() }
}

fn came(reply: &Reply, answer: Answer, expectations: &[Expectation], server: &mut Server) -> Came {
    let status_expected = expectations.iter().any(|e| match &e.subject {
        Subject::Status(any) => any.contains(&u64::from(reply.status)) != e.negated,
        _ => false,
    });
    let bad_status = reply.status >= 400;
    let mut error = None;
    if let Some(broken) = &reply.broken {
        error = failed(broken, server).error;
    } else if bad_status && !status_expected {
        error = Some(ErrorInfo {
            kind: "http_status".to_owned(),
            message: format!("HTTP status {}: {}", reply.status, said(reply)),
            log_tail: server.log_tail(),
            ..ErrorInfo::default()
        });
    } else if !bad_status && let Some(fault) = &answer.fault {
        error = Some(ErrorInfo {
            kind: "bad_answer".to_owned(),
            message: fault.clone(),
            log_tail: server.log_tail(),
            ..ErrorInfo::default()
        });
    }
    let metrics = match (bad_status, &error) {
        (true, _) => Metrics::default(),
        (false, None) => measure::metrics(reply, &answer),
        // An answer that broke off has a first token, and no end to measure.
        (false, Some(_)) => {
            let ttft_s = measure::metrics(reply, &answer).ttft_s;
            Metrics { ttft_s, ..Metrics::default() }
        }
    };
    let observed = Observed {
        status: Some(reply.status),
        text: answer.text,
        body: answer.body,
        finish_reason: answer.finish_reason,
        sse: answer.sse,
        metrics,
        ..Observed::default()
    };
    Came { observed, error, retry_after: reply.retry_after, ..Came::default() }
}

/// The beginning of what an error answer says.
fn said(reply: &Reply) -> String {
    let Body::Whole(bytes) = &reply.body else { return "(a stream)".to_owned() };
    let message = serde_json::from_slice(bytes).ok().and_then(|body| crate::http::error_of(&body));
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::body;
    use crate::suite::{Defaults, RequestDef};

    fn built(text: &str) -> Result<Value, String> {
        let request: RequestDef = toml::from_str(text).unwrap();
        let defaults = Defaults { seed: Some(42), temperature: Some(0.0), ..Defaults::default() };
        body(&request, "m", &defaults, Path::new("/nowhere")).map(|bytes| {
            serde_json::from_slice(&bytes).unwrap_or(json!(String::from_utf8(bytes).unwrap()))
        })
    }

    #[test]
    fn a_request_carries_what_it_says_and_the_defaults() {
        assert_eq!(
            built(
                "api = 'chat'\nprompt = 'hi'\nmax_tokens = 16\nseed = 7\nstop = 'x'\nstream = true"
            )
            .unwrap(),
            json!({
                "model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 16,
                "temperature": 0.0, "seed": 7, "stop": ["x"],
                "stream": true, "stream_options": {"include_usage": true},
            })
        );
    }

    #[test]
    fn a_raw_body_is_sent_as_it_is() {
        assert_eq!(built("api = 'chat'\nraw = '{broken'").unwrap(), json!("{broken"));
        assert_eq!(built("api = 'chat'\nraw = { messages = 7 }").unwrap(), json!({"messages": 7}));
    }

    #[test]
    fn a_missing_prompt_file_is_named() {
        let error = built("api = 'chat'\nprompt_file = 'p.txt'").unwrap_err();
        assert!(error.starts_with("prompt_file p.txt: "), "{error}");
    }
}
