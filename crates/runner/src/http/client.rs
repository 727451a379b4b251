//! Requests that are sent once, and answers with the times at which they came.

use std::{
    error::Error as _,
    fmt,
    io::{self, ErrorKind, Read},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use jiff::{Timestamp, fmt::rfc2822};
use records::ErrorInfo;
use ureq::{
    Agent,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::{
    Outgoing,
    sse::{Events, SseReader},
};

/// The most that is read of one answer, in bytes.
const MAX_BODY: u64 = 64 << 20;

/// How much is read or written at once, in bytes.
const BUFFER: usize = 16 << 10;

/// A key for a server. It is sent, and never shown.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A key.
    #[must_use]
    pub fn new(key: String) -> Key {
        Key(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Speaks to one server.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    key: Option<Key>,
}

/// An answer, with the times at which it came.
#[derive(Debug)]
pub struct Reply {
    /// When the request was sent.
    pub sent: Instant,
    /// When the last byte was read.
    pub done: Instant,
    /// The status.
    pub status: u16,
    /// How long the server asks to be left alone, where it says so.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Body,
    /// Why the body ended before its end. What came until then is in `body`.
    pub broken: Option<HttpError>,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// In one piece.
    Whole(Vec<u8>),
    /// As server-sent events.
    Events(Events),
}

/// Why there is no answer, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// What kind of failure.
    pub kind: HttpErrorKind,
    /// A sentence for people.
    pub message: String,
}

impl HttpError {
    /// As it stands in a result.
    #[must_use]
    pub fn info(&self) -> ErrorInfo {
        let kind = match self.kind {
            HttpErrorKind::Timeout => "timeout",
            HttpErrorKind::Connection => "connection",
            HttpErrorKind::Protocol => "bad_answer",
        };
        let message = self.message.clone();
        ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() }
    }
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// It took too long.
    Timeout,
    /// Nobody listens, or the connection broke.
    Connection,
    /// What came is not HTTP.
    Protocol,
}

impl Client {
    /// A client of the server at `base`, such as `http://127.0.0.1:8080`; the `/v1`
    /// with which OpenAI's own addresses end may be there or not.
    ///
    /// Each request has a connection of its own: one that was kept may have died
    /// with the server's last life, and whether a library then sends a request
    /// twice is nothing to leave to chance when requests are measured.
    #[must_use]
    pub fn new(base: &str, key: Option<Key>) -> Client {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_redirects(0)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")));
        if is_local(base) {
            // A proxy of the environment is no way to this machine.
            config = config.proxy(None);
        }
        Client {
            agent: Agent::with_parts(config.build(), DefaultConnector::default(), Addresses),
            base: base.trim_end_matches('/').trim_end_matches("/v1").to_owned(),
            key,
        }
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the server is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local(&self.base)
    }

    /// Asks for `path`.
    ///
    /// # Errors
    ///
    /// When there is no answer within `timeout`.
    pub fn get(&self, path: &str, timeout: Duration) -> Result<Reply, HttpError> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(Key(key)) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let sent = Instant::now();
        let response = request.config().timeout_global(Some(timeout)).build().call();
        read(sent, response.map_err(|error| explain(&error, timeout))?, timeout)
    }

    /// Sends `body` to `path`, once.
    ///
    /// # Errors
    ///
    /// When there is no answer within `timeout`. An answer that begins and breaks
    /// off is a reply that says so.
    pub fn post(&self, path: &str, body: &[u8], timeout: Duration) -> Result<Reply, HttpError> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/json");
        if let Some(Key(key)) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.config().timeout_global(Some(timeout)).build();
        let sent = Instant::now();
        let response = request.send(body).map_err(|error| explain(&error, timeout))?;
        read(sent, response, timeout)
    }

    /// Sends `outgoing`, once.
    ///
    /// # Errors
    ///
    /// As [`Client::post`].
    pub fn send(&self, outgoing: &Outgoing, timeout: Duration) -> Result<Reply, HttpError> {
        let url = format!("{}{}", self.base, outgoing.path);
        let method = outgoing.method.as_str();
        let without_body = match method {
            "GET" => Some(self.agent.get(&url)),
            "DELETE" => Some(self.agent.delete(&url)),
            _ => None,
        };
        if let Some(request) = without_body {
            let request = self.with_key(request, timeout);
            let sent = Instant::now();
            return read(sent, request.call().map_err(|error| explain(&error, timeout))?, timeout);
        }
        let payload = &outgoing.payload;
        let request = if method == "PUT" { self.agent.put(&url) } else { self.agent.post(&url) };
        // The length is known, so nothing is sent in chunks, which not every server reads.
        let request = request
            .header("content-type", &outgoing.content_type)
            .header("content-length", payload.len().to_string());
        // A server that refuses by the length says so before it is sent anything, and need
        // not break the connection in the middle, which would hide its answer.
        let request = match payload.is_filled() {
            true => request.header("expect", "100-continue"),
            false => request,
        };
        let request = self.with_key(request, timeout);
        let mut reader = payload.reader();
        let sent = Instant::now();
        let response = request.send(ureq::SendBody::from_reader(&mut reader));
        read(sent, response.map_err(|error| explain(&error, timeout))?, timeout)
    }

    fn with_key<B>(
        &self,
        request: ureq::RequestBuilder<B>,
        timeout: Duration,
    ) -> ureq::RequestBuilder<B> {
        let request = match &self.key {
            Some(Key(key)) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        request.config().timeout_global(Some(timeout)).build()
    }
}

