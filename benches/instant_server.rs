//! A chat server that answers at once, to measure its client by.
//!
//! Prints its port. At the end of its standard input it prints, for every request, when
//! its first byte came and when the last byte of the answer went, in nanoseconds of the
//! monotonic clock, and ends.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use nix::time::{ClockId, clock_gettime};

const BODY: &str = concat!(
    r#"{"id":"x","model":"instant","choices":[{"index":0,"message":{"role":"assistant","#,
    r#""content":"Hello."},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#
);

type Times = Arc<Mutex<Vec<(i64, i64)>>>;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    let times = Times::default();
    let theirs = Arc::clone(&times);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let times = Arc::clone(&theirs);
            // A client that leaves ends its connection and nothing else.
            thread::spawn(move || serve(stream, &times));
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    let mut out = io::stdout().lock();
    if let Ok(times) = times.lock() {
        for (came, went) in times.iter() {
            writeln!(out, "{came} {went}")?;
        }
    }
    Ok(())
}

fn serve(stream: TcpStream, times: &Times) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut write = stream.try_clone()?;
    let mut read = BufReader::new(stream);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
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
        io::copy(&mut Read::by_ref(&mut read).take(length), &mut io::sink())?;
        write.write_all(answer.as_bytes())?;
        let went = now()?;
        if let Ok(mut times) = times.lock() {
            times.push((came, went));
        }
    }
}

fn now() -> io::Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}
