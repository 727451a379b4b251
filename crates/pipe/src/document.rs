//! A file that is there whole, or not at all.

use std::{
    fs::{self, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

const STANDARD_OUTPUT: &str = "standard output";

/// Where a report or a page goes.
///
/// A file is written beside its final place and moved there at the end, so that an
/// older one survives whatever goes wrong before; devices and pipes are written
/// directly.
pub struct Document {
    name: String,
    sink: BufWriter<Sink>,
}

enum Sink {
    Stdout(io::Stdout),
    Device(fs::File),
    /// The temporary file is made when there is something to write: until then a
    /// signal leaves nothing behind.
    File {
        temporary: Option<NamedTempFile>,
        path: PathBuf,
    },
}

impl Document {
    /// Opens `path`; `-` is standard output.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn create(path: &str) -> Result<Document, Error> {
        let (name, sink) = if path == "-" {
            (STANDARD_OUTPUT, Ok(Sink::Stdout(io::stdout())))
        } else {
            (path, open(Path::new(path)))
        };
        let sink = sink.map_err(|source| Error::write(name, source))?;
        Ok(Document { name: name.to_owned(), sink: BufWriter::with_capacity(256 << 10, sink) })
    }

    /// Appends `text`.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn text(&mut self, text: &str) -> Result<(), Error> {
        self.bytes(text.as_bytes())
    }

    /// Appends `bytes`, for what is no text.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sink.write_all(bytes).map_err(|source| Error::write(&self.name, source))
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn finish(self) -> Result<(), Error> {
        let Document { name, sink } = self;
        sink.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|sink| match sink {
                Sink::Stdout(mut stdout) => stdout.flush(),
                Sink::Device(_) => Ok(()),
                Sink::File { temporary, path } => {
                    let whole = temporary.map_or_else(|| beside(&path), Ok)?;
                    whole.persist(&path).map(drop).map_err(|error| error.error)
                }
            })
            .map_err(|source| Error::write(&name, source))
    }
}

fn open(path: &Path) -> io::Result<Sink> {
    // Through a symbolic link to what it names, which is to be replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // Opened for writing and left as it is: what is write-protected stays.
        Ok(meta) if meta.is_file() => drop(fs::OpenOptions::new().append(true).open(&path)?),
        Ok(_) => return fs::OpenOptions::new().write(true).open(&path).map(Sink::Device),
        Err(_) => {}
    }
    // Found out now, and not after the work.
    drop(beside(&path)?);
    Ok(Sink::File { temporary: None, path })
}

/// A new file in the folder of `path`.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Builder::new()
        .prefix(".unfinished-")
        // As for any new file; the user's umask takes its part away.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Stdout(stdout) => stdout.write(bytes),
            Sink::Device(file) => file.write(bytes),
            Sink::File { temporary: Some(file), .. } => file.write(bytes),
            Sink::File { temporary, path } => temporary.insert(beside(path)?).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(stdout) => stdout.flush(),
            Sink::Device(file) => file.flush(),
            Sink::File { temporary, .. } => temporary.as_mut().map_or(Ok(()), Write::flush),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Document;

    #[test]
    fn an_older_page_survives_until_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("timeline.html");
        fs::write(&path, "old").unwrap();
        let mut output = Document::create(path.to_str().unwrap()).unwrap();
        output.text("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        drop(Document::create(path.to_str().unwrap()).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_cannot_be_written_is_known_at_once() {
        for path in ["/nonexistent/timeline.html", "/tmp"] {
            assert_eq!(Document::create(path).err().unwrap().exit_code(), 74);
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut output = Document::create("/dev/full").unwrap();
        output.text("x").unwrap();
        assert_eq!(output.finish().unwrap_err().exit_code(), 74);
    }
}
