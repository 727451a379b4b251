//! Whole lines, out.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Stdout, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileExt, MetadataExt},
    },
};

use serde::Serialize;

use crate::Error;

/// Writes lines to standard output or a file, and never half of one.
pub struct Writer {
    name: String,
    out: BufWriter<Sink>,
    line: Vec<u8>,
    live: bool,
}

enum Sink {
    File(File),
    Stdout(Stdout),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Stdout(stdout) => stdout.lock().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            Sink::Stdout(stdout) => stdout.lock().flush(),
        }
    }
}

/// Refuses an output that is also an input: making it anew would empty the input
/// before it is read.
///
/// # Errors
///
/// [`Error::Usage`] when it is one.
pub fn refuse_input_as_output(output: Option<&str>, inputs: &[String]) -> Result<(), Error> {
    // Only files lose what they held; a device such as /dev/null can be both. One file
    // can have many names, so files are compared and not paths.
    let file = |path: &str| {
        let metadata = if path == "-" {
            let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
            File::from(stdin).metadata().ok()?
        } else {
            fs::metadata(path).ok()?
        };
        metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
    };
    let Some((path, output)) =
        output.filter(|path| *path != "-").and_then(|path| Some((path, file(path)?)))
    else {
        return Ok(());
    };
    let read = inputs.iter().any(|input| file(input) == Some(output));
    if read || (inputs.is_empty() && file("-") == Some(output)) {
        return Err(Error::Usage(format!("{path} is both an input and the output")));
    }
    Ok(())
}

/// How long `file` is up to and with its last newline, in bytes.
///
/// # Errors
///
/// When it cannot be read.
pub fn whole_lines(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.read_exact_at(part, start)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

impl Writer {
    /// Writes to `path`, made anew, or to standard output when there is none (or
    /// `-`). Lines are gathered until [`Writer::flush`].
    ///
    /// # Errors
    ///
    /// When the file cannot be made: before any work is done, not after it.
    pub fn create(path: Option<&str>) -> Result<Writer, Error> {
        let (name, sink) = match path {
            None | Some("-") => ("standard output", Sink::Stdout(io::stdout())),
            Some(path) => {
                let file = File::create(path).map_err(|source| Error::write(path, source))?;
                (path, Sink::File(file))
            }
        };
        let out = BufWriter::with_capacity(64 << 10, sink);
        Ok(Writer { name: name.to_owned(), out, line: Vec::new(), live: false })
    }

    /// Adds to `path`, behind its last whole line: half a line that a killed writer left
    /// at the end is cut off.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or read.
    pub fn append(path: &str) -> Result<Writer, Error> {
        let failed = |source| Error::write(path, source);
        let file = File::options().read(true).append(true).open(path).map_err(failed)?;
        // A device has no length and holds no half line.
        if file.metadata().map_err(failed)?.is_file() {
            let whole = whole_lines(&file).map_err(failed)?;
            file.set_len(whole).map_err(failed)?;
        }
        let out = BufWriter::with_capacity(64 << 10, Sink::File(file));
        Ok(Writer { name: path.to_owned(), out, line: Vec::new(), live: false })
    }

    /// The same, but every line is written when it happens.
    #[must_use]
    pub fn live(mut self) -> Writer {
        self.live = true;
        self
    }

    /// Writes `line` and a newline.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        self.line.clear();
        self.line.extend_from_slice(line);
        self.write_line()
    }

    /// Writes `record` as a line.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn record<T: Serialize>(&mut self, record: &T) -> Result<(), Error> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record)
            .map_err(|error| Error::write(&self.name, error.into()))?;
        self.write_line()
    }

    /// Writes `lines`, which already end in newlines, as they are and in one piece.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn lines(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.out.write_all(lines).map_err(|source| Error::write(&self.name, source))?;
        if self.live { self.flush() } else { Ok(()) }
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.out.flush().map_err(|source| Error::write(&self.name, source))
    }

    /// The path, or `standard output`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn write_line(&mut self) -> Result<(), Error> {
        self.line.push(b'\n');
        // In one piece: a line that does not fit goes out alone, behind what was
        // gathered, so that a kill between two writes costs no half line.
        self.out.write_all(&self.line).map_err(|source| Error::write(&self.name, source))?;
        if self.live { self.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Writer;

    #[test]
    fn a_live_writer_writes_each_line_and_the_other_gathers_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.jsonl");
        let path = path.to_str().unwrap();
        let mut writer = Writer::create(Some(path)).unwrap();
        writer.line(b"{}").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "");
        writer.flush().unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{}\n");

        let mut writer = Writer::create(Some(path)).unwrap().live();
        writer.record(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{\"a\":1}\n");
        writer.lines(b"{}\n{}\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{\"a\":1}\n{}\n{}\n");
    }

    #[test]
    fn an_output_that_cannot_be_made_is_found_before_the_work() {
        let error = Writer::create(Some("/nonexistent/out")).err().unwrap();
        assert_eq!(error.exit_code(), 74);
        assert!(error.to_string().starts_with("cannot write: /nonexistent/out: "));
    }

    #[test]
    fn an_input_is_never_an_output() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let inputs = [path.to_str().unwrap().to_owned(), "/dev/null".to_owned()];
        let other_way = dir.path().join("./a.jsonl");
        let check = |output: &str| super::refuse_input_as_output(Some(output), &inputs);
        assert_eq!(check(other_way.to_str().unwrap()).unwrap_err().exit_code(), 2);
        let other_name = dir.path().join("hard.jsonl");
        fs::hard_link(&path, &other_name).unwrap();
        assert_eq!(check(other_name.to_str().unwrap()).unwrap_err().exit_code(), 2);
        assert!(check("/dev/null").is_ok() && check("-").is_ok());
        assert!(check(dir.path().join("b.jsonl").to_str().unwrap()).is_ok());
    }

    #[test]
    fn a_full_disk_is_an_error_and_not_a_loss_in_silence() {
        let mut writer = Writer::create(Some("/dev/full")).unwrap().live();
        assert_eq!(writer.line(b"{}").unwrap_err().exit_code(), 74);
    }
}
