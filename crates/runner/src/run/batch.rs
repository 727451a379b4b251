//! A batch case in a run.

use std::time::Duration;

use pipe::Error;

use super::Session;
use crate::{
    backend::Server,
    batch::{Asked, Batch},
    bench,
    case::Came,
    cost::Costs,
    plan::{Cell, On},
};

impl Session<'_> {
    /// Sends the requests of `cell` that have no answer from an earlier run yet, and says
    /// what they cost and whether their figures can be trusted.
    pub(super) fn batch(
        &mut self,
        cell: &Cell<'_>,
        on: Option<&On<'_>>,
        server: &mut Server,
        model: &str,
        timeout: Duration,
    ) -> Result<Came, Error> {
        let case = cell.case;
        let Some(def) = &case.batch else {
            return Ok(Came::error("bad_request", "this is no batch".to_owned()));
        };
        let origin = self.journal.origin.clone();
        let asked = Asked {
            id: &cell.id,
            origin: &origin,
            def,
            folder: &case.folder,
            retries: self.options.retries.or(case.retries).or(self.suite.body.defaults.retries),
            seed: self.suite.body.defaults.seed,
            model,
            timeout,
        };
        let mut batch = match Batch::open(asked) {
            Ok(batch) => batch,
            Err(message) => return Ok(Came::error("bad_request", message)),
        };
        if let Some(kept) = self.options.kept.as_ref() {
            self.journal.keep_lines(kept, &cell.id)?;
            kept.each_request(&cell.id, |request| batch.keep(request))?;
        }
        let gpu = self.watch.gpu_at_rest(self.interrupts);
        let started = self.watch.start(server.pid());
        let costs = Costs::start(self.suite, on, server);
        let Session { journal, output, progress, interrupts, .. } = self;
        let mut came = batch.run(server, interrupts, |request, sent, going| {
            progress.batch(going);
            if let Some(output) = output {
                output.add(&format!("{}-{}", origin.run, request.index), sent)?;
            }
            journal.request(request)
        })?;
        costs.add(&mut came);
        let around = self.watch.around(started, gpu);
        if let Some(measured) = &mut came.measured
            && let Some(totals) = &measured.batch
        {
            let verdict = bench::of_batch(totals, &came.observed.metrics, &around);
            measured.verdict = Some(verdict);
        }
        Ok(came)
    }
}
