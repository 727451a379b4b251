//! From what a suite says of a backend to a process that runs.

use std::{
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::sys::signal::Signal;

use super::{Failure, Server, Surroundings};
use crate::{
    backend::{kind::signal_named, log::Log, process::Process},
    http::{Client, Key},
    plan::On,
    suite::{Filled, Places, Template},
};

impl Server {
    /// Starts the process; whether it will be ready is another matter.
    pub(super) fn spawn(
        on: &On<'_>,
        around: &Surroundings<'_>,
        path: Option<&Path>,
        key: Option<Key>,
    ) -> Result<Server, Failure> {
        let def = on.backend;
        let host = def.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = choose_port(&host, def.port)?;
        // An IPv6 address stands in brackets before a port.
        let in_url = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let url = format!("http://{in_url}:{port}");
        let mut places = on.places();
        places.set("host", host);
        places.set("port", port.to_string());
        places.set("url", url.clone());
        if let Some(path) = path {
            places.set("path", path.to_string_lossy());
        }

        let words: Vec<&str> = match &def.command {
            Some(words) => words.iter().map(String::as_str).collect(),
            None => on.kind.command(on.placement),
        };
        let words = words.iter().map(|word| fill(word, &places)).collect::<Result<Vec<_>, _>>()?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(Failure::new("backend_not_started", "its command is empty".to_owned()));
        };
        let executable = program_path(&program.real, &on.backend.folder);
        let mut command = Command::new(&executable);
        command.args(arguments.iter().map(|word| &word.real)).stdin(Stdio::null());
        for (name, value) in on.kind.env() {
            command.env(name, fill(value, &places)?.real);
        }
        for (name, value) in &def.env {
            command.env(name, fill(value, &places)?.real);
        }
        let parts = [around.run, on.backend_name, &on.model.id];
        let outputs = Log::create(around.logs, &parts)
            .and_then(|(log, writer)| Ok((log, writer.try_clone()?, writer)));
        let (log, out, err) = outputs.map_err(|error| {
            let place = around.logs.display();
            Failure::new("backend_not_started", format!("cannot write a log in {place}: {error}"))
        })?;
        let started = Process::start(command.stdout(out).stderr(err));
        let process = started.map_err(|error| {
            let message = format!("cannot start {}: {error}", program.shown);
            Failure::new("backend_not_started", message)
        })?;
        let signal = def.stop.signal.as_ref().and_then(|name| signal_named(name.get_ref()));
        Ok(Server {
            client: Client::new(&url, key),
            command: Some(words.into_iter().map(|word| word.shown).collect()),
            places,
            process: Some(process),
            program: Some(executable),
            log: Some(log),
            stop_signal: signal.unwrap_or(Signal::SIGTERM),
            grace: def.stop.grace.map_or(on.kind.grace(), |span| span.0),
        })
    }
}

/// The key of the backend, out of the environment.
pub(super) fn key(on: &On<'_>) -> Result<Option<Key>, Failure> {
    let Some(name) = &on.backend.api_key_env else { return Ok(None) };
    match std::env::var(name) {
        Ok(key) => Ok(Some(Key::new(key))),
        Err(_) => {
            let message = format!("api_key_env: environment variable {name} is not set");
            Err(Failure::new("backend_not_started", message))
        }
    }
}

/// `text` with its placeholders filled in.
pub(super) fn fill(text: &str, places: &Places) -> Result<Filled, Failure> {
    Template::parse(text)
        .and_then(|template| template.fill(places, |name| std::env::var(name).ok()))
        .map_err(|message| Failure::new("backend_not_started", message))
}

/// A free port, or `fixed` when nobody has it.
fn choose_port(host: &str, fixed: Option<u16>) -> Result<u16, Failure> {
    let wanted = fixed.unwrap_or(0);
    let bound = TcpListener::bind((host, wanted)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            Failure::new(
                "port_in_use",
                format!("port {wanted} of {host} is taken by another program"),
            )
        } else {
            Failure::new(
                "backend_not_started",
                format!("cannot listen on {host}:{wanted}: {error}"),
            )
        }
    })
}

/// `program` as it is started: a path with a slash is relative to the suite, as all
/// paths in it are; a bare name is looked for in PATH.
#[must_use]
pub fn program_path(program: &str, folder: &Path) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

/// Where the file or folder of the model is, when its placement says so.
pub(super) fn model_path(on: &On<'_>) -> Result<Option<PathBuf>, Failure> {
    let path = on.placement.path.as_ref();
    path.map(|path| fill(path, &Places::default()).map(|path| on.model.folder.join(path.real)))
        .transpose()
}
