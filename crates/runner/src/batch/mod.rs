//! A case that sends many requests: so many at once, each recorded when it is done.

mod input;
mod output;
mod send;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use pipe::Error;
use records::{BatchTotals, ErrorInfo, Metric, Origin, Protocol, ProtocolKind, Request, round};

use crate::{
    backend::Server,
    case::{Came, Measured},
    expect::Observed,
    interrupt::Interrupts,
    measure::Pool,
    suite::Retries,
};

pub use input::{Item, read};
pub use output::Output;
use send::{Job, Sent};

/// How often to look whether the run shall stop while answers are awaited.
const LOOK: Duration = Duration::from_millis(50);

/// A batch and what goes with it.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The id of the test.
    pub id: &'a str,
    /// The run and the host.
    pub origin: &'a Origin,
    /// The requests.
    pub items: Vec<Item>,
    /// Requests of an earlier run that have their answer, by `custom_id`.
    pub kept: BTreeMap<String, Request>,
    /// How many are on their way at once.
    pub concurrency: usize,
    /// How often one is sent again after a reset, 429 or 503.
    pub retries: Option<Retries>,
    /// The name by which requests ask for the model.
    pub model: &'a str,
    /// How long each answer may take.
    pub timeout: Duration,
}

/// What came of the requests so far.
#[derive(Default)]
struct Tally {
    pool: Pool,
    totals: BatchTotals,
    first_error: Option<ErrorInfo>,
    sample: Option<String>,
}

