//! A run: every selected cell, group by group, to the end.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use pipe::{Error, Writer};
use probe::clock::Stamp;
use records::{Backend, ErrorInfo, Model, Origin, Outcome, Params, Phase, Selected, Test};

use crate::{
    backend::{Failure, Server, Surroundings},
    case::{self, Came, Prepared, Subject},
    exit,
    health::Watch,
    interrupt::Interrupts,
    journal::{Closing, Journal, Open},
    plan::{Cell, Group, On},
    progress::Progress,
    secrets::Secrets,
    suite::{CaseDef, Places, Suite, Template},
};

/// How long a case may take when nobody says.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How a run is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stop after so many cases that failed or erred.
    pub max_failures: Option<u64>,
    /// How long a case may take, whatever the suite says.
    pub timeout: Option<Duration>,
    /// Where backends log to.
    pub logs: PathBuf,
    /// The run's id, when memmon gave us one.
    pub run: Option<String>,
}

/// Runs `groups` of `suite` and returns the exit code.
///
/// # Errors
///
/// When a record cannot be written: what is not recorded has not been measured, so
/// the run stops. Servers are stopped in every case.
pub fn run(
    suite: &Suite,
    groups: &[Group<'_>],
    options: &Options,
    writer: Writer,
    interrupts: &Interrupts,
) -> Result<u8, Error> {
    let watch = Watch::open(suite.body.health);
    let run = options.run.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let secrets = Secrets::of(suite, |name| std::env::var(name).ok());
    let progress = Progress { secrets: secrets.clone() };
    let journal = Journal::new(writer.live(), Origin { run, host: watch.host() }, secrets);
    let prepared = HashMap::new();
    let mut session =
        Session { suite, options, interrupts, watch, journal, progress, failures: 0, prepared };
    session.all(groups)
}

struct Session<'a> {
    suite: &'a Suite,
    options: &'a Options,
    interrupts: &'a Interrupts,
    watch: Watch,
    journal: Journal,
    progress: Progress,
    failures: u64,
    prepared: HashMap<*const CaseDef, Rc<Prepared>>,
}

/// A server at work, with its phase.
struct Serving {
    server: Server,
    phase: Open,
}

/// A group's backend and model, as they are recorded with every result.
#[derive(Default)]
struct Placed {
    params: Params,
    path: Option<PathBuf>,
    model: Option<Model>,
    backend: Option<Backend>,
}