fn read(
    sent: Instant,
    response: ureq::http::Response<ureq::Body>,
    timeout: Duration,
) -> Result<Reply, HttpError> {
    let status = response.status().as_u16();
    let is_events = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"));
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| retry_after(text, Timestamp::now()));
    let mut source = response.into_body().into_reader();
    let mut buffer = [0; BUFFER];
    let mut bytes = Vec::new();
    let mut sse = SseReader::default();
    let mut total = 0u64;
    let broken = loop {
        match source.read(&mut buffer) {
            Ok(0) => break None,
            Ok(n) => {
                // One stamp for one arrival: what came together came together.
                let at = Instant::now();
                if is_events {
                    sse.feed(&buffer[..n], at);
                } else {
                    bytes.extend_from_slice(&buffer[..n]);
                }
                total += n as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break Some(explain_io(&error, timeout)),
        }
        if total > MAX_BODY {
            break Some(HttpError {
                kind: HttpErrorKind::Protocol,
                message: format!("the answer is longer than {MAX_BODY} bytes"),
            });
        }
    };
    let done = Instant::now();
    let body = if is_events { Body::Events(sse.events()) } else { Body::Whole(bytes) };
    Ok(Reply { sent, done, status, retry_after, body, broken })
}

/// What `Retry-After` says (RFC 9110, section 10.2.3): seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text).ok()?.timestamp();
    Some(until.duration_since(now).try_into().unwrap_or_default())
}

fn explain(error: &ureq::Error, timeout: Duration) -> HttpError {
    let (kind, message) = match error {
        ureq::Error::Io(error) => return explain_io(error, timeout),
        ureq::Error::Timeout(_) => (HttpErrorKind::Timeout, too_long(timeout)),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::Tls(_) => {
            (HttpErrorKind::Connection, error.to_string())
        }
        _ => (HttpErrorKind::Protocol, error.to_string()),
    };
    HttpError { kind, message }
}

fn explain_io(error: &io::Error, timeout: Duration) -> HttpError {
    // ureq hands its own errors through io::Error while a body is read.
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    if let Some(inner) = inner.filter(|inner| !matches!(inner, ureq::Error::Io(_))) {
        return explain(inner, timeout);
    }
    let (kind, message) = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => (HttpErrorKind::Timeout, too_long(timeout)),
        ErrorKind::ConnectionRefused => {
            (HttpErrorKind::Connection, "connection refused".to_owned())
        }
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            (HttpErrorKind::Connection, "the connection was reset".to_owned())
        }
        ErrorKind::UnexpectedEof => {
            (HttpErrorKind::Connection, "the connection was closed before the answer".to_owned())
        }
        _ => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            (HttpErrorKind::Connection, format!("{error}{cause}"))
        }
    };
    HttpError { kind, message }
}

fn too_long(timeout: Duration) -> String {
    format!("no complete answer within {}", humantime::format_duration(timeout))
}

/// Finds the addresses of hosts. One that is an address already is not looked up: with a
/// time limit the library starts a thread for each look, which requests that are
/// measured should not pay for.
#[derive(Debug)]
struct Addresses;

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().map(|host| host.trim_matches(['[', ']']));
        let port = uri.port_u16().or(match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        });
        match (host.and_then(|host| host.parse::<IpAddr>().ok()), port) {
            (Some(address), Some(port)) => {
                let mut found = self.empty();
                found.push(SocketAddr::new(address, port));
                Ok(found)
            }
            _ => DefaultResolver::default().resolve(uri, config, timeout),
        }
    }
}

/// Whether `base` is an address of this machine.
fn is_local(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{is_local, retry_after};

    #[test]
    fn this_machine_is_told_from_others_that_are_called_alike() {
        for base in
            ["http://127.0.0.1:80", "http://localhost:1/v1", "http://[::1]:9", "https://0.0.0.0"]
        {
            assert!(is_local(base), "{base}");
        }
        for base in ["http://localhost.example.com", "http://127.foo.net", "http://10.0.0.1", ""] {
            assert!(!is_local(base), "{base}");
        }
    }

    #[test]
    fn a_server_names_the_time_in_seconds_or_as_a_date() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let of = |text| retry_after(text, now);
        assert_eq!(of(" 120"), Some(Duration::from_secs(120)));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
        assert_eq!(of("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO), "it is over");
        assert_eq!(of("soon"), None);
    }
}
