//! When a server is ready, and when its first token comes.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use probe::clock::Stamp;
use records::Modality;
use serde_json::Value;

use super::{
    Failure, LOOK, Server,
    learn::{json_of, put},
};
use crate::{
    backend::{
        kind::{Ask, Readiness},
        process::Process,
    },
    http::{Body, HttpError, Reply},
    interrupt::{Interrupts, look_again_in},
    plan::On,
};

/// How long a look has at least, even at the very end of the time to become ready.
const LEAST: Duration = Duration::from_millis(20);
/// How long to wait before asking for a token again, at first and at most.
const TOKEN_PAUSE_FIRST: Duration = Duration::from_millis(50);
const TOKEN_PAUSE_MOST: Duration = Duration::from_secs(2);
/// How long the first token of a server that is ready may take.
const FIRST_TOKEN: Duration = Duration::from_secs(60);

/// When a server that has just become ready did what.
pub(super) struct Woken {
    pub(super) spawned: Option<Stamp>,
    pub(super) ready: Stamp,
    /// The answer by which it was known to be ready, where that was a token.
    pub(super) answer: Option<Value>,
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

impl Server {
    /// Waits until the server answers as one that is ready does. On failure the
    /// server is stopped.
    pub(super) fn wait_ready(
        &mut self,
        on: &On<'_>,
        interrupts: &Interrupts,
    ) -> Result<Woken, Failure> {
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
                let ask = on.kind.one_token(&on.request_name());
                // The first token can wait for the whole model to be loaded.
                interrupts.run(move || {
                    let reply = put(&client, &ask, rest);
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
    pub(super) fn first_token(
        &mut self,
        on: &On<'_>,
        interrupts: &Interrupts,
    ) -> Result<(Option<Stamp>, Option<Value>), Failure> {
        if self.process.is_none() || !on.model.modality.contains(&Modality::Text) {
            return Ok((None, None));
        }
        let (client, ask) = (self.client.clone(), on.kind.first_token(&on.request_name()));
        let answered = interrupts.run(move || {
            let reply = put(&client, &ask, FIRST_TOKEN);
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
}
