//! A baseline in a run: a model from its load to its steady state.

use pipe::Error;
use probe::clock::Stamp;
use records::{
    Accuracy, Check, ErrorInfo, MemoryAround, MemoryNow, Metric, Metrics, Phase, Protocol,
    ProtocolKind, round,
};
use serde_json::{Map, Value, json};

use super::{
    Session,
    bench::Query,
    group::{Loaded, Serving},
};
use crate::{
    bench::{self, Asked},
    case::{Came, Measured, Measuring, Sending, describe, judge_all},
    expect::{Expectation, Observed},
    journal::Closing,
    measure::{Pool, Values},
    plan::{Cell, On},
    suite::RequestDef,
};

/// How many of the queries that are wrong are told of.
const WRONG: usize = 10;
/// After these there is nothing to be asked any more.
const FINAL: [&str; 4] = ["interrupted", "backend_died", "unsupported", "bad_request"];

/// What is asked of a model, one query after another.
#[derive(Default)]
struct Queries {
    accuracy: Accuracy,
    wrong: Vec<Value>,
    /// Seconds of the first query.
    warmup_s: Option<f64>,
    /// Seconds of the others.
    steady_s: Values,
    pool: Pool,
    runs: Vec<Metrics>,
    answered: u64,
    first: Observed,
    first_error: Option<ErrorInfo>,
    /// Why there were no more.
    error: Option<ErrorInfo>,
}

impl Session<'_> {
    /// Measures the model of `cell`, which `serving` has loaded for it; `disk_gb` is its
    /// size.
    pub(super) fn baseline(
        &mut self,
        cell: &Cell<'_>,
        on: &On<'_>,
        sending: Sending<'_>,
        serving: &mut Serving,
        disk_gb: Option<f64>,
    ) -> Result<Came, Error> {
        let (Some(def), Some(request)) = (&cell.case.baseline, &cell.case.request) else {
            return Ok(Came::error("bad_request", "this is no baseline".to_owned()));
        };
        let loaded = serving.loaded;
        let pid = serving.server.pid();
        let mut wire = sending.wire(&mut serving.server, self.interrupts);
        let rows = &sending.prepared.rows;
        let steady = bench::queries(def, sending.prepared);
        let gpu = self.watch.gpu_at_rest(self.interrupts);
        let mut all = Queries::default();
        let mut open = self.journal.begin(Phase::Warmup, &self.params(on), Stamp::now())?;
        let mut started = self.watch.start(pid);
        for n in 0..=steady {
            self.progress.requests(&cell.id, u64::from(n), u64::from(steady) + 1);
            let row = rows.get(n as usize % rows.len().max(1));
            let asked = row.map_or(request, |row| &row.request);
            let each = row.map_or(&sending.prepared.each, |row| &row.expectations);
            let query = Query {
                id: &cell.id,
                request: asked,
                expectations: each,
                measuring: Measuring::default(),
            };
            let (phase, index) = match n.checked_sub(1) {
                None => (Phase::Warmup, 0),
                Some(index) => (Phase::Measure, index),
            };
            let begun = Stamp::now();
            let came = self.query(&mut wire, &query, phase, index, !def.prompt_cache)?;
            let took_s = Stamp::now().since(&begun).as_secs_f64();
            let goes_on = all.add(came, each, &sending.prepared.implied, n, took_s);
            if n == 0 {
                let error = all.error.clone();
                self.journal.end(open, Closing { pid, error, ..Closing::default() })?;
                open = self.journal.begin(Phase::Measure, &self.params(on), Stamp::now())?;
                started = self.watch.start(pid);
            }
            if !goes_on {
                break;
            }
        }
        let around = self.watch.around(started, gpu);
        self.journal.end(open, Closing { pid, error: all.error.clone(), ..Closing::default() })?;

        let mut metrics = all.metrics(&loaded);
        metrics.disk_gb = disk_gb.map(Metric::Number);
        let has_switch = sending.kind.cache_switch().is_some();
        let asked = Asked {
            prompt_cache: def.prompt_cache,
            repeated: rows.is_empty(),
            // Words that make a prompt new may make its answer longer.
            alike: rows.is_empty() && (def.prompt_cache || has_switch),
            counted: bench::counts_tokens(request),
            ..Asked::default()
        };
        let verdict = bench::verdict(&all.runs, &metrics, asked, &around);
        let memory = loaded.before.zip(loaded.after).map(|(before, loaded)| MemoryAround {
            before,
            loaded,
            after: self.watch.memory(pid),
        });
        let protocol = protocol(request, &sending, steady, def.prompt_cache);
        let measured = Measured {
            protocol,
            verdict: (!all.runs.is_empty()).then_some(verdict),
            memory,
            ..Measured::default()
        };
        Ok(all.came(metrics, measured))
    }
}

