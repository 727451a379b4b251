//! Fixtures around the cells of a run.

use pipe::Error;
use probe::clock::Stamp;
use records::{ErrorInfo, Params, Phase};

use super::{Session, group::Stage};
use crate::{fixture::Ready, journal::Closing, plan::Cell, suite::Scope};

impl Session<'_> {
    /// Sets up what `cell` wants and is not there yet. The inner error is the case's.
    pub(super) fn set_up(
        &mut self,
        cell: &Cell<'_>,
        stage: &Stage<'_>,
    ) -> Result<Result<Ready, ErrorInfo>, Error> {
        let wanted: Vec<&str> =
            cell.case.fixtures.iter().map(|name| name.get_ref().as_str()).collect();
        let order = self.fixtures.order(&wanted);
        let places = stage.group.on.map(|on| on.places()).unwrap_or_default();
        while let Some(name) = self.fixtures.missing(&order) {
            let open =
                self.journal.begin(Phase::Setup, &of_fixture(&stage.params, name), Stamp::now())?;
            let done = self.fixtures.set_up(name, &places, self.interrupts);
            let kind = if self.interrupts.stop() { "interrupted" } else { "fixture" };
            let error = done.error.map(|message| failed(kind, name, &message));
            self.journal.end(open, Closing { error: error.clone(), ..Closing::default() })?;
            if let Some(error) = error {
                self.tear_down(Scope::Case)?;
                return Ok(Err(error));
            }
        }
        let mut ready = self.fixtures.ready(&order);
        ready.places.add(&places);
        Ok(Ok(ready))
    }

    /// Takes away what was set up for `scope` and narrower ones. What does not work is
    /// said and recorded; the rest goes on.
    pub(super) fn tear_down(&mut self, scope: Scope) -> Result<(), Error> {
        let mut written = Ok(());
        // Tearing down is for interrupted runs too: only a further signal hurries it.
        let interrupts = self.interrupts.from_here();
        while let Some(name) = self.fixtures.last(scope) {
            let params = of_fixture(&Params::default(), name);
            let open = self.journal.begin(Phase::Teardown, &params, Stamp::now());
            let Some(done) = self.fixtures.tear_down(name, &interrupts) else { break };
            let error = done.error.map(|message| failed("teardown", name, &message));
            if let Some(error) = &error {
                self.progress.say(&error.message);
            }
            let closing = Closing { error, ..Closing::default() };
            let ended = open.and_then(|open| self.journal.end(open, closing));
            // What cannot be written stops the run, but not the tearing down.
            written = written.and(ended);
        }
        written
    }
}

fn failed(kind: &str, name: &str, message: &str) -> ErrorInfo {
    let message = format!("fixture {name}: {message}");
    ErrorInfo { kind: kind.to_owned(), message, ..ErrorInfo::default() }
}

fn of_fixture(params: &Params, name: &str) -> Params {
    let mut params = params.clone();
    params.axes.insert("fixture".to_owned(), name.into());
    params
}
