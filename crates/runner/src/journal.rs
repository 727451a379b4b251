//! The records that the runner writes, each when it happens.

use std::path::Path;

use pipe::{Error, Writer};
use probe::clock::Stamp;
use records::{
    Attempt, Begin, Counts, ErrorInfo, HealthLimits, Origin, Outcome, Params, Phase, Producer,
    Request, Resumed, RunEnd, RunStart, Selected, Span, Test, round,
};

use serde::Serialize;

use crate::{emit, resume::Kept, secrets::Secrets, suite::Suite};

/// Writes the records of one run.
pub struct Journal {
    writer: Writer,
    secrets: Secrets,
    form: Form,
    /// The run and the host.
    pub origin: Origin,
    start: Stamp,
    selected: u64,
    counts: Counts,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As records of ours.
    #[default]
    Records,
    /// As the lines of mlx-knife's test suite; it has no word for the rest.
    MlxKnife,
}

/// A phase that lasts.
#[derive(Clone, Debug)]
pub struct Open {
    phase: Phase,
    params: Params,
    start: Stamp,
}

/// What is known of a phase at its end.
#[derive(Clone, Debug, Default)]
pub struct Closing<'a> {
    /// When it ended; now, unless it was before.
    pub at: Option<Stamp>,
    /// The process.
    pub pid: Option<i32>,
    /// The log.
    pub log: Option<&'a Path>,
    /// Seconds from its start to the first token.
    pub first_token_s: Option<f64>,
    /// Whether the model's files were in memory already.
    pub page_cache: Option<&'static str>,
    /// Why it did not reach its aim.
    pub error: Option<ErrorInfo>,
}

impl Journal {
    /// A journal that writes to `writer`, cleaned of `secrets`.
    #[must_use]
    pub fn new(writer: Writer, origin: Origin, secrets: Secrets, form: Form) -> Journal {
        let start = Stamp::now();
        Journal { writer, secrets, form, origin, start, selected: 0, counts: Counts::default() }
    }

    /// The run begins.
    ///
    /// # Errors
    ///
    /// When it cannot be written, as with every record below.
    pub fn run_start(
        &mut self,
        suite: &Suite,
        selected: Vec<Selected>,
        kept: Option<&Kept>,
        machine: records::Machine,
    ) -> Result<(), Error> {
        self.selected = selected.len() as u64;
        let mut record = RunStart::at(self.start.wall_s, &self.origin);
        record.producer = producer();
        record.suite.clone_from(&suite.name);
        record.file.clone_from(&suite.file);
        record.seed = suite.body.defaults.seed;
        record.machine = Some(machine);
        record.health = Some(HealthLimits {
            min_ram_free_gb: suite.body.health.min_ram_free_gb,
            max_swap_growth_mb: suite.body.health.max_swap_growth_mb,
        });
        record.resumed = kept.map(|kept| Resumed {
            file: kept.file.clone(),
            run: kept.run.clone(),
            kept: kept.count(selected.iter().map(|cell| cell.id.as_str())),
        });
        record.selected = selected;
        self.write(&record)
    }

