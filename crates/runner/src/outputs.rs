//! Where a run writes: looked at before anything runs, so that no result is lost because
//! the last file cannot be written, or because two things were written to one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use pipe::Error;

use crate::{junit, suite::Suite};

/// What a run writes besides its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outputs<'a> {
    /// The results (`-o`); standard output when absent or `-`.
    pub results: Option<&'a str>,
    /// The answers of batches (`--requests`).
    pub requests: Option<&'a str>,
    /// The report in JUnit's XML (`--junitxml`).
    pub junit: Option<&'a Path>,
    /// The results of an earlier run (`--resume`), which may be `results` too.
    pub resumed: Option<&'a str>,
}

impl Outputs<'_> {
    /// Looks whether everything can be written, and nothing twice or over an input. No
    /// file loses what it holds.
    ///
    /// # Errors
    ///
    /// With the first that cannot be written, or that is something else already.
    pub fn check(&self, suite: &Suite) -> Result<(), Error> {
        if self.junit == Some(Path::new("-")) {
            let message = "--junitxml: a report is no stream of lines; name a file";
            return Err(Error::Usage(message.to_owned()));
        }
        let requests = self.requests.map(|path| ("--requests", path.to_owned()));
        let junit = self.junit.map(|path| ("--junitxml", path.display().to_string()));
        let results = ("-o", self.results.unwrap_or("-").to_owned());
        let outputs: Vec<(&str, String)> =
            [Some(results), requests, junit].into_iter().flatten().collect();
        for (n, (option, path)) in outputs.iter().enumerate() {
            if let Some((other, _)) = outputs[..n].iter().find(|(_, other)| same(other, path)) {
                let who = if path == "-" { "standard output" } else { path };
                return Err(Error::Usage(format!("{option}: {who} is where {other} goes already")));
            }
            let resumed =
                self.resumed.filter(|file| *option != "-o" && *file != "-").map(Path::new);
            let inputs = inputs(suite);
            let mut inputs = inputs.iter().map(PathBuf::as_path).chain(resumed);
            if let Some(input) = inputs.find(|input| same(&input.to_string_lossy(), path)) {
                let input = input.display();
                return Err(Error::Usage(format!("{option}: {path} is an input, too: {input}")));
            }
        }
        if let Some(path) = self.requests.filter(|path| *path != "-") {
            // Opened to be added to, it is made where there is none and left as it is.
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| Error::write(path, error))?;
        }
        if let Some(path) = self.junit {
            junit::can_write(path)
                .map_err(|error| Error::write(&path.display().to_string(), error))?;
        }
        Ok(())
    }
}

/// The files that a run reads line by line while it writes.
fn inputs(suite: &Suite) -> Vec<PathBuf> {
    let cases = suite.body.case.iter().map(toml::Spanned::get_ref);
    let read = cases.flat_map(|case| {
        let batch = case.batch.as_ref().map(|batch| &batch.file);
        let dataset = case.dataset.as_ref().map(|dataset| &dataset.file);
        batch.into_iter().chain(dataset).map(|file| case.folder.join(file))
    });
    let own = Some(PathBuf::from(&suite.file)).filter(|file| *file != Path::new("-"));
    let mut files: Vec<PathBuf> = own.into_iter().chain(read).collect();
    files.sort();
    files.dedup();
    files
}

/// Whether two paths lead to one place: the same regular file, the same path where there
/// is none yet, or both standard output.
fn same(a: &str, b: &str) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    if a == "-" || b == "-" {
        return a == b;
    }
    match (fs::metadata(a), fs::metadata(b)) {
        // A device such as /dev/null takes everything, and loses nothing that it held.
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(_), Err(_)) => to_be_made(a).is_ok_and(|a| to_be_made(b).is_ok_and(|b| a == b)),
        _ => false,
    }
}

/// Where a file that is not there yet would be made.
fn to_be_made(path: &str) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let folder = path.parent().map(fs::canonicalize).transpose()?.unwrap_or_default();
    Ok(folder.join(path.file_name().unwrap_or_default()))
}
