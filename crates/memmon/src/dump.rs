//! Saves what the machine is read from, so that it can be read elsewhere.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use pipe::printable;
use probe::{Machine, clock::Stamp};
use serde_json::json;

/// Between the two moments that are saved, so that what is measured since the
/// previous reading can be tested too.
const PAUSE: Duration = Duration::from_millis(500);

/// What is left out, for those who read the folder before they send it.
const LEFT_OUT: &str = "names of the host, of users, programs and control groups, command \
                        lines, environments; of processes only the zombies, without names";

/// Path and content of a file.
type Files = Vec<(String, Vec<u8>)>;

/// Saves two moments of this machine in the folder `dir`, which is new or empty.
///
/// # Errors
///
/// When `dir` is not empty or cannot be written, and where there is nothing to save.
pub fn run(dir: &Path) -> Result<u8, String> {
    let name = printable(&dir.display().to_string()).into_owned();
    let fail = |why: String| format!("cannot dump: {name}: {why}");
    make_empty(dir).map_err(fail)?;

    let (stamp, start) = (Stamp::now(), Instant::now());
    let first = probe::capture();
    if first.is_empty() {
        return Err(fail("this system's sources cannot be saved as files".to_owned()));
    }
    thread::sleep(PAUSE.saturating_sub(start.elapsed()));
    let later = start.elapsed();
    let moments = [(Duration::ZERO, first), (later, probe::capture())];

    // Written at last: writing is something that the machine does, too.
    for (at, files) in &moments {
        write(&dir.join(folder(*at)), files).map_err(fail)?;
    }
    let manifest = format!("{:#}\n", manifest(&stamp, &moments));
    fs::write(dir.join("manifest.json"), manifest).map_err(|error| fail(error.to_string()))?;
    let count: usize = moments.iter().map(|(_, files)| files.len()).sum();
    crate::complain(&format!(
        "{count} files in {name}, without {LEFT_OUT}; `memmon --doctor --replay {name}` reads them"
    ));
    Ok(pipe::exit::DONE)
}

/// Makes sure that `dir` is a folder with nothing in it.
fn make_empty(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    match fs::read_dir(dir).map_err(|error| error.to_string())?.next() {
        None => Ok(()),
        Some(_) => Err("it is not empty; name a folder that does not exist yet".to_owned()),
    }
}

/// The name of a moment, which says when it was.
fn folder(at: Duration) -> String {
    format!("{}ms", at.as_millis())
}

fn write(dir: &Path, files: &Files) -> Result<(), String> {
    for (path, content) in files {
        let path = dir.join(path);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn manifest(stamp: &Stamp, moments: &[(Duration, Files)]) -> serde_json::Value {
    let machine = Machine::open();
    let profile = machine.profile();
    let moment = |(at, files): &(Duration, Files)| {
        let paths: Vec<&String> = files.iter().map(|(path, _)| path).collect();
        json!({ "folder": folder(*at), "elapsed_s": at.as_secs_f64(), "files": paths })
    };
    json!({
        "producer": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
        "ts": records::round(stamp.wall_s, 6),
        "os": profile.os,
        "kernel": profile.kernel,
        "arch": profile.arch,
        "left_out": LEFT_OUT,
        "moments": moments.iter().map(moment).collect::<Vec<_>>(),
    })
}
