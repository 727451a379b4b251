//! What one would write who wants nothing but some numbers of samples: each thread takes a part
//! of the file, looks for the names of the fields in the order in which they stand, and reads
//! the number behind each. It trusts the lines to be JSON, each field to be where it was in
//! others, and no text to look like a field. What `just bench` holds correlate against.
//!
//! `plain_scan FILE NAME...`
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::{fs::File, io, os::unix::fs::FileExt, process::ExitCode, thread};

use memchr::memmem::Finder;

/// Bytes that are read at a time.
const READ: usize = 256 << 10;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap_or_default();
    let names: Vec<String> = args.map(|name| format!("\"{name}\":")).collect();
    match scan(&file, &names) {
        Ok((lines, sum)) => {
            println!("{lines} samples, {sum}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            pipe::cli::complain("plain_scan", &format!("{file}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn scan(file: &str, names: &[String]) -> io::Result<(u64, f64)> {
    let file = &File::open(file)?;
    let size = file.metadata()?.len();
    let threads = thread::available_parallelism()?.get() as u64;
    thread::scope(|scope| {
        let part = |n| (size * n / threads, size * (n + 1) / threads);
        let parts = (0..threads).map(part);
        let scans: Vec<_> = parts
            .map(|(from, to)| {
                let mut scan = Scan::new(names);
                scope.spawn(move || scan.part(file, from, to).map(|()| (scan.lines, scan.sum)))
            })
            .collect();
        scans.into_iter().try_fold((0, 0.0), |(lines, sum), scan| {
            let scanned = scan.join().map_err(|_| io::Error::other("a thread panicked"))??;
            Ok((lines + scanned.0, sum + scanned.1))
        })
    })
}

struct Scan<'a> {
    names: Vec<Finder<'a>>,
    lines: u64,
    sum: f64,
}

impl<'a> Scan<'a> {
    fn new(names: &'a [String]) -> Scan<'a> {
        Scan { names: names.iter().map(Finder::new).collect(), lines: 0, sum: 0.0 }
    }

    /// Takes the lines that begin at `from` or behind it, and before `to`.
    fn part(&mut self, file: &File, from: u64, to: u64) -> io::Result<()> {
        // The line before, whose end shows where the first one begins.
        let mut start = from.saturating_sub(1);
        let mut is_before = from > 0;
        let (mut bytes, mut known) = (vec![0; READ], 0);
        loop {
            if bytes.len() < known + READ {
                bytes.resize(known + READ, 0);
            }
            let count = file.read_at(&mut bytes[known..known + READ], start + known as u64)?;
            known += count;
            let mut at = 0;
            while let Some(end) = memchr::memchr(b'\n', &bytes[at..known]) {
                if start + at as u64 >= to {
                    return Ok(());
                }
                if !std::mem::take(&mut is_before) {
                    self.line(&bytes[at..at + end]);
                }
                at += end + 1;
            }
            if count == 0 {
                return Ok(());
            }
            bytes.copy_within(at..known, 0);
            (start, known) = (start + at as u64, known - at);
        }
    }

    fn line(&mut self, line: &[u8]) {
        if !line.starts_with(b"{\"record\":\"sample\"") {
            return;
        }
        self.lines += 1;
        let mut rest = line;
        for name in &self.names {
            let Some(found) = name.find(rest) else {
                continue;
            };
            rest = &rest[found + name.needle().len()..];
            if let Ok((number, length)) = fast_float2::parse_partial::<f64, _>(rest) {
                self.sum += number;
                rest = &rest[length..];
            }
        }
    }
}
