//! Every table of a report as a file of comma-separated values (RFC 4180).
//!
//! Numbers are full and plain, with their unit in the name of the column; what was not
//! measured is empty. The tables of several runs stand in one file, told apart by `run` and
//! `host`.

use std::{fs, path::Path};

use ::csv::Writer;
use pipe::{Document, Error, no_formula};

use super::{
    Page,
    sheet::{Datum, Sheet, sheets},
};

/// Makes `folder` where it is not there: what cannot be written is to be known before the work.
///
/// # Errors
///
/// When it cannot be made, or is no folder.
pub fn make(folder: &str) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::write(folder, source))
}

/// Writes each table of `page` into a file of its own in `folder`.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(page: &Page, folder: &str) -> Result<(), Error> {
    for sheet in sheets(page).iter().filter(|sheet| !sheet.rows.is_empty()) {
        let path = Path::new(folder).join(format!("{}.csv", sheet.name));
        let path = path.to_string_lossy();
        let text = lines(sheet).map_err(|source| Error::write(&path, source))?;
        let mut document = Document::create(&path)?;
        document.text(&text)?;
        document.finish()?;
    }
    Ok(())
}

fn lines(sheet: &Sheet) -> std::io::Result<String> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(&sheet.fields)?;
    for row in &sheet.rows {
        let cells = (0..sheet.fields.len()).map(|at| match row.get(at) {
            Some(Some(Datum::Text(text))) => no_formula(text).into_owned(),
            Some(Some(Datum::Number(number))) => number.to_string(),
            _ => String::new(),
        });
        writer.write_record(cells)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}
