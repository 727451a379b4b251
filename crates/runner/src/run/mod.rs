//! A run: every selected cell, group by group, to the end.

mod attempts;
mod baseline;
mod batch;
mod bench;
mod fixtures;
mod group;

use std::{collections::HashMap, path::PathBuf, rc::Rc, time::Duration};

use pipe::{Error, Writer};
use records::{Origin, Outcome, Selected};

use crate::{
    batch::Output,
    case::Prepared,
    exit,
    fixture::Fixtures,
    health::Watch,
    interrupt::Interrupts,
    journal::{Form, Journal},
    junit::Junit,
    last::Last,
    plan::Group,
    progress::Progress,
    resume::Kept,
    secrets::Secrets,
    suite::{CaseDef, Retries, Suite},
};

/// How a run is to be done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Stop after so many cases that failed or erred.
    pub max_failures: Option<u64>,
    /// How long a case may take, whatever the suite says.
    pub timeout: Option<Duration>,
    /// How often a case is tried again, whatever the suite says.
    pub retries: Option<Retries>,
    /// Where logs and what is remembered of the last run are kept.
    pub state: PathBuf,
    /// The run's id, when memmon gave us one.
    pub run: Option<String>,
    /// Results of an earlier run that this one continues.
    pub kept: Option<Kept>,
    /// How results are written.
    pub form: Form,
    /// Where a report in JUnit's XML goes.
    pub junit: Option<PathBuf>,
    /// Where the answers of batches go, as OpenAI's Batch interface writes them.
    pub requests: Option<String>,
    /// How many of the slowest cases are named at the end; 0 is all.
    pub durations: Option<usize>,
}

/// Runs `groups` of `suite` and returns the exit code.
///
/// # Errors
///
/// When a record cannot be written: what is not recorded has not been measured, so
/// the run stops. Servers are stopped and fixtures taken away in every case.
pub fn run(
    suite: &Suite,
    groups: &[Group<'_>],
    options: &Options,
    writer: Writer,
    interrupts: &Interrupts,
) -> Result<u8, Error> {
    let watch = Watch::open(suite.body.health);
    let earlier = options.kept.as_ref().and_then(|kept| kept.run.clone());
    let run = options.run.clone().or(earlier);
    let run = run.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let secrets = Secrets::of(suite, |name| std::env::var(name).ok());
    let progress = Progress::new(secrets.clone(), options.durations);
    let origin = Origin { run, host: watch.host() };
    let continued = options.kept.is_some();
    let requests = options.requests.as_deref();
    let output = requests.map(|path| Output::open(path, secrets.clone(), continued)).transpose()?;
    let junit = options.junit.as_ref().map(|_| Junit::new(&suite.name, secrets.clone()));
    let journal = Journal::new(writer.live(), origin, secrets, options.form);
    let mut session = Session {
        suite,
        options,
        interrupts,
        watch,
        journal,
        progress,
        fixtures: Fixtures::new(suite),
        junit,
        output,
        last: Last::open(&options.state, &suite.name),
        failures: 0,
        prepared: HashMap::new(),
    };
    session.all(groups)
}

struct Session<'a> {
    suite: &'a Suite,
    options: &'a Options,
    interrupts: &'a Interrupts,
    watch: Watch,
    journal: Journal,
    progress: Progress,
    fixtures: Fixtures<'a>,
    junit: Option<Junit>,
    output: Option<Output>,
    last: Last,
    failures: u64,
    prepared: HashMap<*const CaseDef, Rc<Prepared>>,
}

impl Session<'_> {
    fn all(&mut self, groups: &[Group<'_>]) -> Result<u8, Error> {
        let selected = self.selected(groups);
        let count = selected.len() as u64;
        let kept = self.options.kept.as_ref();
        self.journal.run_start(self.suite, selected, kept, self.watch.machine())?;
        self.progress.start(self.suite, groups, &|id| kept.is_some_and(|kept| kept.has(id)));
        let done = self.groups(groups);
        // Fixtures go and the report is written whatever became of the run.
        let down = self.tear_down(crate::suite::Scope::Run);
        let reported = self.finish_reports();
        done.and(down)?;

        let counts = self.journal.counts();
        let interrupted = self.interrupts.stop();
        let exit = match counts.failed + counts.error {
            _ if interrupted => exit::INTERRUPTED,
            _ if !reported => pipe::exit::IO,
            0 => exit::PASSED,
            _ => exit::FAILED,
        };
        self.journal.run_end(interrupted, exit)?;
        self.progress.end(&counts, count - counts.total(), self.journal.elapsed_s());
        Ok(exit)
    }

    fn groups(&mut self, groups: &[Group<'_>]) -> Result<(), Error> {
        for group in groups {
            if self.done() {
                break;
            }
            self.group(group)?;
        }
        Ok(())
    }

    /// Writes what is written once: a report that cannot be written is said, and the
    /// results stand. Whether it was.
    fn finish_reports(&mut self) -> bool {
        let mut reported = true;
        if let (Some(junit), Some(path)) = (&self.junit, &self.options.junit)
            && let Err(error) = junit.write(path)
        {
            self.progress.say(&format!("cannot write: {}: {error}", path.display()));
            reported = false;
        }
        if let Err(error) = self.last.save() {
            self.progress.say(&format!("what failed is not remembered for --lf: {error}"));
        }
        reported
    }

    /// Whether no further case shall run.
    fn done(&self) -> bool {
        self.interrupts.stop() || self.options.max_failures.is_some_and(|max| self.failures >= max)
    }

    /// A case has its result: it is written, shown and remembered.
    fn conclude(&mut self, test: &records::Test) -> Result<(), Error> {
        let missed = matches!(test.outcome, Outcome::Failed | Outcome::Error);
        self.failures += u64::from(missed);
        self.journal.test(test)?;
        self.progress.test(test);
        self.last.note(&test.id, test.outcome);
        if let Some(junit) = &mut self.junit {
            junit.add(test);
        }
        Ok(())
    }

    /// The cells that will run, with how many requests each sends, where that is known.
    fn selected(&mut self, groups: &[Group<'_>]) -> Vec<Selected> {
        // A file is read once, however many models are asked what is in it.
        let mut batches: HashMap<*const CaseDef, Option<u64>> = HashMap::new();
        let mut requests = |case: &CaseDef| match (&case.batch, &case.request) {
            (Some(def), _) => *batches
                .entry(std::ptr::from_ref(case))
                .or_insert_with(|| crate::batch::count(&case.folder.join(&def.file)).ok()),
            (None, Some(_)) => Some(crate::bench::requests(case, &self.prepared(case))),
            (None, None) => None,
        };
        let cells = groups.iter().flat_map(|group| &group.cells);
        cells.map(|cell| Selected { id: cell.id.clone(), requests: requests(cell.case) }).collect()
    }
}
