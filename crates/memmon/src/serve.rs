//! The last sample over HTTP: `/metrics` for Prometheus, `/json` for everyone.
//!
//! One thread, one request at a time and a second for each: enough for those who look
//! now and then, and nothing that a stranger could make grow. The sampler only leaves
//! its sample here, and waits for nobody.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use records::Sample;

use crate::metrics::{Latest, Page};

/// The longest request, and the time that it has. Ours take microseconds.
const LONGEST: usize = 8 << 10;
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the sampler leaves its last sample.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Option<Latest>>>);

impl Board {
    /// Replaces what is there by `sample` and the counts so far.
    pub fn put(&self, sample: Sample, samples: u64, missed: u64) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Latest::new(sample, samples, missed, place.as_ref()));
    }

    fn get(&self) -> Option<Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The address that `text` means: a port alone, with or without a colon, is on this
/// machine only.
///
/// # Errors
///
/// When it is no address, for people.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| "an address and a port are wanted, such as 127.0.0.1:9090".to_owned())
}

/// Takes the address and answers on it from now on, in a thread of its own; where.
///
/// # Errors
///
/// When the address is taken, or not ours.
pub fn start(address: SocketAddr, board: Board) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("http".into()).spawn(move || {
        let page = Page::new();
        for stream in listener.incoming() {
            match stream {
                // A client that goes away or says nothing is its own concern.
                Ok(stream) => drop(answer(stream, &page, &board)),
                // No room for another connection, say: it may pass.
                Err(_) => thread::sleep(PATIENCE),
            }
        }
    })?;
    Ok(address)
}

/// What a request comes to.
struct Answer {
    status: &'static str,
    kind: &'static str,
    body: String,
}

fn answer(mut stream: TcpStream, page: &Page, board: &Board) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read(&mut stream)?;
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let understood = parsed.parse(&request).is_ok_and(|status| status.is_complete());
    let Answer { status, kind, body } = match (parsed.method, parsed.path) {
        (Some("GET" | "HEAD"), Some(path)) if understood => respond(path, page, board),
        (Some(_), _) if understood => plain("405 Method Not Allowed", "GET and HEAD only\n"),
        _ => plain("400 Bad Request", "no HTTP request\n"),
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{allow}Connection: close\r\n\r\n"
    )?;
    if parsed.method != Some("HEAD") {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

/// Reads up to the empty line that ends a request.
fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let start = Instant::now();
    let mut request = Vec::new();
    let mut piece = [0; 1 << 10];
    while request.len() < LONGEST && !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = PATIENCE.saturating_sub(start.elapsed());
        // Zero would mean forever.
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match stream.read(&mut piece)? {
            0 => break,
            read if left.is_zero() => {
                return Err(io::Error::other(format!("{read} bytes, too late")));
            }
            read => request.extend_from_slice(&piece[..read]),
        }
    }
    Ok(request)
}

fn respond(path: &str, page: &Page, board: &Board) -> Answer {
    let path = path.split('?').next().unwrap_or_default();
    if !matches!(path, "/metrics" | "/json") {
        return plain("404 Not Found", "try /metrics or /json\n");
    }
    let Some(latest) = board.get() else {
        return plain("503 Service Unavailable", "no sample yet\n");
    };
    if path == "/metrics" {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        return Answer { status: "200 OK", kind, body: page.text(&latest) };
    }
    match serde_json::to_string(&latest.sample) {
        Ok(json) => Answer { status: "200 OK", kind: "application/json", body: json + "\n" },
        Err(error) => plain("500 Internal Server Error", &format!("{error}\n")),
    }
}

fn plain(status: &'static str, text: &str) -> Answer {
    Answer { status, kind: "text/plain; charset=utf-8", body: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_port_alone_is_on_this_machine_and_others_are_as_written() {
        for (text, wanted) in [
            ("9090", "127.0.0.1:9090"),
            (":9090", "127.0.0.1:9090"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:9090", "[::1]:9090"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), wanted, "{text}");
        }
        for bad in ["", ":", "65536", "127.0.0.1", "a b:1", "127.0.0.1:x"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
