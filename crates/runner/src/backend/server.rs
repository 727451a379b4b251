//! The life of a server: started, ready, stopped, or attached.

use std::{
    io::{self, Read},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use probe::clock::Stamp;
use records::{ErrorInfo, Modality};
use serde_json::{Map, Value, json};

use super::{
    kind::{Ask, Kind, Readiness, signal_named},
    log::Log,
    page_cache,
    process::{End, Process},
};
use crate::{
    facts::{self, Facts},
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
/// How long the first token of a server that is ready may take.
const FIRST_TOKEN: Duration = Duration::from_secs(60);
/// How long a program may take to tell its version.
const VERSION: Duration = Duration::from_secs(10);
/// How long a port may linger after whoever listened on it has ended.
const PORT_FREE: Duration = Duration::from_secs(1);
/// Where chats go.
const CHAT: &str = "/v1/chat/completions";

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
    log: Option<Log>,
    program: Option<PathBuf>,
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
    /// Spawn → first token, where a chat is what the model is for.
    pub first_token: Option<Stamp>,
    /// Whether the model's files were in memory before.
    pub page_cache: Option<&'static str>,
    /// The version, as it says itself.
    pub version: Option<String>,
    /// What it says of the model.
    pub facts: Facts,
}

/// When a server that has just become ready did what.
struct Woken {
    spawned: Option<Stamp>,
    ready: Stamp,
    /// The answer by which it was known to be ready, where that was a token.
    answer: Option<Value>,
}

/// What a look at a server that shall become ready showed.
enum Look {
    Ready(Option<Value>),
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
            Ok(reply) if reply.status == status => Look::Ready(json_of(reply)),
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
        let mut page_cache = None;
        let mut server = match on.url() {
            Some(url) => {
                let url = fill(url, &Places::default())?;
                on_spawn(None, None);
                Server::attached(on, &url.real, key)
            }
            None => {
                let path = model_path(on)?;
                let files = facts::location(path.as_deref(), on.placement.repo.as_deref());
                page_cache = files.and_then(|files| page_cache::state(&facts::weights(&files)));
                let server = Server::spawn(on, around, path.as_deref(), key)?;
                on_spawn(server.pid(), server.log());
                server
            }
        };
        let Woken { spawned, ready, answer } = server.wait_ready(on, interrupts)?;
        let (first_token, answer) = match answer {
            Some(answer) => (Some(ready), Some(answer)),
            None => server.first_token(on, interrupts)?,
        };
        let (version, facts) = server.learn(on, answer.as_ref(), interrupts);
        Ok(Started { server, spawned, ready, first_token, page_cache, version, facts })
    }

    fn attached(on: &On<'_>, url: &str, key: Option<Key>) -> Server {
        // What is attached to is never stopped; signal and grace have no use.
        Server {
            client: Client::new(url, key),
            command: None,
            places: Places::from([("url", url.trim_end_matches('/').to_owned())]),
            process: None,
            program: None,
            log: None,
            stop_signal: Signal::SIGTERM,
            grace: on.kind.grace(),
        }
    }

    fn spawn(
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

    /// Waits until the server answers as one that is ready does. On failure the
    /// server is stopped.
    fn wait_ready(&mut self, on: &On<'_>, interrupts: &Interrupts) -> Result<Woken, Failure> {
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
        let mut preload = on.kind.preload(&on.request_name());
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
                    // Somebody else may have had the port faster.
                    Some(Look::Ready(_)) if self.ended().is_some() => continue,
                    Some(Look::Ready(answer)) => {
                        let ready = Stamp::now();
                        let Some(ask) = preload.take() else {
                            let answer = answer.filter(|_| readiness == Readiness::OneToken);
                            return Ok(Woken { spawned, ready, answer });
                        };
                        match self.load(ask, deadline, interrupts) {
                            None => continue,
                            Some(Ok(())) => {
                                return Ok(Woken { spawned, ready: Stamp::now(), answer: None });
                            }
                            Some(Err(why)) => {
                                let message = format!("the backend does not load the model: {why}");
                                let failure = self.failure("not_ready", message, None);
                                self.stop(interrupts);
                                return Err(failure);
                            }
                        }
                    }
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
                let body = one_token(on);
                // The first token can wait for the whole model to be loaded.
                interrupts.run(move || {
                    let reply = client.post(CHAT, body.as_bytes(), rest);
                    // A wrong key or an unknown model stays wrong, and asking costs money.
                    let for_good =
                        |s: u16| (400..500).contains(&s) && ![408, 425, 429].contains(&s);
                    Look::judge(&reply, 200, "a completion of one token", for_good)
                })
            }
        }
    }

    /// Has a server that is there load the model. Nothing when interrupted.
    fn load(
        &self,
        ask: Ask,
        deadline: Instant,
        interrupts: &Interrupts,
    ) -> Option<Result<(), String>> {
        let client = self.client.clone();
        let rest = deadline.saturating_duration_since(Instant::now()).max(LEAST);
        interrupts.run(move || {
            match Look::judge(&put(&client, &ask, rest), 200, &ask.path, |_| true) {
                Look::Ready(_) => Ok(()),
                Look::NotYet(why) | Look::Never(why) => Err(why),
            }
        })
    }

    /// The first token of a server that we started and that is ready, where the model is
    /// one to talk to. No token is no failure, but a server that dies of it is.
    fn first_token(
        &mut self,
        on: &On<'_>,
        interrupts: &Interrupts,
    ) -> Result<(Option<Stamp>, Option<Value>), Failure> {
        if self.process.is_none() || !on.model.modality.contains(&Modality::Text) {
            return Ok((None, None));
        }
        let (client, body) = (self.client.clone(), one_token(on));
        let answered = interrupts.run(move || {
            let reply = client.post(CHAT, body.as_bytes(), FIRST_TOKEN);
            (Stamp::now(), reply)
        });
        match answered {
            None => {
                self.stop(interrupts);
                Err(Failure::Interrupted)
            }
            Some((at, Ok(reply))) if reply.status == 200 && reply.broken.is_none() => {
                Ok((Some(at), json_of(&reply)))
            }
            Some((_, Ok(_))) => Ok((None, None)),
            Some((_, Err(_))) => match self.died() {
                None => Ok((None, None)),
                Some(end) => {
                    let message =
                        format!("the backend died at its first token, with {}", end.describe());
                    let failure = self.failure("backend_died", message, Some(end));
                    self.stop(interrupts);
                    Err(failure)
                }
            },
        }
    }

    /// What a server that is ready says of its version and its model.
    fn learn(
        &self,
        on: &On<'_>,
        answer: Option<&Value>,
        interrupts: &Interrupts,
    ) -> (Option<String>, Facts) {
        let (client, kind, model) = (self.client.clone(), on.kind, on.request_name());
        let told = interrupts.run(move || {
            let asked = |ask: &Ask| put(&client, ask, LOOK).ok().filter(|r| r.status == 200);
            let version = kind.version().and_then(|(ask, key)| {
                Some(json_of(&asked(&ask)?)?.get(key)?.as_str()?.to_owned())
            });
            let facts =
                kind.facts(&model).and_then(|(ask, read)| Some(read(&json_of(&asked(&ask)?)?)));
            (version, facts.unwrap_or_default())
        });
        let (version, facts) = told.unwrap_or_default();
        let version = version
            .or_else(|| on.kind.version_in(answer?))
            .or_else(|| version_of(self.program.as_deref()?, on.kind, interrupts));
        (version, facts)
    }

    /// The process, where we started it.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        self.log.as_ref().map(|log| log.path.as_path())
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
        let lines = self.log.as_ref()?.tail(self.process.as_ref()?.has_ended());
        (!lines.is_empty()).then_some(lines)
    }

    /// Stops the server with all that it started; one that was attached stays.
    pub fn stop(&mut self, interrupts: &Interrupts) -> Option<End> {
        let process = self.process.as_mut()?;
        let end = process.stop(self.stop_signal, self.grace, || interrupts.kill());
        if let Some(log) = &self.log {
            log.close();
        }
        end
    }

    /// What is left of a server that was stopped: somebody who still has its port.
    #[must_use]
    pub fn left_behind(&self) -> Option<ErrorInfo> {
        let address = self.socket()?;
        let start = Instant::now();
        loop {
            let error = TcpListener::bind(address).err()?;
            if start.elapsed() >= PORT_FREE {
                let message =
                    format!("{address} is not free after the backend was stopped: {error}");
                let kind = "port_in_use".to_owned();
                return Some(ErrorInfo { kind, message, ..ErrorInfo::default() });
            }
            thread::sleep(look_again_in(start));
        }
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
            log: self.log().map(Path::to_path_buf),
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

/// Where the file or folder of the model is, when its placement says so.
fn model_path(on: &On<'_>) -> Result<Option<PathBuf>, Failure> {
    let path = on.placement.path.as_ref();
    path.map(|path| fill(path, &Places::default()).map(|path| on.model.folder.join(path.real)))
        .transpose()
}

/// A chat that asks for one token.
fn one_token(on: &On<'_>) -> String {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(on.request_name()));
    body.insert("messages".to_owned(), json!([{"role": "user", "content": "Hi"}]));
    body.insert("max_tokens".to_owned(), json!(1));
    on.kind.adapt(&mut body);
    Value::Object(body).to_string()
}

fn put(client: &Client, ask: &Ask, timeout: Duration) -> Result<Reply, HttpError> {
    match &ask.body {
        Some(body) => client.post(&ask.path, body.to_string().as_bytes(), timeout),
        None => client.get(&ask.path, timeout),
    }
}

fn json_of(reply: &Reply) -> Option<Value> {
    match &reply.body {
        Body::Whole(bytes) => serde_json::from_slice(bytes).ok(),
        Body::Events(_) => None,
    }
}

/// What `program` says when asked for its version, if it is the one that the kind
/// would start: of any other nobody knows what it does when it is called so.
fn version_of(program: &Path, kind: Kind, interrupts: &Interrupts) -> Option<String> {
    if program.file_name()? != kind.version_program()? {
        return None;
    }
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(&mut command).ok()?;
    let start = Instant::now();
    while process.ended().is_none() && start.elapsed() < VERSION && !interrupts.stop() {
        interrupts.sleep(look_again_in(start));
    }
    let succeeded = process.ended().is_some_and(|end| end.exit == Some(0));
    process.stop(Signal::SIGKILL, DEATH, || true);
    let (out, err) = (process.child().stdout.take()?, process.child().stderr.take()?);
    let mut text = String::new();
    out.chain(err).take(64 << 10).read_to_string(&mut text).ok().filter(|_| succeeded)?;
    version_in(&text).map(str::to_owned)
}

/// The line that tells the version among what a program prints.
fn version_in(printed: &str) -> Option<&str> {
    let mut lines = printed.lines().map(str::trim);
    lines
        .clone()
        .find_map(|line| line.strip_prefix("version:").map(str::trim))
        .or_else(|| lines.find(|line| line.contains(|c: char| c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_found_among_what_programs_print() {
        let llama = "ggml_cuda_init: found 1 CUDA devices\nversion: 8994 (aab68217b)\nbuilt with GNU 11.4.0\n";
        assert_eq!(version_in(llama), Some("8994 (aab68217b)"));
        let wheel = "llama-server (xllamacpp 2026.10.11549)\n";
        assert_eq!(version_in(wheel), Some("llama-server (xllamacpp 2026.10.11549)"));
        assert_eq!(version_in("usage: x\n"), None);
    }
}
