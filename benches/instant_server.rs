//! A chat server that answers at once, to measure its client by.
//!
//! Where a request wants a stream, it is sent `max_tokens` chunks of the usual shape as fast
//! as the connection takes them. With `--faults` one request in twenty is told to wait (429),
//! and the connection of another one in twenty is reset.
//!
//! Prints its port. At the end of its standard input it prints, for every request, when
//! its first byte came and when the last byte of the answer went, in nanoseconds of the
//! monotonic clock, and ends; nothing with `--quiet`, which keeps no times.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

const BODY: &str = concat!(
    r#"{"id":"x","model":"instant","choices":[{"index":0,"message":{"role":"assistant","#,
    r#""content":"Hello."},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#
);

/// How much of a stream is written at once, in bytes.
const WRITE: usize = 64 << 10;

/// What the connections of a server share.
#[derive(Default)]
pub(crate) struct Shared {
    times: Mutex<Vec<(i64, i64)>>,
    /// No times are kept.
    quiet: bool,
    /// Some requests fail.
    faults: bool,
    requests: AtomicU64,
}

impl Shared {
    pub(crate) fn new(quiet: bool, faults: bool) -> Arc<Shared> {
        Arc::new(Shared { quiet, faults, ..Shared::default() })
    }
}

fn main() -> io::Result<()> {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let shared = Shared::new(has("--quiet"), has("--faults"));
    writeln!(io::stdout(), "{}", start(Arc::clone(&shared))?)?;
    io::stdin().read_to_end(&mut Vec::new())?;
    let mut out = io::stdout().lock();
    if let Ok(times) = shared.times.lock() {
        for (came, went) in times.iter() {
            writeln!(out, "{came} {went}")?;
        }
    }
    Ok(())
}

/// Answers from now on, at the port that is returned.
pub(crate) fn start(shared: Arc<Shared>) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            // A client that leaves ends its connection and nothing else.
            thread::spawn(move || serve(stream, &shared));
        }
    });
    Ok(port)
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut write = stream.try_clone()?;
    // Little is read ahead where a connection may have to be reset: see below.
    let mut read = BufReader::with_capacity(if shared.faults { 32 } else { 8 << 10 }, stream);
    loop {
        if read.fill_buf()?.is_empty() {
            return Ok(());
        }
        let came = now()?;
        let mut length = 0;
        let mut line = String::new();
        while read.read_line(&mut line)? > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        // What asks whether the server is ready has no body, and is no request.
        let fault = (shared.faults && length > 0)
            .then(|| shared.requests.fetch_add(1, Ordering::Relaxed) % 20);
        if fault == Some(7) {
            // A connection that is left with something unread in it is reset.
            return Ok(());
        }
        let mut body = Vec::new();
        Read::by_ref(&mut read).take(length).read_to_end(&mut body)?;
        match fault {
            Some(3) => answer(&mut write, "429 Too Many Requests", "{}")?,
            _ => match tokens(&body) {
                Some(tokens) => stream_out(&mut write, tokens)?,
                None => answer(&mut write, "200 OK", BODY)?,
            },
        }
        let went = now()?;
        if let (false, Ok(mut times)) = (shared.quiet, shared.times.lock()) {
            times.push((came, went));
        }
    }
}

fn answer(write: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}");
    write.write_all(format!("{head}\r\n\r\n{body}").as_bytes())
}

/// How many tokens a request wants to have streamed; nothing where it wants no stream.
fn tokens(body: &[u8]) -> Option<u64> {
    let request: Value = serde_json::from_slice(body).ok()?;
    request["stream"].as_bool().filter(|stream| *stream)?;
    Some(request["max_tokens"].as_u64().unwrap_or(16))
}

/// Each event is a chunk of the transfer, as servers send them.
fn stream_out(write: &mut TcpStream, tokens: u64) -> io::Result<()> {
    let event = |data: &str| {
        let event = format!("data: {data}\n\n");
        format!("{:x}\r\n{event}\r\n", event.len())
    };
    let chunk = |delta: Value, finish: Option<&str>| {
        event(
            &json!({
                "choices": [{"finish_reason": finish, "index": 0, "delta": delta}],
                "created": 1_795_000_000, "id": "chatcmpl-w7u2J0xGq3ZbVY5n1T8sR4mKcD9aLhEf",
                "model": "instant", "system_fingerprint": "b8994-aab68217b",
                "object": "chat.completion.chunk",
            })
            .to_string(),
        )
    };
    let mut out = String::from(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    out.push_str(&chunk(json!({"role": "assistant", "content": null}), None));
    let token = chunk(json!({"content": " token"}), None);
    for _ in 0..tokens {
        out.push_str(&token);
        if out.len() > WRITE {
            write.write_all(out.as_bytes())?;
            out.clear();
        }
    }
    out.push_str(&chunk(json!({}), Some("length")));
    let usage = json!({
        "prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": tokens + 9,
    });
    out.push_str(&event(&json!({"choices": [], "usage": usage}).to_string()));
    out.push_str(&event("[DONE]"));
    out.push_str("0\r\n\r\n");
    write.write_all(out.as_bytes())
}

fn now() -> io::Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}
