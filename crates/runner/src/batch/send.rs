//! One request of a batch, sent until it is answered or given up.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use probe::clock::Stamp;
use records::{ErrorInfo, Metrics, Origin, Request};
use serde_json::Value;

use super::Item;
use crate::{
    http::{Answer, Client, HttpError, HttpErrorKind, Reply},
    journal::lasting,
    measure, retry,
    suite::Retries,
};

/// Statuses after which a request is sent again, where that is wanted: the server is busy.
const BUSY: [u16; 2] = [429, 503];

/// What the threads of a batch share.
pub(super) struct Job {
    pub(super) client: Client,
    pub(super) model: String,
    pub(super) timeout: Duration,
    pub(super) retries: Option<Retries>,
    /// The requests to be sent, with their places in the file, from 0.
    pub(super) open: Vec<(u64, Item)>,
    pub(super) next: AtomicUsize,
    /// Nothing more is to be sent.
    pub(super) stop: AtomicBool,
}

/// A request that was sent, and what came of it.
#[derive(Debug)]
pub struct Sent {
    /// The caller's own name for it.
    pub custom_id: String,
    /// The HTTP status of the last try.
    pub status: Option<u16>,
    /// The body of the answer.
    pub body: Option<Value>,
    /// Why there is no answer.
    pub error: Option<ErrorInfo>,
    /// What the model said.
    pub text: Option<String>,
    /// The gaps between the chunks of the answer, in seconds.
    pub gaps_s: Vec<f64>,
    index: u64,
    tries: u64,
    start: Stamp,
    end: Stamp,
    metrics: Metrics,
}

impl Job {
    /// Sends one after the other until there are no more.
    pub(super) fn work(&self, results: &mpsc::Sender<Sent>) {
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((index, item)) = self.open.get(n) else { return };
            let sent = self.send(*index, item);
            if results.send(sent).is_err() {
                return;
            }
        }
    }

    fn send(&self, index: u64, item: &Item) -> Sent {
        let outgoing = item.outgoing(&self.model);
        let mut tries = 0;
        loop {
            tries += 1;
            let start = Stamp::now();
            let came = self.client.send(&outgoing, self.timeout);
            let end = Stamp::now();
            let policy = self.retries.filter(|policy| tries <= u64::from(policy.count));
            if let Some(policy) = policy
                && is_busy(&came)
                && !self.stop.load(Ordering::Relaxed)
            {
                let asked = came.ok().and_then(|reply| reply.retry_after);
                thread::sleep(retry::pause(&policy, tries as u32 + 1, asked));
                continue;
            }
            let mut sent = Sent {
                custom_id: item.custom_id.clone(),
                status: None,
                body: None,
                error: None,
                text: None,
                gaps_s: Vec::new(),
                index,
                tries,
                start,
                end,
                metrics: Metrics::default(),
            };
            match came {
                Ok(reply) => sent.read(&reply, &Answer::read(&reply, item.asked())),
                Err(error) => sent.error = Some(error.info()),
            }
            return sent;
        }
    }
}

/// Whether the server may answer when it is asked again.
fn is_busy(came: &Result<Reply, HttpError>) -> bool {
    let reset = |error: &HttpError| error.kind == HttpErrorKind::Connection;
    match came {
        Ok(reply) => BUSY.contains(&reply.status) || reply.broken.as_ref().is_some_and(reset),
        Err(error) => reset(error),
    }
}

impl Sent {
    fn read(&mut self, reply: &Reply, answer: &Answer) {
        self.status = Some(reply.status);
        self.body.clone_from(&answer.body);
        let problem = match (&reply.broken, reply.status, &answer.fault) {
            (Some(broken), ..) => Some(broken.info()),
            (None, status @ 400.., _) => {
                let said: String =
                    answer.text.iter().flat_map(|text| text.chars()).take(300).collect();
                Some(ErrorInfo {
                    kind: "http_status".to_owned(),
                    message: format!("HTTP status {status}: {said}"),
                    ..ErrorInfo::default()
                })
            }
            (None, _, Some(fault)) => Some(ErrorInfo {
                kind: "bad_answer".to_owned(),
                message: fault.clone(),
                ..ErrorInfo::default()
            }),
            (None, _, None) => None,
        };
        if problem.is_none() {
            self.metrics = measure::metrics(reply, answer);
            self.gaps_s = measure::gaps_s(answer);
            self.text.clone_from(&answer.text);
        }
        self.error = problem;
    }

    /// Whether the connection broke, or nobody took it.
    pub(super) fn is_connection_error(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.kind == "connection")
    }

    /// Its record, as a request of the test `id`.
    pub(super) fn record(&self, id: &str, origin: &Origin) -> Request {
        let mut request = Request::at(self.start.wall_s, origin);
        (request.end_ts, request.duration_s) = lasting(&self.start, &self.end);
        request.id = id.to_owned();
        request.custom_id = Some(self.custom_id.clone());
        request.index = self.index;
        request.tries = self.tries;
        request.status = self.status;
        request.metrics = self.metrics.clone();
        request.error.clone_from(&self.error);
        request
    }
}
