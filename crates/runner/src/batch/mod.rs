//! A case that sends many requests: so many at once, or each when it is due, and each
//! recorded when it is done.

mod input;
mod output;
mod samples;
mod schedule;
mod send;
mod tally;
mod turn;

use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use pipe::Error;
use records::{ErrorInfo, Origin, Protocol, ProtocolKind, RampInfo, Request};

use crate::{
    backend::{End, Server},
    case::Came,
    interrupt::Interrupts,
    suite::{BatchDef, Retries},
};

use input::{Checked, Lines};
pub use input::{check, count};
pub use output::Output;
use schedule::Schedule;
pub use send::Sent;
use send::Wire;
use tally::Tally;
use turn::Job;

/// How often to look whether the run shall stop while something is awaited.
const LOOK: Duration = Duration::from_millis(50);

/// What a batch is asked with.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The id of the test.
    pub id: &'a str,
    /// The run and the host.
    pub origin: &'a Origin,
    /// What the suite says of it.
    pub def: &'a BatchDef,
    /// The folder that its file is looked for in.
    pub folder: &'a Path,
    /// How often a request is sent again after a reset, 429 or 503.
    pub retries: Option<Retries>,
    /// The seed of the suite.
    pub seed: Option<u64>,
    /// The name by which requests ask for the model.
    pub model: &'a str,
    /// How long each answer may take.
    pub timeout: Duration,
}

/// A batch, and what came of it so far.
pub struct Batch<'a> {
    asked: Asked<'a>,
    lines: Lines,
    checked: Checked,
    /// Requests of an earlier run, by the hashes of their ids.
    done: HashSet<u128>,
    tally: Tally,
}

/// How far a batch has come.
#[derive(Clone, Copy, Debug)]
pub struct Going {
    /// Requests that came to an end.
    pub done: u64,
    /// Those among them that have no answer.
    pub failed: u64,
    /// All.
    pub of: u64,
}

impl<'a> Batch<'a> {
    /// Looks through the file of a batch.
    ///
    /// # Errors
    ///
    /// When it is wrong, with a sentence that says where: it may have been changed since the
    /// suite was read.
    pub fn open(asked: Asked<'a>) -> Result<Batch<'a>, String> {
        let file = asked.folder.join(&asked.def.file);
        let checked = Checked::of(&file)?;
        let tally = Tally::new(asked.def.goodput.clone());
        let lines = Lines::open(&file)?;
        Ok(Batch { asked, lines, checked, done: HashSet::new(), tally })
    }

    /// A request of an earlier run is not sent again. One that the file no longer has is
    /// none of ours.
    pub fn keep(&mut self, request: &Request) {
        let Some(id) = &request.custom_id else { return };
        if self.checked.has(id) && self.done.insert(input::hash(id)) {
            self.tally.add(request, None);
        }
    }

    /// Sends the others. `write` is given each record when it happens, with the answer, and
    /// how far they all have come.
    ///
    /// # Errors
    ///
    /// When a record cannot be written.
    pub fn run(
        self,
        server: &mut Server,
        interrupts: &Interrupts,
        mut write: impl FnMut(&Request, &Sent, Going) -> Result<(), Error>,
    ) -> Result<Came, Error> {
        let Batch { asked, lines, mut checked, done, mut tally } = self;
        checked.forget_ids();
        let (earlier, of) = (tally.totals.clone(), checked.requests);
        let wire = Wire {
            client: server.client.clone(),
            model: asked.model.to_owned(),
            timeout: asked.timeout,
            retries: asked.retries,
            samples: asked.def.samples.clone(),
        };
        let schedule = Schedule::of(asked.def, asked.seed.unwrap_or(0));
        let at_once = asked.def.at_once() as usize;
        let start = Instant::now();
        let job = Arc::new(Job::new(wire, at_once, (lines, checked), done, schedule));
        let (sender, results) = mpsc::channel();
        job.start(sender);

        let mut error = None;
        let (mut waited, mut broke) = (false, false);
        loop {
            // What came before a run is stopped is recorded, and nothing is waited for then.
            let wait = if interrupts.stop() { Duration::ZERO } else { LOOK };
            let mut sent = match results.recv_timeout(wait) {
                Ok(Ok(sent)) => sent,
                Ok(Err(why)) => {
                    error.get_or_insert(info("bad_request", why));
                    continue;
                }
                Err(RecvTimeoutError::Timeout) if interrupts.stop() => break,
                Err(RecvTimeoutError::Timeout) => {
                    // Those that are sent again have yet to say that nobody is there.
                    if error.is_none()
                        && job.saw_a_break()
                        && let Some(end) = server.ended()
                    {
                        job.stop();
                        error = Some(died(&end, tally.totals.answered, of, server));
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            broke = sent.is_connection_error();
            let request = sent.record(asked.id, asked.origin);
            tally.add(&request, Some(&sent));
            let going = Going { done: tally.totals.requests, failed: tally.failed(), of };
            let written = write(&request, &sent, going);
            if written.is_err() {
                job.stop();
            }
            written?;
            job.one_written();
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
                job.stop();
                error = Some(died(&end, tally.totals.answered, of, server));
            }
        }
        job.stop();
        let end = probe::clock::Stamp::now();
        // The last connection may have broken a moment before its server had ended.
        if error.is_none()
            && broke
            && let Some(end) = server.died()
        {
            error = Some(died(&end, tally.totals.answered, of, server));
        }
        if interrupts.stop() {
            error = Came::interrupted().error;
        } else if error.is_none() && tally.totals.requests != of {
            let done = tally.totals.requests;
            error = Some(info("internal", format!("{done} of {of} requests came to an end")));
        }
        let came = tally.came(error, &earlier, start.elapsed(), protocol(&asked));
        Ok(Came { end: Some(end), ..came })
    }
}

fn info(kind: &str, message: String) -> ErrorInfo {
    ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() }
}

fn died(end: &End, answered: u64, of: u64, server: &Server) -> ErrorInfo {
    let message =
        format!("the backend died with {} after {answered} of {of} requests", end.describe());
    ErrorInfo {
        exit: end.exit,
        signal: end.signal,
        log_tail: server.log_tail(),
        ..info("backend_died", message)
    }
}

/// What must be equal for two batches to be compared.
fn protocol(asked: &Asked<'_>) -> Protocol {
    let def = asked.def;
    Protocol {
        kind: ProtocolKind::Batch,
        concurrency: Some(def.at_once()),
        rate: def.rate,
        ramp: def.ramp.map(|ramp| RampInfo {
            from: ramp.from,
            to: ramp.to,
            over_s: ramp.over.0.as_secs_f64(),
        }),
        arrival: def.is_open().then(|| def.arrival.name().to_owned()),
        goodput: def.goodput.clone(),
        seed: asked.seed,
        ..Protocol::default()
    }
}
