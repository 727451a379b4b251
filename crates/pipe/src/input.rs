//! Files and standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Stdin},
    os::fd::AsFd,
};

use nix::sys::{
    signal::{SigHandler, Signal, signal},
    stat::{SFlag, fstat},
};
use rustix::{buffer::spare_capacity, io::Errno};

use crate::{Error, assemble};

/// Bytes asked of the system at a time.
const BUFFER: usize = 128 << 10;

/// A file or standard input, with its name.
pub struct Input {
    name: String,
    reader: BufReader<Source>,
}

enum Source {
    File(File),
    Stdin(Stdin),
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::File(file) => file.read(buffer),
            Source::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

impl Input {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`Error::NoInput`] when it cannot be opened, or is a directory.
    pub fn open(path: &str) -> Result<Input, Error> {
        let no_input = |source| Error::NoInput { path: path.to_owned(), source };
        let (name, source) = if path == "-" {
            ("standard input", Source::Stdin(io::stdin()))
        } else {
            let file = File::open(path).map_err(no_input)?;
            // Opening a directory succeeds and only reading it fails: say it now.
            if file.metadata().map_err(no_input)?.is_dir() {
                return Err(no_input(io::ErrorKind::IsADirectory.into()));
            }
            (path, Source::File(file))
        };
        Ok(Input { name: name.to_owned(), reader: BufReader::with_capacity(BUFFER, source) })
    }

    /// The path, or `standard input`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the next line that is JSON would have to be waited for: no whole one is
    /// here yet. Text and blank lines that are here do not count, for the reader goes
    /// on behind them and waits there.
    #[must_use]
    pub fn would_wait(&self) -> bool {
        let mut rest = self.reader.buffer();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if rest[..end].trim_ascii_start().first() == Some(&b'{') {
                return false;
            }
            rest = &rest[end + 1..];
        }
        true
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl assemble::Source for Input {
    fn append_to(&mut self, block: &mut Vec<u8>) -> io::Result<usize> {
        let here = self.reader.buffer().len().min(block.capacity() - block.len());
        if here > 0 {
            block.extend_from_slice(&self.reader.buffer()[..here]);
            self.reader.consume(here);
            return Ok(here);
        }
        let source = match self.reader.get_ref() {
            Source::File(file) => file.as_fd(),
            Source::Stdin(stdin) => stdin.as_fd(),
        };
        // Into memory that nobody clears before.
        loop {
            match rustix::io::read(source, spare_capacity(block)) {
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

/// Ignores Ctrl-C when standard input is a pipe.
///
/// Ctrl-C goes to every program of a pipeline. The first one ends and closes its
/// pipe; the filters after it must live on to the end of their input, or what was
/// measured is lost.
pub fn ignore_interrupt_when_piped() {
    let is_pipe = fstat(io::stdin().as_fd())
        .is_ok_and(|stat| SFlag::from_bits_truncate(stat.st_mode).contains(SFlag::S_IFIFO));
    if is_pipe {
        // SAFETY: SIG_IGN installs no handler, so there is no code that could do
        // anything unsafe in a signal's context.
        let ignored = unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) };
        // It fails for an invalid signal number only, and SIGINT is none.
        debug_assert!(ignored.is_ok());
    }
}
