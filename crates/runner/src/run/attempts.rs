//! One cell: tried, and where that is wanted, tried again, to its one result.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use pipe::Error;
use probe::clock::Stamp;
use records::{Attempt, ErrorInfo, Origin, Outcome, Test, round};

use super::{Session, group::Stage};
use crate::{
    backend::Kind,
    case::{self, Came, Prepared, Subject},
    plan::Cell,
    retry,
    suite::{CaseDef, Retries, Scope},
};

/// How long a case may take when nobody says.
const TIMEOUT: Duration = Duration::from_secs(120);

impl Session<'_> {
    /// The one result of `cell`; nothing when the run was interrupted before it began.
    pub(super) fn result(
        &mut self,
        cell: &Cell<'_>,
        stage: &mut Stage<'_>,
    ) -> Result<Option<Test>, Error> {
        if let Some(reason) = cell.skip.clone() {
            let subject = self.subject(cell, stage);
            return Ok(Some(case::not_run(&subject, Outcome::Skipped, reason, None)));
        }
        if let Some(message) = cell.unset.clone() {
            let info = ErrorInfo {
                kind: "unset_variable".to_owned(),
                message: message.clone(),
                ..ErrorInfo::default()
            };
            let subject = self.subject(cell, stage);
            return Ok(Some(case::not_run(&subject, Outcome::Error, message, Some(info))));
        }
        let policy = self.policy(cell);
        let mut first = None;
        let mut earlier = Vec::new();
        for attempt in 1.. {
            let stopped = attempt > 1 && self.interrupts.stop();
            let served = !stopped && self.serve(cell, stage)?;
            if !served && attempt == 1 {
                break;
            }
            let interrupted = || Came::interrupted().error.filter(|_| !served);
            let broken = || stage.broken.clone().filter(|_| stage.group.needs_server_for(cell));
            if let Some(info) = interrupted().or_else(broken) {
                let subject = self.subject(cell, stage);
                let message = info.message.clone();
                let mut test = case::not_run(&subject, Outcome::Error, message, Some(info));
                if let Some(first) = first {
                    // This try never began, but others did.
                    test.attempt = Some(attempt);
                    test.total_s = Some(round(Stamp::now().since(&first).as_secs_f64(), 6));
                    test.flaky = Some(earlier.iter().any(|outcome| *outcome != test.outcome));
                }
                return Ok(Some(test));
            }
            let start = *first.get_or_insert_with(Stamp::now);
            let (mut test, asked) = self.attempt(cell, stage)?;
            test.attempt = Some(attempt);
            test.total_s = Some(round(Stamp::now().since(&start).as_secs_f64(), 6));
            let is_last = policy.is_none_or(|policy| attempt > policy.count);
            if is_last || self.interrupts.stop() || !retry::is_worth_it(&test) {
                let flaky = earlier.iter().any(|outcome| *outcome != test.outcome);
                test.flaky = (!earlier.is_empty()).then_some(flaky);
                return Ok(Some(test));
            }
            earlier.push(test.outcome);
            let pause = policy.map(|policy| retry::pause(&policy, attempt + 1, asked));
            self.journal.attempt(&earlier_try(&test, &self.journal.origin))?;
            if let Some(junit) = &mut self.junit {
                junit.attempt(&test);
            }
            self.progress.attempt(&test, pause.unwrap_or_default());
            self.interrupts.sleep(pause.unwrap_or_default());
        }
        Ok(None)
    }

    /// What was prepared of `case`, when it was first met.
    pub(super) fn prepared(&mut self, case: &CaseDef) -> Rc<Prepared> {
        // Cases stay where they are in the suite for the whole run.
        let entry = self.prepared.entry(std::ptr::from_ref(case));
        let defaults = &self.suite.body.defaults;
        // The suite was checked when it was loaded: every case can be prepared.
        let prepare = || Rc::new(Prepared::of(case, &case.folder, defaults).unwrap_or_default());
        Rc::clone(entry.or_insert_with(prepare))
    }

    /// How often the case is tried again. What is expected to fail is tried once; a batch
    /// sends requests again, one by one, and is not done twice as a whole.
    fn policy(&self, cell: &Cell<'_>) -> Option<Retries> {
        let case = cell.case;
        let policy = self.options.retries.or(case.retries).or(self.suite.body.defaults.retries);
        // A model is loaded for a baseline once: another try would not be its first query.
        let once = case.batch.is_some() || case.baseline.is_some();
        policy.filter(|policy| policy.count > 0 && cell.xfail.is_none() && !once)
    }

    fn subject<'s>(&'s self, cell: &'s Cell<'s>, stage: &Stage<'s>) -> Subject<'s> {
        Subject {
            origin: &self.journal.origin,
            suite: self.suite,
            cell,
            on: stage.group.on,
            backend: stage.backend.clone(),
            model: stage.model.clone(),
        }
    }

    /// Tries `cell` once. Also returns how long the server asked us to wait.
    fn attempt(
        &mut self,
        cell: &Cell<'_>,
        stage: &mut Stage<'_>,
    ) -> Result<(Test, Option<Duration>), Error> {
        let case = cell.case;
        let folder = &case.folder;
        let defaults = &self.suite.body.defaults;
        let own = case.timeout.or(defaults.timeout).map(|span| span.0);
        let timeout = self.options.timeout.or(own).unwrap_or(TIMEOUT);
        let prepared = self.prepared(case);

        let mut params = stage.params.clone();
        params.axes = cell.axes();
        let fixtures = self.set_up(cell, stage)?;
        let mut places = stage.group.on.map(|on| on.places()).unwrap_or_default();
        let mut env = BTreeMap::new();
        if let Some(path) = &stage.path {
            places.set("path", path.display().to_string());
        }
        if let Some(serving) = &stage.serving {
            places.add(&serving.server.places);
        }
        let fixtures = fixtures.map(|ready| {
            places.add(&ready.places);
            env = ready.env;
        });
        let model = stage.group.on.map(|on| on.request_name()).unwrap_or_default();
        let kind = stage.group.on.map_or(Kind::Command, |on| on.kind);
        let sending = case.request.as_ref().map(|request| case::Sending {
            request,
            prepared: &prepared,
            kind,
            model: &model,
            defaults,
            folder,
            places: &places,
            timeout,
        });
        // Files are read and the body is made before the clock starts.
        let is_measured = case.is_repeated();
        let request = sending.filter(|_| !is_measured).map(case::Sending::ready);

        let before = self.watch.before();
        let start = Stamp::now();
        self.progress.running(&cell.id);
        self.journal.begin_test(&cell.id, &params, &start)?;
        let disk_gb = stage.model.as_ref().and_then(|model| model.size_gb);
        let measured = sending.zip(stage.group.on.as_ref()).filter(|_| is_measured);
        let mut came = match (fixtures, request, &case.command, &mut stage.serving) {
            (Ok(_), None, None, Some(serving)) if let Some((sending, on)) = measured => {
                match case.bench {
                    Some(_) => self.bench(cell, on, sending, serving)?,
                    None => self.baseline(cell, on, sending, serving, disk_gb)?,
                }
            }
            (Err(error), ..) => Came { error: Some(error), ..Came::default() },
            (_, _, _, Some(serving)) if case.batch.is_some() => {
                self.batch(cell, stage.group.on.as_ref(), &mut serving.server, &model, timeout)?
            }
            (_, Some(request), _, Some(serving)) => {
                request.run(&mut serving.server, self.interrupts)
            }
            (_, _, Some(command), _) => {
                let around = case::Around { places: &places, env: &env, folder, timeout };
                case::run_command(command, &around, self.interrupts)
            }
            _ => Came::error("backend_not_started", "there is no server for this case".to_owned()),
        };
        let end = came.end.unwrap_or_else(Stamp::now);
        if let Some(error) = came.error.as_mut().filter(|error| error.kind == "backend_died") {
            error.memory = Some(self.watch.at_death());
        }
        let health = self.watch.after(&before);
        let asked = came.retry_after;
        let subject = self.subject(cell, stage);
        let test = case::conclude(&subject, &prepared, came, &start, &end, Some(health));
        self.tear_down(Scope::Case)?;
        Ok((test, asked))
    }
}

/// The record of a try that another one follows.
fn earlier_try(test: &Test, origin: &Origin) -> Attempt {
    let mut attempt = Attempt::at(test.ts, origin);
    attempt.id.clone_from(&test.id);
    attempt.params = test.params.clone();
    attempt.attempt = test.attempt.unwrap_or(1);
    attempt.outcome = test.outcome;
    attempt.duration_s = test.duration_s.unwrap_or_default();
    attempt.end_ts = test.end_ts.unwrap_or(test.ts);
    attempt.reason.clone_from(&test.reason);
    attempt.checks.clone_from(&test.checks);
    attempt.error.clone_from(&test.error);
    attempt
}
