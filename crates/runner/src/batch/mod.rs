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
use records::{ErrorInfo, Metric, Metrics, Origin, Request, round};

use crate::{
    backend::Server, case::Came, expect::Observed, interrupt::Interrupts, measure, suite::Retries,
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
    metrics: Vec<Metrics>,
    total: u64,
    answered: u64,
    errors: BTreeMap<String, u64>,
    first_error: Option<ErrorInfo>,
    sample: Option<String>,
    prompt_tokens: Option<f64>,
    completion_tokens: Option<f64>,
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
        let (earlier, start) = (tally.answered, Instant::now());
        let tokens = (tally.prompt_tokens, tally.completion_tokens);
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
            tally.add(&request, sent.text.as_deref());
            let all = (job.open.len() + self.kept.len()) as u64;
            let written = write(&request, &sent, tally.total, all);
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
                        tally.answered,
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
        } else if error.is_none() && tally.total < all {
            let message = format!("only {} of {all} requests came to an end", tally.total);
            let kind = "internal".to_owned();
            error = Some(ErrorInfo { kind, message, ..ErrorInfo::default() });
        }
        let of_this_run = tally.answered - earlier;
        let came = tally.came(error, of_this_run, tokens, start.elapsed());
        Ok(Came { end: Some(end), ..came })
    }
}

impl Tally {
    fn add(&mut self, request: &Request, text: Option<&str>) {
        self.total += 1;
        match &request.error {
            None => self.answered += 1,
            Some(error) => {
                *self.errors.entry(error.kind.clone()).or_default() += 1;
                self.first_error.get_or_insert_with(|| error.clone());
            }
        }
        let sum = |sum: &mut Option<f64>, metric: &Option<Metric>| {
            if let Some(metric) = metric {
                *sum.get_or_insert(0.0) += metric.value();
            }
        };
        sum(&mut self.prompt_tokens, &request.metrics.prompt_tokens);
        sum(&mut self.completion_tokens, &request.metrics.completion_tokens);
        if self.sample.is_none() && request.error.is_none() {
            self.sample = text.filter(|text| !text.is_empty()).map(str::to_owned);
        }
        self.metrics.push(request.metrics.clone());
    }

    /// What came of them all. Rates are those of this run: `answered` requests in `time`,
    /// with the tokens beyond those of an `earlier` one.
    fn came(
        self,
        error: Option<ErrorInfo>,
        answered: u64,
        earlier: (Option<f64>, Option<f64>),
        time: Duration,
    ) -> Came {
        let mut metrics = measure::over(&self.metrics);
        let seconds = time.as_secs_f64();
        let rate = |n: f64| (seconds > 0.0).then(|| Metric::Number(round(n / seconds, 3)));
        let more = |all: Option<f64>, before: Option<f64>| Some(all? - before.unwrap_or(0.0));
        if self.total > 0 {
            let share = self.answered as f64 / self.total as f64;
            metrics.success_rate = Some(Metric::Number(round(share, 6)));
        }
        if answered > 0 {
            metrics.request_tps = rate(answered as f64);
            metrics.input_tps = more(self.prompt_tokens, earlier.0).and_then(rate);
            metrics.output_tps = more(self.completion_tokens, earlier.1).and_then(rate);
        }
        // Where nothing was answered at all there is nothing to judge.
        let error = error.or_else(|| self.first_error.filter(|_| self.answered == 0));
        let mut metadata = serde_json::Map::new();
        metadata.insert("requests".to_owned(), self.total.into());
        if !self.errors.is_empty() {
            metadata.insert("request_errors".to_owned(), serde_json::json!(self.errors));
        }
        let observed = Observed { text: self.sample, metrics, ..Observed::default() };
        Came { observed, error, metadata, ..Came::default() }
    }
}
