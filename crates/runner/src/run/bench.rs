//! A bench in a run: requests that warm up, then requests that are measured.

use pipe::Error;
use probe::clock::Stamp;
use records::{Metric, Metrics, Phase, Protocol, ProtocolKind, Request};

use super::{Session, group::Serving};
use crate::{
    bench::{self, Asked},
    case::{Came, Measured, Measuring, Sending, Wire, judge_all},
    expect::{Expectation, Observed},
    facts,
    journal::{Closing, lasting},
    measure::Pool,
    plan::{Cell, On},
    suite::{BenchDef, RequestDef},
};

/// What is asked again and again, and for whom.
pub(super) struct Query<'a> {
    /// The id of the test.
    pub(super) id: &'a str,
    pub(super) request: &'a RequestDef,
    pub(super) expectations: &'a [Expectation],
    pub(super) measuring: Measuring<'a>,
}

/// What a bench measured so far.
#[derive(Default)]
struct Runs {
    pool: Pool,
    runs: Vec<Metrics>,
    first: Observed,
    checks: Vec<records::Check>,
    error: Option<records::ErrorInfo>,
}

impl Session<'_> {
    /// Measures the request of `cell`.
    pub(super) fn bench(
        &mut self,
        cell: &Cell<'_>,
        on: &On<'_>,
        sending: Sending<'_>,
        serving: &mut Serving,
    ) -> Result<Came, Error> {
        let (Some(def), Some(request)) = (&cell.case.bench, &cell.case.request) else {
            return Ok(Came::error("bad_request", "this is no bench".to_owned()));
        };
        let pid = serving.server.pid();
        let mut wire = sending.wire(&mut serving.server, self.interrupts);
        let seed = request.seed.or(sending.defaults.seed).unwrap_or(0);
        let gpu = self.watch.gpu_at_rest(self.interrupts);
        let prompt = match bench::prompt(&mut wire, request, def, seed) {
            Ok(prompt) => prompt,
            Err(error) => return Ok(Came { error: Some(*error), ..Came::default() }),
        };
        let end = end_tokens(on);
        let forced = def.ignore_eos && bench::has_length(request);
        // Whether it can be had is what the kind says of any body.
        let ignores = forced && sending.kind.ignore_eos(&mut serde_json::Map::new(), &end);
        // What comes after an answer that should have ended may be anything.
        let allow_stop_tokens = request.allow_stop_tokens || ignores;
        let request = &RequestDef { allow_stop_tokens, ..request.clone() };
        let base = Measuring {
            before: prompt.before.as_deref(),
            filler: prompt.filler.as_deref(),
            ignore_eos: forced.then_some(&end),
            ..Measuring::default()
        };
        let query =
            Query { id: &cell.id, request, expectations: &sending.prepared.each, measuring: base };
        let warmups = bench::warmups(def);
        let of = u64::from(warmups) + u64::from(def.repetitions);

        if warmups > 0 {
            let open = self.journal.begin(Phase::Warmup, &self.params(on), Stamp::now())?;
            let mut failed = None;
            for n in 0..warmups {
                self.progress.requests(&cell.id, u64::from(n), of);
                let came = self.query(&mut wire, &query, Phase::Warmup, n, !def.prompt_cache)?;
                if came.error.is_some() {
                    failed = Some(came);
                    break;
                }
            }
            let error = failed.as_ref().and_then(|came| came.error.clone());
            self.journal.end(open, Closing { pid, error, ..Closing::default() })?;
            if let Some(came) = failed {
                return Ok(came);
            }
        }

        let open = self.journal.begin(Phase::Measure, &self.params(on), Stamp::now())?;
        let started = self.watch.start(pid);
        let mut all = Runs::default();
        let each = [sending.prepared.each.as_slice(), &sending.prepared.implied].concat();
        for n in 0..def.repetitions {
            self.progress.requests(&cell.id, u64::from(warmups + n), of);
            let came = self.query(&mut wire, &query, Phase::Measure, n, !def.prompt_cache)?;
            if !all.add(came, &each, n) {
                break;
            }
        }
        let around = self.watch.around(started, gpu);
        self.journal.end(open, Closing { pid, error: all.error.clone(), ..Closing::default() })?;

        let mut metrics = all.pool.metrics();
        metrics.load_s = serving.loaded.load_s.map(Metric::Number);
        let asked = Asked {
            prompt_tokens: def.prompt_tokens,
            depth: def.depth,
            completion_tokens: request.max_tokens.filter(|_| forced),
            prompt_cache: def.prompt_cache,
            repeated: true,
            alike: true,
            counted: bench::counts_tokens(request),
        };
        let verdict = bench::verdict(&all.runs, &metrics, asked, &around);
        let protocol = protocol(def, request, &sending, ignores);
        let measured = Measured {
            protocol,
            verdict: (!all.runs.is_empty()).then_some(verdict),
            runs: Some(all.runs),
            ..Measured::default()
        };
        Ok(Came {
            observed: Observed { metrics, ..all.first },
            checks: all.checks,
            error: all.error,
            measured: Some(Box::new(measured)),
            ..Came::default()
        })
    }

    /// Sends one request that warms up or is measured, and records it.
    pub(super) fn query(
        &mut self,
        wire: &mut Wire<'_>,
        query: &Query<'_>,
        phase: Phase,
        index: u32,
        is_new: bool,
    ) -> Result<Came, Error> {
        let run = &self.journal.origin.run;
        let key = format!("{} {phase:?}", query.id);
        let nonce = bench::nonce(run, &key, u64::from(index));
        let nonce = Some(nonce.as_str()).filter(|_| is_new || query.measuring.before.is_some());
        let built = wire.sending.measured(query.request, Measuring { nonce, ..query.measuring });
        let built = match built {
            Ok(built) => built,
            Err(message) => return Ok(Came::error("bad_request", message)),
        };
        let start = Stamp::now();
        let mut came = wire.exchange(query.request, built, query.expectations);
        came.observed.metrics = bench::repetition(came.observed.metrics);
        let mut record = Request::at(start.wall_s, &self.journal.origin);
        (record.end_ts, record.duration_s) = lasting(&start, &Stamp::now());
        query.id.clone_into(&mut record.id);
        record.index = u64::from(index);
        record.phase = Some(phase);
        record.tries = 1;
        record.status = came.observed.status;
        record.metrics = came.observed.metrics.clone();
        record.error.clone_from(&came.error);
        self.journal.request(&record)?;
        Ok(came)
    }

    /// The backend and the model, as spans have them.
    pub(super) fn params(&self, on: &On<'_>) -> records::Params {
        records::Params {
            backend: Some(on.backend_name.to_owned()),
            model: Some(on.model.id.clone()),
            ..records::Params::default()
        }
    }
}

