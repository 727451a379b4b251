//! One request of a batch, sent until it is answered or given up.

use std::{
    thread,
    time::{Duration, Instant},
};

use probe::clock::Stamp;
use records::{ErrorInfo, Metrics, Origin, Request, round};
use serde_json::Value;

use super::{LOOK, input::Item, samples};
use crate::{
    http::{Answer, Asked, Client, HttpError, HttpErrorKind, Outgoing, Reply},
    journal::lasting,
    measure, retry,
    suite::{Retries, SamplesDef},
};

/// Statuses after which a request is sent again, where that is wanted: the server is busy.
const BUSY: [u16; 2] = [429, 503];

/// How requests are sent.
pub(super) struct Wire {
    pub(super) client: Client,
    /// The name by which requests ask for the model.
    pub(super) model: String,
    pub(super) timeout: Duration,
    pub(super) retries: Option<Retries>,
    /// Which answers are kept to be read.
    pub(super) samples: SamplesDef,
}

/// A request that is ready to be sent.
pub(super) struct Asking {
    index: u64,
    custom_id: String,
    asked: Asked,
    outgoing: Outgoing,
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
    late: Option<Duration>,
    sample: Option<String>,
    metrics: Metrics,
}

impl Wire {
    /// `item`, number `index` of its file, made ready.
    pub(super) fn asking(&self, index: u64, item: Item) -> Asking {
        let asked = item.asked();
        let (custom_id, outgoing) = item.outgoing(&self.model);
        Asking { index, custom_id, asked, outgoing }
    }

    /// Sends a request that was `due` then, and again where that is wanted, unless all is to
    /// be `stopped`. Says that a connection `broke` when it is sent again for that.
    pub(super) fn send(
        &self,
        asking: Asking,
        due: Option<Instant>,
        stopped: impl Fn() -> bool,
        broke: impl Fn(),
    ) -> Sent {
        let Asking { index, custom_id, asked, outgoing } = asking;
        let mut tries = 0;
        let mut late = None;
        loop {
            tries += 1;
            let start = Stamp::now();
            late = late.or(due.map(|due| start.mono.saturating_duration_since(due)));
            let came = self.client.send(&outgoing, self.timeout);
            let end = Stamp::now();
            let policy = self.retries.filter(|policy| tries <= u64::from(policy.count));
            if let Some(policy) = policy
                && is_busy(&came)
            {
                if came.as_ref().map_or(true, |reply| reply.broken.is_some()) {
                    broke();
                }
                let wanted = came.as_ref().ok().and_then(|reply| reply.retry_after);
                if rest(retry::pause(&policy, tries as u32 + 1, wanted), &stopped) {
                    continue;
                }
            }
            let mut sent = Sent {
                custom_id,
                status: None,
                body: None,
                error: None,
                text: None,
                gaps_s: Vec::new(),
                index,
                tries,
                start,
                end,
                late,
                sample: None,
                metrics: Metrics::default(),
            };
            match came {
                Ok(reply) => sent.read(&reply, Answer::read(&reply, asked)),
                Err(error) => sent.error = Some(error.info()),
            }
            let text = sent.text.as_deref();
            sent.sample =
                text.and_then(|text| samples::kept(&self.samples, index, &sent.custom_id, text));
            return sent;
        }
    }
}

/// Sleeps so long, unless all is `stopped`; whether it goes on.
fn rest(pause: Duration, stopped: &impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !stopped() {
        let left = pause.saturating_sub(start.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LOOK));
    }
    false
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
    fn read(&mut self, reply: &Reply, answer: Answer) {
        self.status = Some(reply.status);
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
            self.metrics = measure::metrics(reply, &answer);
            self.gaps_s = measure::gaps_s(&answer);
            self.text = answer.text;
        }
        self.body = answer.body;
        self.error = problem;
    }

    /// Whether the connection broke, or nobody took it.
    pub(super) fn is_connection_error(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.kind == "connection")
    }

    /// Its record, as a request of the test `id`.
    pub(super) fn record(&mut self, id: &str, origin: &Origin) -> Request {
        let mut request = Request::at(self.start.wall_s, origin);
        (request.end_ts, request.duration_s) = lasting(&self.start, &self.end);
        request.id = id.to_owned();
        request.custom_id = Some(self.custom_id.clone());
        request.index = self.index;
        request.tries = self.tries;
        request.status = self.status;
        request.late_s = self.late.map(|late| round(late.as_secs_f64(), 6));
        request.sample_output = self.sample.take();
        request.metrics = std::mem::take(&mut self.metrics);
        request.error.clone_from(&self.error);
        request
    }
}
