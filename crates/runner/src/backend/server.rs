//! The life of a server: started, ready, stopped, or attached.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use probe::clock::Stamp;
use records::ErrorInfo;
use serde_json::json;

use super::{
    kind::{Readiness, signal_named},
    logfile::{LogFile, tail},
    process::{End, Process},
};
use crate::{
    http::{Body, Client, HttpError, Key, Reply},
    interrupt::{Interrupts, look_again_in},
    plan::On,
    suite::{Filled, Places, Template},
};

/// How long a look has at least, even at the very end of the time to become ready.
const LEAST: Duration = Duration::from_millis(20);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait before asking for a token again, at first and at most.
const TOKEN_PAUSE_FIRST: Duration = Duration::from_millis(50);
const TOKEN_PAUSE_MOST: Duration = Duration::from_secs(2);
/// How long a process may take to be seen as dead after its connection broke.
const DEATH: Duration = Duration::from_millis(500);

/// A server that is ready.
#[derive(Debug)]
pub struct Server {
    /// For requests.
    pub client: Client,
    /// The command that started it, without secrets; absent when it was attached.
    pub command: Option<Vec<String>>,
    /// The address and port, for placeholders.
    pub places: Places,
    process: Option<Process>,
    log: Option<PathBuf>,
    log_from: u64,
    stop_signal: Signal,
    grace: Duration,
}

/// A server that was started or attached, and how long it took.
#[derive(Debug)]
pub struct Started {
    /// The server.
    pub server: Server,
    /// Spawn → port open.
    pub spawned: Option<Stamp>,
    /// Spawn → ready.
    pub ready: Stamp,
}

/// What a look at a server that shall become ready showed.
enum Look {
    Ready,
    NotYet(String),
    Never(String),
}

impl Look {
    /// What `reply` says, when `status` means ready and `for_good` tells which others
    /// will not change by waiting.
    fn judge(
        reply: &Result<Reply, HttpError>,
        status: u16,
        asked: &str,
        for_good: impl Fn(u16) -> bool,
    ) -> Look {
        match reply {
            Ok(reply) if reply.status == status => Look::Ready,
            Ok(reply) => {
                let said: String = match &reply.body {
                    Body::Whole(bytes) => {
                        String::from_utf8_lossy(bytes).chars().take(200).collect()
                    }
                    Body::Events(_) => String::new(),
                };
                let why = format!("{asked} answers {} {said}", reply.status);
                let why = why.trim_end().to_owned();
                if for_good(reply.status) { Look::Never(why) } else { Look::NotYet(why) }
            }
            Err(error) => Look::NotYet(error.message.clone()),
        }
    }
}

/// Why there is no server.
#[derive(Debug)]
pub enum Failure {
    /// It did not come to life; what stands in the results.
    Error {
        /// The reason.
        info: Box<ErrorInfo>,
        /// Where its output went.
        log: Option<PathBuf>,
    },
    /// The run shall stop.
    Interrupted,
}

impl Failure {
    fn new(kind: &str, message: String) -> Failure {
        Failure::Error {
            info: Box::new(ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() }),
            log: None,
        }
    }
}

/// Where things are for a server about to start.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The folder of the suite: relative paths start there.
    pub folder: &'a Path,
    /// The folder for log files.
    pub logs: &'a Path,
    /// The run, for the names of log files.
    pub run: &'a str,
}

impl Server {
    /// Starts the server, or attaches to it, and waits until it is ready.
    /// `on_spawn` is told the process id and the log file as soon as there are any.
    ///
    /// # Errors
    ///
    /// [`Failure`]; nothing is left running then.
    pub fn start(
        on: &On<'_>,
        around: &Surroundings<'_>,
        interrupts: &Interrupts,
        on_spawn: impl FnOnce(Option<i32>, Option<&Path>),
    ) -> Result<Started, Failure> {
        let key = key(on)?;
        let mut server = match &on.backend.url {
            Some(url) => {
                let url = fill(url, &Places::default())?;
                on_spawn(None, None);
                Server::attached(on, &url.real, key)
            }
            None => {
                let server = Server::spawn(on, around, key)?;
                on_spawn(server.pid(), server.log.as_deref());
                server
            }
        };
        let (spawned, ready) = server.wait_ready(on, interrupts)?;
        Ok(Started { server, spawned, ready })
    }