impl Batch<'_> {
    /// Sends them all. `write` is given each record when it happens, with the answer, and
    /// how many of how many are done.
    ///
    /// # Errors
    ///
    /// When a record cannot be written.
    pub fn run(
        mut self,
        server: &mut Server,
        interrupts: &Interrupts,
        mut write: impl FnMut(&Request, &Sent, u64, u64) -> Result<(), Error>,
    ) -> Result<Came, Error> {
        // The file may have been changed since.
        let named: HashSet<&str> = self.items.iter().map(|item| item.custom_id.as_str()).collect();
        self.kept.retain(|id, _| named.contains(id.as_str()));
        let mut tally = Tally::default();
        for request in self.kept.values() {
            tally.add(request, None);
        }
        let (earlier, start) = (tally.totals.clone(), Instant::now());
        let open: Vec<(u64, Item)> = (0..)
            .zip(self.items)
            .filter(|(_, item)| !self.kept.contains_key(&item.custom_id))
            .collect();
        let (expected, count) = (open.len(), self.concurrency.min(open.len()));
        let job = Arc::new(Job {
            client: server.client.clone(),
            model: self.model.to_owned(),
            timeout: self.timeout,
            retries: self.retries,
            open,
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let (sender, results) = mpsc::channel();
        for _ in 0..count {
            let (job, sender) = (Arc::clone(&job), sender.clone());
            // A thread that waits for an answer when the run stops is left to itself. Where
            // the system gives us fewer than were wanted, these do the work.
            let thread = thread::Builder::new().name("batch".into());
            if thread.spawn(move || job.work(&sender)).is_err() {
                break;
            }
        }
        drop(sender);

        let mut error = None;
        let mut waited = false;
        for _ in 0..expected {
            let sent = loop {
                if interrupts.stop() {
                    break None;
                }
                match results.recv_timeout(LOOK) {
                    Ok(sent) => break Some(sent),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break None,
                }
            };
            let Some(sent) = sent else { break };
            let request = sent.record(self.id, self.origin);
            tally.add(&request, Some(&sent));
            let all = (job.open.len() + self.kept.len()) as u64;
            let written = write(&request, &sent, tally.totals.requests, all);
            if written.is_err() {
                job.stop.store(true, Ordering::Relaxed);
            }
            written?;
            // The rest would be refused one by one by nobody.
            if error.is_none()
                && sent.is_connection_error()
                && let Some(end) = match std::mem::replace(&mut waited, true) {
                    // The first time it is given a moment to end; with a thousand
                    // connections that break, that would be a thousand moments.
                    false => server.died(),
                    true => server.ended(),
                }
            {
                job.stop.store(true, Ordering::Relaxed);
                error = Some(ErrorInfo {
                    kind: "backend_died".to_owned(),
                    message: format!(
                        "the backend died with {} after {} of {} requests",
                        end.describe(),
                        tally.totals.answered,
                        job.open.len() + self.kept.len()
                    ),
                    exit: end.exit,
                    signal: end.signal,
                    log_tail: server.log_tail(),
                    memory: None,
                });
            }
        }
        job.stop.store(true, Ordering::Relaxed);
        let end = probe::clock::Stamp::now();
        let all = (job.open.len() + self.kept.len()) as u64;
        if interrupts.stop() {
            error = Came::interrupted().error;
        } else if error.is_none() && tally.totals.requests < all {
            let message =
                format!("only {} of {all} requests came to an end", tally.totals.requests);
            let kind = "internal".to_owned();
            error = Some(ErrorInfo { kind, message, ..ErrorInfo::default() });
        }
        let concurrency = Some(self.concurrency as u32);
        let protocol = Protocol { kind: ProtocolKind::Batch, concurrency, ..Protocol::default() };
        let came = tally.came(error, &earlier, start.elapsed(), protocol);
        Ok(Came { end: Some(end), ..came })
    }
}

impl Tally {
    /// Adds a request; one of this run with what was `sent`.
    fn add(&mut self, request: &Request, sent: Option<&Sent>) {
        let totals = &mut self.totals;
        totals.requests += 1;
        totals.kept += u64::from(sent.is_none());
        totals.retried += u64::from(request.tries > 1);
        totals.retries += request.tries.saturating_sub(1);
        match &request.error {
            None => totals.answered += 1,
            Some(error) => {
                *totals.errors.entry(error.kind.clone()).or_default() += 1;
                self.first_error.get_or_insert_with(|| error.clone());
            }
        }
        let sum = |sum: &mut Option<u64>, metric: &Option<Metric>| {
            if let Some(metric) = metric {
                *sum.get_or_insert(0) += metric.value() as u64;
            }
        };
        sum(&mut totals.prompt_tokens, &request.metrics.prompt_tokens);
        sum(&mut totals.completion_tokens, &request.metrics.completion_tokens);
        if self.sample.is_none() && request.error.is_none() {
            let text = sent.and_then(|sent| sent.text.as_ref());
            self.sample = text.filter(|text| !text.is_empty()).cloned();
        }
        let gaps = sent.map(|sent| sent.gaps_s.as_slice()).unwrap_or_default();
        self.pool.add(&request.metrics, gaps);
    }

    /// What came of them all. Rates are those of this run: of what was added in `time`
    /// since there was what is in `earlier`.
    fn came(
        self,
        error: Option<ErrorInfo>,
        earlier: &BatchTotals,
        time: Duration,
        protocol: Protocol,
    ) -> Came {
        let Tally { pool, mut totals, first_error, sample } = self;
        let mut metrics = pool.metrics();
        let seconds = time.as_secs_f64();
        totals.duration_s = round(seconds, 6);
        let rate = |n: u64| (seconds > 0.0).then(|| Metric::Number(round(n as f64 / seconds, 3)));
        let more =
            |all: Option<u64>, before: Option<u64>| rate(all?.saturating_sub(before.unwrap_or(0)));
        if totals.requests > 0 {
            let share = totals.answered as f64 / totals.requests as f64;
            metrics.success_rate = Some(Metric::Number(round(share, 6)));
        }
        if totals.answered > earlier.answered {
            metrics.request_tps = rate(totals.answered - earlier.answered);
            metrics.input_tps = more(totals.prompt_tokens, earlier.prompt_tokens);
            metrics.output_tps = more(totals.completion_tokens, earlier.completion_tokens);
        }
        // Where nothing was answered at all there is nothing to judge.
        let error = error.or_else(|| first_error.filter(|_| totals.answered == 0));
        let observed = Observed { text: sample, metrics, ..Observed::default() };
        let measured = Measured { protocol, batch: Some(totals), ..Measured::default() };
        Came { observed, error, measured: Some(Box::new(measured)), ..Came::default() }
    }
}
