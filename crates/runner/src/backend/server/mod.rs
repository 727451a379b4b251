//! The life of a server: started, ready, stopped, or attached.

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use probe::clock::Stamp;
use records::ErrorInfo;

use super::{
    log::Log,
    page_cache,
    process::{End, Process},
};
use crate::{
    facts::{self, Facts},
    http::{Client, Key},
    interrupt::{Interrupts, look_again_in},
    plan::On,
    suite::Places,
};

mod launch;
mod learn;
mod ready;

pub use launch::program_path;

/// How long one look at a server may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long a process may take to be seen as dead after its connection broke.
const DEATH: Duration = Duration::from_millis(500);
/// How long a port may linger after whoever listened on it has ended.
const PORT_FREE: Duration = Duration::from_secs(1);

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
    /// Whether it is left alone once it is ready, so that the first request it gets is one
    /// that is measured.
    pub untouched: bool,
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
        let key = launch::key(on)?;
        let mut page_cache = None;
        let mut server = match on.url() {
            Some(url) => {
                let url = launch::fill(url, &Places::default())?;
                on_spawn(None, None);
                Server::attached(on, &url.real, key)
            }
            None => {
                let path = launch::model_path(on)?;
                let files = facts::location(path.as_deref(), on.placement.repo.as_deref());
                page_cache = files.and_then(|files| page_cache::state(&facts::weights(&files)));
                let server = Server::spawn(on, around, path.as_deref(), key)?;
                on_spawn(server.pid(), server.log());
                server
            }
        };
        let ready::Woken { spawned, ready, answer } = server.wait_ready(on, interrupts)?;
        let (first_token, answer) = match answer {
            Some(answer) => (Some(ready), Some(answer)),
            None if around.untouched => (None, None),
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

    /// The process, where we started it.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Whether it runs on this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.process.is_some() || self.client.is_local()
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