    fn attached(on: &On<'_>, url: &str, key: Option<Key>) -> Server {
        // What is attached to is never stopped; signal and grace have no use.
        Server {
            client: Client::new(url, key),
            command: None,
            places: Places::from([("url", url.trim_end_matches('/').to_owned())]),
            process: None,
            log: None,
            log_from: 0,
            stop_signal: Signal::SIGTERM,
            grace: on.kind.grace(),
        }
    }

    fn spawn(on: &On<'_>, around: &Surroundings<'_>, key: Option<Key>) -> Result<Server, Failure> {
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
        if let Some(path) = &on.placement.path {
            let path = fill(path, &Places::default())?;
            places.set("path", on.model.folder.join(path.real).to_string_lossy());
        }

        let default = on.kind.command();
        let words: Vec<&str> = match &def.command {
            Some(words) => words.iter().map(String::as_str).collect(),
            None => default.to_vec(),
        };
        let words = words.iter().map(|word| fill(word, &places)).collect::<Result<Vec<_>, _>>()?;
        let Some((program, arguments)) = words.split_first() else {
            return Err(Failure::new("backend_not_started", "its command is empty".to_owned()));
        };
        let log = LogFile::create(around.logs, &[around.run, on.backend_name, &on.model.id])
            .map_err(|error| {
                let place = around.logs.display();
                Failure::new(
                    "backend_not_started",
                    format!("cannot write a log in {place}: {error}"),
                )
            })?;
        let log_from = log.file.metadata().map_or(0, |metadata| metadata.len());

        let mut command = Command::new(program_path(&program.real, &on.backend.folder));
        command.args(arguments.iter().map(|word| &word.real)).stdin(Stdio::null());
        for (name, value) in &def.env {
            command.env(name, fill(value, &places)?.real);
        }
        let outputs = duplicate(&log.file).and_then(|file| Ok((file, duplicate(&log.file)?)));
        let started =
            outputs.and_then(|(out, err)| Process::start(command.stdout(out).stderr(err)));
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
            log: Some(log.path),
            log_from,
            stop_signal: signal.unwrap_or(Signal::SIGTERM),
            grace: def.stop.grace.map_or(on.kind.grace(), |span| span.0),
        })
    }

    /// Waits until the server answers as one that is ready does. On failure the
    /// server is stopped. Returns when its port was open and when it was ready.
    fn wait_ready(
        &mut self,
        on: &On<'_>,
        interrupts: &Interrupts,
    ) -> Result<(Option<Stamp>, Stamp), Failure> {
        let ready = &on.backend.ready;
        let readiness = match (&ready.get, on.kind.readiness()) {
            (Some(path), _) => {
                Readiness::Get { path: path.clone(), status: ready.status.unwrap_or(200) }
            }
            (None, Readiness::Get { path, status }) => {
                Readiness::Get { path, status: ready.status.unwrap_or(status) }
            }
            (None, Readiness::OneToken) => Readiness::OneToken,
        };
        let timeout = ready.timeout.map_or(on.kind.ready_timeout(), |span| span.0);
        let start = Instant::now();
        let deadline = start + timeout;
        let address = self.socket();
        // A look that costs a token is not taken every few milliseconds.
        let mut pause = (readiness == Readiness::OneToken).then_some(TOKEN_PAUSE_FIRST);
        let mut spawned = None;
        let mut last_look = "it never took a connection".to_owned();
        loop {
            if interrupts.stop() {
                self.stop(interrupts);
                return Err(Failure::Interrupted);
            }
            if let Some(end) = self.process.as_mut().and_then(Process::ended) {
                let message =
                    format!("the backend ended with {} before it was ready", end.describe());
                return Err(self.failure("backend_died", message, Some(end)));
            }
            if spawned.is_none()
                && let Some(address) = address
                && TcpStream::connect_timeout(&address, LOOK).is_ok()
            {
                spawned = Some(Stamp::now());
            }
            if spawned.is_some() || address.is_none() {
                match self.look(&readiness, on, deadline, interrupts) {
                    None => continue,
                    Some(Look::Ready) => return Ok((spawned, Stamp::now())),
                    Some(Look::NotYet(why)) => last_look = why,
                    Some(Look::Never(why)) => {
                        let message = format!("the backend will not be ready: {why}");
                        let failure = self.failure("not_ready", message, None);
                        self.stop(interrupts);
                        return Err(failure);
                    }
                }
            }
            if Instant::now() >= deadline {
                let timeout = humantime::format_duration(timeout);
                let message = format!("the backend was not ready within {timeout}: {last_look}");
                let failure = self.failure("not_ready", message, None);
                self.stop(interrupts);
                return Err(failure);
            }
            interrupts.sleep(pause.unwrap_or_else(|| look_again_in(start)));
            pause = pause.map(|pause| (pause * 2).min(TOKEN_PAUSE_MOST));
        }
    }

    /// Looks once. Nothing when interrupted.
    fn look(
        &self,
        readiness: &Readiness,
        on: &On<'_>,
        deadline: Instant,
        interrupts: &Interrupts,
    ) -> Option<Look> {
        let client = self.client.clone();
        let rest = deadline.saturating_duration_since(Instant::now()).max(LEAST);
        match readiness.clone() {
            Readiness::Get { path, status } => interrupts.run(move || {
                Look::judge(&client.get(&path, rest.min(LOOK)), status, &path, |_| false)
            }),
            Readiness::OneToken => {
                let body = json!({
                    "model": on.request_name(),
                    "messages": [{"role": "user", "content": "Hi"}],
                    "max_tokens": 1,
                })
                .to_string();
                // The first token can wait for the whole model to be loaded.
                interrupts.run(move || {
                    let reply = client.post("/v1/chat/completions", body.as_bytes(), rest);
                    // A wrong key or an unknown model stays wrong, and asking costs money.
                    let for_good =
                        |s: u16| (400..500).contains(&s) && ![408, 425, 429].contains(&s);
                    Look::judge(&reply, 200, "a completion of one token", for_good)
                })
            }
        }
    }

    /// The process, where we started it.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }

    /// How it ended, if it has; called when a connection broke, so that a death is
    /// told from a mere disconnection.
    pub fn died(&mut self) -> Option<End> {
        self.process.as_mut()?.wait_for(DEATH)
    }

    /// How it ended, if it has, without waiting.
    pub fn ended(&mut self) -> Option<End> {
        self.process.as_mut()?.ended()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self) -> Option<Vec<String>> {
        let lines = tail(self.log.as_deref()?, self.log_from);
        (!lines.is_empty()).then_some(lines)
    }

    /// Stops the server with all that it started; one that was attached stays.
    pub fn stop(&mut self, interrupts: &Interrupts) -> Option<End> {
        let process = self.process.as_mut()?;
        process.stop(self.stop_signal, self.grace, || interrupts.kill())
    }

    fn failure(&self, kind: &str, message: String, end: Option<End>) -> Failure {
        let end = end.unwrap_or_default();
        Failure::Error {
            info: Box::new(ErrorInfo {
                kind: kind.to_owned(),
                message,
                exit: end.exit,
                signal: end.signal,
                log_tail: self.log_tail(),
                memory: None,
            }),
            log: self.log.clone(),
        }
    }

    /// Where a server of ours listens; nothing when it was attached.
    fn socket(&self) -> Option<SocketAddr> {
        self.process.as_ref()?;
        let port: u16 = self.places.get("port")?.parse().ok()?;
        (self.places.get("host")?, port).to_socket_addrs().ok()?.next()
    }
}

/// The key of the backend, out of the environment.
fn key(on: &On<'_>) -> Result<Option<Key>, Failure> {
    let Some(name) = &on.backend.api_key_env else { return Ok(None) };
    match std::env::var(name) {
        Ok(key) => Ok(Some(Key::new(key))),
        Err(_) => {
            let message = format!("api_key_env: environment variable {name} is not set");
            Err(Failure::new("backend_not_started", message))
        }
    }
}

fn fill(text: &str, places: &Places) -> Result<Filled, Failure> {
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

fn duplicate(file: &File) -> io::Result<Stdio> {
    file.try_clone().map(Stdio::from)
}
