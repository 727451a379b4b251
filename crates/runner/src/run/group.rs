//! The cells of one backend and model: the server is started when the first of them
//! needs it, started again where it died, and stopped after the last.

use std::path::{Path, PathBuf};

use pipe::Error;
use probe::clock::Stamp;
use records::{Backend, ErrorInfo, MemoryNow, Model, Params, Phase, round};

use super::Session;
use crate::{
    backend::{Failure, Server, Surroundings},
    case::{self, Came},
    journal::{Closing, Journal, Open},
    plan::{Cell, Group, On},
    suite::Scope,
};

/// A server at work, with its phase.
pub(super) struct Serving {
    pub(super) server: Server,
    pub(super) loaded: Loaded,
    phase: Open,
}

/// What loading took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loaded {
    /// Spawn → ready; absent when it ran already.
    pub(super) load_s: Option<f64>,
    /// The memory before it was started, where a baseline asks for it.
    pub(super) before: Option<MemoryNow>,
    /// The memory when it was ready.
    pub(super) after: Option<MemoryNow>,
}

/// What stands while the cells of a group run.
pub(super) struct Stage<'a> {
    pub(super) group: &'a Group<'a>,
    pub(super) params: Params,
    pub(super) path: Option<PathBuf>,
    pub(super) model: Option<Model>,
    pub(super) backend: Option<Backend>,
    pub(super) serving: Option<Serving>,
    /// Why the model cannot be loaded: that is not tried again for each of its cases.
    pub(super) broken: Option<ErrorInfo>,
}