    /// A test begins.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin_test(&mut self, id: &str, params: &Params, at: &Stamp) -> Result<(), Error> {
        let mut record = Begin::at(at.wall_s, &self.origin);
        record.id = Some(id.to_owned());
        record.params = params.clone();
        self.write(&record)
    }

    /// A phase begins.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin(&mut self, phase: Phase, params: &Params, start: Stamp) -> Result<Open, Error> {
        let mut record = Begin::at(start.wall_s, &self.origin);
        record.phase = Some(phase);
        record.params = params.clone();
        self.write(&record)?;
        Ok(Open { phase, params: params.clone(), start })
    }

    /// A phase ends.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn end(&mut self, open: Open, closing: Closing<'_>) -> Result<(), Error> {
        let end = closing.at.unwrap_or_else(Stamp::now);
        let mut record = Span::at(open.start.wall_s, &self.origin);
        record.phase = open.phase;
        record.params = open.params;
        (record.end_ts, record.duration_s) = lasting(&open.start, &end);
        record.pid = closing.pid;
        record.log = closing.log.map(|path| path.display().to_string());
        record.first_token_s = closing.first_token_s.map(|s| round(s, 6));
        record.page_cache = closing.page_cache.map(str::to_owned);
        record.error = closing.error;
        self.write(&record)
    }

    /// A try that another one follows.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn attempt(&mut self, attempt: &Attempt) -> Result<(), Error> {
        self.write(attempt)
    }

    /// The result of a case.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn test(&mut self, test: &Test) -> Result<(), Error> {
        self.count(test.outcome);
        match self.form {
            Form::Records => self.write(test),
            Form::MlxKnife => self.write_clean(&emit::mlx_knife(test)),
        }
    }

    /// A request of a batch is done.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn request(&mut self, request: &Request) -> Result<(), Error> {
        self.write(request)
    }

    /// The lines about `id` are written again unless they are there.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn keep_lines(&mut self, kept: &Kept, id: &str) -> Result<(), Error> {
        if kept.same_file {
            return Ok(());
        }
        kept.each_line(id, |lines| self.writer.lines(lines))
    }

    /// The result of an earlier run stands; it is written again unless it is there.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep(&mut self, kept: &Kept, id: &str, outcome: Outcome) -> Result<(), Error> {
        self.count(outcome);
        self.keep_lines(kept, id)
    }

    fn count(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Passed => &mut self.counts.passed,
            Outcome::Failed => &mut self.counts.failed,
            Outcome::Error => &mut self.counts.error,
            Outcome::Skipped => &mut self.counts.skipped,
            Outcome::Xfailed => &mut self.counts.xfailed,
            Outcome::Xpassed => &mut self.counts.xpassed,
        };
        *count += 1;
    }

    /// Every record of ours goes out here.
    fn write<T: Serialize>(&mut self, record: &T) -> Result<(), Error> {
        match self.form {
            Form::Records => self.write_clean(record),
            Form::MlxKnife => Ok(()),
        }
    }

    /// Writes a line without secrets in it.
    fn write_clean<T: Serialize>(&mut self, record: &T) -> Result<(), Error> {
        if self.secrets.is_empty() {
            return self.writer.record(record);
        }
        // Records of ours are objects with keys of text, which become JSON always.
        let mut value = serde_json::to_value(record).unwrap_or_default();
        self.secrets.hide_in(&mut value);
        self.writer.record(&value)
    }

    /// Results so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Seconds since the run began.
    #[must_use]
    pub fn elapsed_s(&self) -> f64 {
        Stamp::now().since(&self.start).as_secs_f64()
    }

    /// The run ended.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn run_end(&mut self, interrupted: bool, exit: u8) -> Result<(), Error> {
        let mut record = RunEnd::at(self.start.wall_s, &self.origin);
        (record.end_ts, record.duration_s) = lasting(&self.start, &Stamp::now());
        record.counts = self.counts;
        record.not_run = self.selected.saturating_sub(self.counts.total());
        record.interrupted = interrupted;
        record.exit = exit;
        self.write(&record)
    }
}

/// `end_ts` and `duration_s`: the duration by the monotonic clock, and the end from
/// it, so that a clock that is set meanwhile makes no nonsense of either.
#[must_use]
pub fn lasting(start: &Stamp, end: &Stamp) -> (f64, f64) {
    let duration = end.since(start).as_secs_f64();
    (round(start.wall_s + duration, 6), round(duration, 6))
}

fn producer() -> Producer {
    Producer { name: "runner".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use probe::clock::Stamp;

    use super::lasting;

    #[test]
    fn a_clock_that_is_set_during_a_test_changes_neither_its_length_nor_its_end() {
        let start = Stamp::now();
        for jump_s in [-86_400.0, 86_400.0] {
            let end = Stamp {
                wall_s: start.wall_s + 2.0 + jump_s,
                mono: start.mono + Duration::from_secs(2),
                ..start
            };
            let (end_ts, duration_s) = lasting(&start, &end);
            assert_eq!(duration_s, 2.0);
            assert!((end_ts - start.wall_s - 2.0).abs() < 1e-5, "{end_ts}");
        }
    }
}