fn protocol(
    request: &RequestDef,
    sending: &Sending<'_>,
    steady: u32,
    prompt_cache: bool,
) -> Protocol {
    Protocol {
        kind: ProtocolKind::Baseline,
        warmup: Some(1),
        repetitions: Some(steady),
        max_tokens: request.max_tokens,
        cache_avoided_by: bench::cache_avoided_by(request, sending.kind).filter(|_| !prompt_cache),
        concurrency: Some(1),
        seed: request.seed.or(sending.defaults.seed),
        temperature: request.temperature.or(sending.defaults.temperature),
        ..Protocol::default()
    }
}

impl Queries {
    /// Judges query `n`, which took so many seconds. False when it was the last because
    /// there is nobody to ask any more.
    fn add(
        &mut self,
        came: Came,
        each: &[Expectation],
        implied: &[Expectation],
        n: u32,
        took_s: f64,
    ) -> bool {
        let Came { observed, mut checks, mut error, gaps_s, .. } = came;
        if let Some(last) = error.as_mut().filter(|error| FINAL.contains(&error.kind.as_str())) {
            last.message = format!("query {}: {}", n + 1, last.message);
            self.error = error;
            return false;
        }
        let answered = error.is_none();
        if answered {
            self.answered += 1;
            let refused = observed.status.is_some_and(|status| status >= 400);
            error = judge_all(each, &observed, None, &mut checks);
            if !refused {
                error = error.or(judge_all(implied, &observed, None, &mut checks));
            }
        }
        self.count(error.as_ref(), &checks, n);
        self.first_error = self.first_error.take().or(error);
        if !answered {
            return true;
        }
        // What did not stream, or said nothing, took as long as it took.
        let seconds = observed.metrics.e2e_s.as_ref().map_or(took_s, Metric::value);
        if n == 0 {
            self.warmup_s = Some(seconds);
        } else {
            self.steady_s.add(seconds);
            self.pool.add(&observed.metrics, &gaps_s);
            let steady_s = Some(Metric::Number(round(seconds, 6)));
            self.runs.push(Metrics { steady_s, ..observed.metrics.clone() });
        }
        if self.first.status.is_none() {
            self.first = observed;
        }
        true
    }

    fn count(&mut self, error: Option<&ErrorInfo>, checks: &[Check], n: u32) {
        self.accuracy.total += 1;
        let missed = checks.iter().find(|check| !check.ok);
        match error.map(|error| error.message.clone()).or_else(|| missed.map(describe)) {
            None => self.accuracy.correct += 1,
            Some(reason) if self.wrong.len() < WRONG => {
                self.wrong.push(json!({"query": n + 1, "reason": reason}));
            }
            Some(_) => {}
        }
    }

    fn metrics(&self, loaded: &Loaded) -> Metrics {
        let number = |value: f64| Metric::Number(round(value, 6));
        let gpu_gb = |memory: Option<MemoryNow>| memory.and_then(|memory| memory.gpu_used_gb);
        let gpu = gpu_gb(loaded.before).zip(gpu_gb(loaded.after));
        let steady_s = self.steady_s.stats(6).map(|stats| Metric::Stats(Box::new(stats)));
        Metrics {
            load_s: loaded.load_s.map(number),
            memory_gb: loaded.after.and_then(|memory| memory.tree_gb).map(number),
            gpu_memory_gb: gpu.map(|(before, after)| number(after - before)),
            warmup_s: self.warmup_s.map(number),
            steady_s,
            accuracy: (self.accuracy.total > 0).then_some(self.accuracy),
            ..self.pool.metrics()
        }
    }

    fn came(self, metrics: Metrics, measured: Measured) -> Came {
        // Where there was no answer at all, there is nothing to be right or wrong.
        let nothing = self.answered == 0;
        let note = self.wrong.first().map(|first| {
            let reason = first["reason"].as_str().unwrap_or_default();
            format!("query {}: {reason}", first["query"])
        });
        let mut metadata = Map::new();
        if !self.wrong.is_empty() {
            metadata.insert("wrong_queries".to_owned(), Value::Array(self.wrong));
        }
        let measured = Measured { runs: Some(self.runs), ..measured };
        Came {
            observed: Observed { metrics, ..self.first },
            error: self.error.or_else(|| self.first_error.filter(|_| nothing)),
            note,
            metadata,
            measured: Some(Box::new(measured)),
            ..Came::default()
        }
    }
}
