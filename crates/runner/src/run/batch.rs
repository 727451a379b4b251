//! A batch case in a run.

use std::time::Duration;

use pipe::Error;

use super::Session;
use crate::{
    backend::Server,
    batch::{self, Batch},
    case::Came,
    plan::Cell,
};

impl Session<'_> {
    /// Sends the requests of `cell` that have no answer from an earlier run yet.
    pub(super) fn batch(
        &mut self,
        cell: &Cell<'_>,
        server: &mut Server,
        model: &str,
        timeout: Duration,
    ) -> Result<Came, Error> {
        let case = cell.case;
        let Some(def) = &case.batch else {
            return Ok(Came::error("bad_request", "this is no batch".to_owned()));
        };
        let items = match batch::read(&case.folder.join(&def.file)) {
            Ok(items) => items,
            Err(message) => return Ok(Came::error("bad_request", message)),
        };
        let kept = self.options.kept.as_ref();
        if let Some(kept) = kept {
            self.journal.keep_lines(kept, &cell.id)?;
        }
        let origin = self.journal.origin.clone();
        let batch = Batch {
            id: &cell.id,
            origin: &origin,
            items,
            kept: kept.map(|kept| kept.requests(&cell.id)).unwrap_or_default(),
            concurrency: def.at_once() as usize,
            retries: self.options.retries.or(case.retries).or(self.suite.body.defaults.retries),
            model,
            timeout,
        };
        let Session { journal, output, progress, interrupts, .. } = self;
        batch.run(server, interrupts, |request, sent, done, of| {
            progress.requests(&cell.id, done, of);
            if let Some(output) = output {
                output.add(&format!("{}-{}", origin.run, request.index), sent)?;
            }
            journal.request(request)
        })
    }
}