fn protocol(
    def: &BenchDef,
    request: &RequestDef,
    sending: &Sending<'_>,
    ignores: bool,
) -> Protocol {
    let avoided = match def.depth {
        Some(depth) if depth > 0 => Some("a new prompt behind the depth".to_owned()),
        _ if def.prompt_cache => None,
        _ => bench::cache_avoided_by(request, sending.kind),
    };
    Protocol {
        kind: ProtocolKind::Bench,
        warmup: Some(bench::warmups(def)),
        repetitions: Some(def.repetitions),
        prompt_tokens: def.prompt_tokens,
        depth: def.depth,
        max_tokens: request.max_tokens,
        ignore_eos: bench::has_length(request).then_some(ignores),
        cache_avoided_by: avoided,
        concurrency: Some(1),
        seed: request.seed.or(sending.defaults.seed),
        temperature: request.temperature.or(sending.defaults.temperature),
        ..Protocol::default()
    }
}

impl Runs {
    /// Adds repetition `n`. False when it was the last because nothing came of it.
    fn add(&mut self, came: Came, each: &[Expectation], n: u32) -> bool {
        let Came { observed, checks, error, gaps_s, .. } = came;
        // An answer with no place for a check has one once, not once for each repetition.
        let mut judged = checks;
        self.error = error.or_else(|| judge_all(each, &observed, None, &mut judged));
        for check in judged {
            let same = self.checks.iter_mut().find(|other| other.expect == check.expect);
            match same {
                // The first that failed is the one to tell of.
                Some(other) if other.ok && !check.ok => *other = check,
                Some(_) => {}
                None => self.checks.push(check),
            }
        }
        if self.error.is_some() {
            if let Some(error) = &mut self.error {
                error.message = format!("repetition {}: {}", n + 1, error.message);
            }
            return false;
        }
        self.pool.add(&observed.metrics, &gaps_s);
        self.runs.push(observed.metrics.clone());
        if n == 0 {
            self.first = observed;
        }
        true
    }
}

/// The tokens that end the model's answers, where its files say so.
pub(super) fn end_tokens(on: &On<'_>) -> Vec<u64> {
    let files = facts::location(on.file().as_deref(), on.placement.repo.as_deref());
    files.map(|files| facts::end_tokens(&files)).unwrap_or_default()
}