impl Session<'_> {
    fn all(&mut self, groups: &[Group<'_>]) -> Result<u8, Error> {
        let cells: Vec<&Cell<'_>> = groups.iter().flat_map(|group| &group.cells).collect();
        let selected = cells
            .iter()
            .map(|cell| Selected {
                id: cell.id.clone(),
                requests: cell.case.request.as_ref().map(|_| 1),
            })
            .collect();
        self.journal.run_start(self.suite, selected)?;
        let loads = groups.iter().filter(|group| group.needs_server()).count();
        self.progress.start(&self.suite.name, cells.len(), loads);
        for group in groups {
            if self.done() {
                break;
            }
            self.group(group)?;
        }
        let counts = self.journal.counts();
        let interrupted = self.interrupts.stop();
        let exit = match counts.failed + counts.error {
            _ if interrupted => exit::INTERRUPTED,
            0 => exit::PASSED,
            _ => exit::FAILED,
        };
        self.journal.run_end(interrupted, exit)?;
        let not_run = cells.len() as u64 - counts.total();
        self.progress.end(&counts, not_run, self.journal.elapsed_s());
        Ok(exit)
    }

    /// Whether no further case shall run.
    fn done(&self) -> bool {
        self.interrupts.stop() || self.options.max_failures.is_some_and(|max| self.failures >= max)
    }

    fn group(&mut self, group: &Group<'_>) -> Result<(), Error> {
        let mut placed = self.place(group);
        let mut serving: Option<Serving> = None;
        // A model that cannot be loaded is not tried again for each of its cases.
        let mut broken: Option<ErrorInfo> = None;
        for cell in &group.cells {
            if self.done() {
                break;
            }
            if serving.as_mut().is_some_and(|serving| serving.server.ended().is_some()) {
                self.unload(serving.take(), &placed)?;
            }
            let wants_server = group.needs_server_for(cell) && cell.case.skip.is_none();
            if let (true, None, None, Some(on)) = (wants_server, &serving, &broken, &group.on) {
                match self.load(on, &mut placed)? {
                    Some(Ok(server)) => serving = Some(server),
                    Some(Err(info)) => broken = Some(info),
                    None => break,
                }
            }
            let subject = Subject {
                origin: &self.journal.origin.clone(),
                suite: self.suite,
                cell,
                on: group.on,
                backend: placed.backend.clone(),
                model: placed.model.clone(),
            };
            let test = match (&cell.case.skip, broken.as_ref().filter(|_| wants_server)) {
                (Some(skip), _) => {
                    case::not_run(&subject, Outcome::Skipped, skip.reason.clone(), None)
                }
                (None, Some(info)) => case::not_run(
                    &subject,
                    Outcome::Error,
                    info.message.clone(),
                    Some(info.clone()),
                ),
                (None, None) => self.cell(&subject, &placed, serving.as_mut())?,
            };
            self.failures += u64::from(matches!(test.outcome, Outcome::Failed | Outcome::Error));
            self.journal.test(&test)?;
            self.progress.test(&test);
        }
        self.unload(serving, &placed)
    }

    /// What is known of a group before its server runs.
    fn place(&self, group: &Group<'_>) -> Placed {
        let Some(on) = &group.on else { return Placed::default() };
        let variable = |name: &str| std::env::var(name).ok();
        let path = on.placement.path.as_ref().and_then(|path| {
            let filled =
                Template::parse(path).and_then(|t| t.fill(&Places::default(), variable)).ok()?;
            Some(self.suite.folder.join(filled.real))
        });
        Placed {
            params: Params {
                backend: Some(on.backend_name.to_owned()),
                model: Some(on.model.id.clone()),
                ..Params::default()
            },
            model: Some(case::model(on, path.as_deref())),
            backend: Some(Backend {
                name: on.backend_name.to_owned(),
                kind: on.kind.name().to_owned(),
                notes: on.backend.notes.clone(),
                ..Backend::default()
            }),
            path,
        }
    }

    /// Starts the server of `on`. Nothing when the run was interrupted meanwhile.
    fn load(
        &mut self,
        on: &On<'_>,
        placed: &mut Placed,
    ) -> Result<Option<Result<Serving, ErrorInfo>>, Error> {
        let attach = on.backend.url.is_some();
        let start = Stamp::now();
        let open = |journal: &mut Journal, phase| {
            (!attach).then(|| journal.begin(phase, &placed.params, start)).transpose()
        };
        let spawn = open(&mut self.journal, Phase::Spawn)?;
        let load = open(&mut self.journal, Phase::Load)?;
        self.progress.loading(on.backend_name, &on.model.id);

        let run = self.journal.origin.run.clone();
        let around =
            Surroundings { folder: &self.suite.folder, logs: &self.options.logs, run: &run };
        let mut pid = None;
        let mut log: Option<PathBuf> = None;
        let started = Server::start(on, &around, self.interrupts, |process, path| {
            pid = process;
            log = path.map(Path::to_path_buf);
        });
        let mut close = |open: Option<Open>, at: Option<Stamp>, error: Option<ErrorInfo>| match open
        {
            Some(open) => self.journal.end(open, Closing { at, pid, log: log.as_deref(), error }),
            None => Ok(()),
        };
        match started {
            Ok(started) => {
                close(spawn, started.spawned, None)?;
                close(load, Some(started.ready), None)?;
                self.progress.loaded(
                    on.backend_name,
                    &on.model.id,
                    started.ready.since(&start).as_secs_f64(),
                );
                if let Some(backend) = &mut placed.backend {
                    backend.command.clone_from(&started.server.command);
                }
                let phase = self.journal.begin(Phase::Test, &placed.params, started.ready)?;
                Ok(Some(Ok(Serving { server: started.server, phase })))
            }
            Err(Failure::Error { info, .. }) => {
                let mut info = *info;
                if info.kind == "backend_died" {
                    info.memory = Some(self.watch.at_death());
                }
                close(spawn, None, Some(info.clone()))?;
                close(load, None, Some(info.clone()))?;
                Ok(Some(Err(info)))
            }
            Err(Failure::Interrupted) => {
                let error = Came::interrupted().error;
                close(spawn, None, error.clone())?;
                close(load, None, error)?;
                Ok(None)
            }
        }
    }

    /// Ends the phase of testing and stops the server.
    fn unload(&mut self, serving: Option<Serving>, placed: &Placed) -> Result<(), Error> {
        let Some(Serving { mut server, phase }) = serving else { return Ok(()) };
        let log = server.log().map(Path::to_path_buf);
        let closing = || Closing { pid: server.pid(), log: log.as_deref(), ..Closing::default() };
        let (test, mut stopped) = (closing(), closing());
        let written = self.journal.end(phase, test);
        let open = match (server.pid(), &written) {
            (Some(_), Ok(())) => {
                Some(self.journal.begin(Phase::Stop, &placed.params, Stamp::now()))
            }
            _ => None,
        };
        // Whatever became of the records: the server is stopped.
        server.stop(self.interrupts);
        stopped.at = Some(Stamp::now());
        written?;
        match open {
            Some(open) => self.journal.end(open?, stopped),
            None => Ok(()),
        }
    }

    /// What was prepared of `case`, when it was first met.
    fn prepared(&mut self, case: &CaseDef) -> Rc<Prepared> {
        // Cases stay where they are in the suite for the whole run.
        let entry = self.prepared.entry(std::ptr::from_ref(case));
        let (folder, defaults) = (&self.suite.folder, &self.suite.body.defaults);
        // The suite was checked when it was loaded: every case can be prepared.
        let prepared = entry
            .or_insert_with(|| Rc::new(Prepared::of(case, folder, defaults).unwrap_or_default()));
        Rc::clone(prepared)
    }

    /// Does one case.
    fn cell(
        &mut self,
        subject: &Subject<'_>,
        placed: &Placed,
        serving: Option<&mut Serving>,
    ) -> Result<Test, Error> {
        let case = subject.cell.case;
        let folder = &self.suite.folder;
        let defaults = &self.suite.body.defaults;
        let own = case.timeout.or(defaults.timeout).map(|span| span.0);
        let timeout = self.options.timeout.or(own).unwrap_or(TIMEOUT);
        let prepared = self.prepared(case);
        let mut places = subject.on.map(|on| on.places()).unwrap_or_default();
        if let Some(path) = &placed.path {
            places.set("path", path.display().to_string());
        }
        if let Some(serving) = &serving {
            places.add(&serving.server.places);
        }
        let model = subject.on.map(|on| on.request_name()).unwrap_or_default();
        // Files are read and the body is made before the clock starts.
        let ready = case.request.as_ref().map(|request| {
            let sending = case::Sending {
                request,
                prepared: &prepared,
                model: &model,
                defaults,
                folder,
                places: &places,
                timeout,
            };
            sending.ready()
        });

        let before = self.watch.before();
        let start = Stamp::now();
        self.journal.begin_test(&subject.cell.id, &placed.params, &start)?;
        let mut came = match (ready, &case.command, serving) {
            (Some(ready), _, Some(serving)) => ready.run(&mut serving.server, self.interrupts),
            (_, Some(command), _) => {
                case::run_command(command, &places, folder, timeout, self.interrupts)
            }
            _ => Came::error("backend_not_started", "there is no server for this case".to_owned()),
        };
        let end = came.end.unwrap_or_else(Stamp::now);
        if let Some(error) = came.error.as_mut().filter(|error| error.kind == "backend_died") {
            error.memory = Some(self.watch.at_death());
        }
        let health = self.watch.after(&before);
        Ok(case::conclude(subject, &prepared, came, &start, &end, Some(health)))
    }
}