impl Session<'_> {
    /// Runs the cells of `group`.
    pub(super) fn group(&mut self, group: &Group<'_>) -> Result<(), Error> {
        let mut stage = self.place(group);
        let ran = self.cells(&mut stage);
        // Whatever became of the cells: the server is stopped, and fixtures go after it.
        let stopped = self.unload(&mut stage);
        let down = self.tear_down(Scope::Model);
        ran.and(stopped).and(down)
    }

    fn cells(&mut self, stage: &mut Stage<'_>) -> Result<(), Error> {
        for cell in &stage.group.cells {
            if self.done() {
                break;
            }
            if self.options.kept.as_ref().is_some_and(|kept| kept.has(&cell.id)) {
                self.keep(cell)?;
                continue;
            }
            let Some(test) = self.result(cell, stage)? else { break };
            self.conclude(&test)?;
        }
        Ok(())
    }

    /// The result of the earlier run stands; it is counted, and written again unless it
    /// is in the same file.
    fn keep(&mut self, cell: &Cell<'_>) -> Result<(), Error> {
        let Some(kept) = &self.options.kept else { return Ok(()) };
        if let Some(outcome) = kept.outcome(&cell.id) {
            self.journal.keep(kept, &cell.id, outcome)?;
            if let (Some(junit), Some(test)) = (&mut self.junit, kept.test(&cell.id)) {
                junit.add(&test);
            }
            self.progress.kept(&cell.case.name, outcome);
        }
        Ok(())
    }

    /// What is known of a group before its server runs.
    fn place<'g>(&self, group: &'g Group<'g>) -> Stage<'g> {
        let mut stage = Stage {
            group,
            params: Params::default(),
            path: None,
            model: None,
            backend: None,
            serving: None,
            broken: None,
        };
        let Some(on) = &group.on else { return stage };
        stage.path = on.file();
        stage.params.backend = Some(on.backend_name.to_owned());
        stage.params.model = Some(on.model.id.clone());
        stage.model = Some(case::model(on, stage.path.as_deref()));
        stage.backend = Some(Backend {
            name: on.backend_name.to_owned(),
            kind: on.kind.name().to_owned(),
            notes: on.backend.notes.clone(),
            ..Backend::default()
        });
        stage
    }

    /// Has a server run where `cell` needs one; where that fails, the stage says why.
    /// False when the run was interrupted meanwhile.
    pub(super) fn serve(&mut self, cell: &Cell<'_>, stage: &mut Stage<'_>) -> Result<bool, Error> {
        if stage.serving.as_mut().is_some_and(|serving| serving.server.ended().is_some()) {
            self.unload(stage)?;
        }
        let needed = stage.group.needs_server_for(cell);
        match &stage.group.on {
            Some(on) if needed && stage.serving.is_none() && stage.broken.is_none() => {
                self.load(on, stage)
            }
            _ => Ok(true),
        }
    }

    /// Starts the server of `on`. False when the run was interrupted meanwhile.
    fn load(&mut self, on: &On<'_>, stage: &mut Stage<'_>) -> Result<bool, Error> {
        let starts = on.url().is_none();
        // A server that runs already can have the model to load yet.
        let loads = starts || on.kind.preload("").is_some();
        let is_baseline = stage.group.cells.iter().any(|cell| cell.case.baseline.is_some());
        let before = is_baseline.then(|| self.watch.memory(None));
        let start = Stamp::now();
        let open = |journal: &mut Journal, happens: bool, phase| {
            happens.then(|| journal.begin(phase, &stage.params, start)).transpose()
        };
        let spawn = open(&mut self.journal, starts, Phase::Spawn)?;
        let load = open(&mut self.journal, loads, Phase::Load)?;
        self.progress.loading(on.backend_name, &on.model.id);

        let run = self.journal.origin.run.clone();
        let logs = self.options.state.join("logs");
        let around = Surroundings { logs: &logs, run: &run, untouched: is_baseline };
        let mut pid = None;
        let mut log: Option<PathBuf> = None;
        let started = Server::start(on, &around, self.interrupts, |process, path| {
            pid = process;
            log = path.map(Path::to_path_buf);
        });
        let mut close = |open: Option<Open>, closing: Closing<'_>| match open {
            Some(open) => self.journal.end(open, Closing { pid, log: log.as_deref(), ..closing }),
            None => Ok(()),
        };
        let failed = |error: Option<ErrorInfo>| Closing { error, ..Closing::default() };
        match started {
            Ok(started) => {
                close(spawn, Closing { at: started.spawned, ..Closing::default() })?;
                let loaded = Closing {
                    at: Some(started.ready),
                    first_token_s: started.first_token.map(|at| at.since(&start).as_secs_f64()),
                    page_cache: started.page_cache,
                    ..Closing::default()
                };
                close(load, loaded)?;
                let seconds = started.ready.since(&start).as_secs_f64();
                self.progress.loaded(on.backend_name, &on.model.id, Some(seconds));
                if let Some(backend) = &mut stage.backend {
                    backend.command.clone_from(&started.server.command);
                    backend.version = started.version;
                }
                if let Some(model) = &mut stage.model {
                    started.facts.complete(model);
                }
                // Where nothing was loaded, or not here, memory is not about the model.
                let before = before.filter(|_| starts || loads && started.server.is_here());
                let loaded = Loaded {
                    load_s: starts.then(|| round(seconds, 6)),
                    before,
                    after: before.map(|_| self.watch.memory(started.server.pid())),
                };
                let phase = self.journal.begin(Phase::Test, &stage.params, started.ready)?;
                stage.serving = Some(Serving { server: started.server, loaded, phase });
                Ok(true)
            }
            Err(Failure::Error { info, .. }) => {
                let mut info = *info;
                if info.kind == "backend_died" {
                    info.memory = Some(self.watch.at_death());
                }
                close(spawn, failed(Some(info.clone())))?;
                close(load, failed(Some(info.clone())))?;
                self.progress.loaded(on.backend_name, &on.model.id, None);
                stage.broken = Some(info);
                Ok(true)
            }
            Err(Failure::Interrupted) => {
                let error = Came::interrupted().error;
                close(spawn, failed(error.clone()))?;
                close(load, failed(error))?;
                Ok(false)
            }
        }
    }

    /// Ends the phase of testing and stops the server, if there is one.
    pub(super) fn unload(&mut self, stage: &mut Stage<'_>) -> Result<(), Error> {
        let Some(Serving { mut server, phase, .. }) = stage.serving.take() else { return Ok(()) };
        let log = server.log().map(Path::to_path_buf);
        let closing = || Closing { pid: server.pid(), log: log.as_deref(), ..Closing::default() };
        let (test, mut stopped) = (closing(), closing());
        let written = self.journal.end(phase, test);
        let open = match (server.pid(), &written) {
            (Some(_), Ok(())) => Some(self.journal.begin(Phase::Stop, &stage.params, Stamp::now())),
            _ => None,
        };
        // Whatever became of the records: the server is stopped.
        server.stop(self.interrupts);
        stopped.at = Some(Stamp::now());
        stopped.error = server.left_behind();
        written?;
        match open {
            Some(open) => self.journal.end(open?, stopped),
            None => Ok(()),
        }
    }
}
