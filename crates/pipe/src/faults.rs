//! What could not be read: counted, named, and survived.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use crate::{Error, Place, text::printable};

/// How many malformed lines are named one by one.
const NAMED: u64 = 20;

/// Collects what was wrong with the input.
pub struct Faults {
    tool: &'static str,
    malformed: u64,
    text: u64,
    warned: BTreeSet<String>,
    first: Option<String>,
    kept: Option<Vec<(Place, String)>>,
}

impl Faults {
    /// None yet; `tool` begins every message.
    #[must_use]
    pub fn new(tool: &'static str) -> Faults {
        Faults { tool, malformed: 0, text: 0, warned: BTreeSet::new(), first: None, kept: None }
    }

    /// Keeps malformed lines for [`Faults::take`] instead of saying them: for a tool
    /// whose findings they are.
    #[must_use]
    pub fn keeping(mut self) -> Faults {
        self.kept = Some(Vec::new());
        self
    }

    /// The malformed lines that were kept since the last call.
    pub fn take(&mut self) -> Vec<(Place, String)> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A line that claims to be a record and cannot be read as one.
    pub fn malformed(&mut self, place: &Place, why: &str) {
        self.malformed += 1;
        let what = format!("{place}: {}", printable(why));
        if let Some(kept) = &mut self.kept {
            kept.push((place.clone(), why.to_owned()));
        } else if self.malformed <= NAMED {
            say(&format!("{}: bad line: {what}", self.tool));
        }
        self.first.get_or_insert(what);
    }

    /// Text that is no JSON: passed on to standard error.
    pub fn text(&mut self, line: &[u8]) {
        self.text += 1;
        say(&printable(&String::from_utf8_lossy(line)));
    }

    /// Says `message` the first time that it comes up.
    pub fn warn_once(&mut self, message: &str) {
        if self.warned.insert(message.to_owned()) {
            say(&format!("{}: {}", self.tool, printable(message)));
        }
    }

    /// How many lines could not be read.
    #[must_use]
    pub fn malformed_lines(&self) -> u64 {
        self.malformed
    }

    /// How many lines were text.
    #[must_use]
    pub fn text_lines(&self) -> u64 {
        self.text
    }

    /// Says what was not named one by one.
    ///
    /// # Errors
    ///
    /// [`Error::BadData`] when `strict` and a line could not be read.
    pub fn finish(&self, strict: bool) -> Result<(), Error> {
        if self.malformed > NAMED && self.kept.is_none() {
            say(&format!("{}: {} more bad lines", self.tool, self.malformed - NAMED));
        }
        match &self.first {
            Some(first) if strict => Err(Error::BadData(format!(
                "{} of the lines cannot be read, the first at {first}",
                self.malformed
            ))),
            _ => Ok(()),
        }
    }
}

/// Writes a line for people. That nobody reads it is no reason to stop.
fn say(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}
