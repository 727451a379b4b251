//! One run: its records, and what follows from them at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use records::{
    Advice, Anomaly, Attempt, ModelLife, RunEnd, RunStart, Span, Stream, Summary, Test, legacy,
};

use crate::progress::{Progress, RequestLine};

/// The host of lines that name none.
pub const UNKNOWN_HOST: &str = "unknown";

/// The records of one run on one host.
#[derive(Debug, Default)]
pub struct Run {
    /// Identifies the run.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// The inputs that it stands in.
    pub inputs: BTreeSet<usize>,
    /// The heads of its recordings.
    pub streams: Vec<Stream>,
    /// What memmon said at their ends.
    pub summaries: Vec<Summary>,
    /// What mlx-knife's sampler said at their ends.
    pub legacy_summaries: Vec<legacy::LegacySummary>,
    /// Each start of the runner; usually one.
    pub starts: Vec<RunStart>,
    /// Each end of the runner.
    pub ends: Vec<RunEnd>,
    /// Every result, by start. The same id can occur again.
    pub tests: Vec<Test>,
    /// Where each of them stands: its input and its line, as far as that is known.
    pub places: Vec<(usize, u64)>,
    /// Earlier tries of cases that were tried again.
    pub attempts: Vec<Attempt>,
    /// Phases of backends, by start.
    pub spans: Vec<Span>,
    /// What correlate found conspicuous.
    pub anomalies: Vec<Anomaly>,
    /// When models were in memory, as correlate found it.
    pub lives: Vec<ModelLife>,
    /// Better orders of the tests, as correlate found them.
    pub advice: Vec<Advice>,
    /// Tests that began and have no result yet.
    pub open: Vec<String>,
    /// How far tests without a result are, by id.
    pub progress: HashMap<String, Progress>,
    /// Samples.
    pub samples: u64,
    /// The run whose recording this one borrows, when it has none of its own.
    pub recording_of: Option<String>,
}

impl Run {
    /// Counts a request of a test that has no result yet.
    pub(crate) fn request(&mut self, line: &RequestLine) {
        if !self.progress.contains_key(&line.id) {
            self.progress.insert(line.id.clone(), Progress::default());
        }
        if let Some(progress) = self.progress.get_mut(&line.id) {
            progress.count(line);
        }
    }

    /// Whether a runner or a test suite spoke, and not only a sampler.
    #[must_use]
    pub fn has_results(&self) -> bool {
        !self.tests.is_empty() || !self.starts.is_empty()
    }

    /// The beginnings that no later one continues: what was killed and went on has one
    /// end, that of the last.
    pub fn last_starts(&self) -> impl Iterator<Item = &RunStart> {
        let goes_on = |start: &RunStart| {
            let mut others = self.starts.iter();
            others.any(|other| {
                other.resumed.is_some() && other.suite == start.suite && other.ts > start.ts
            })
        };
        self.starts.iter().filter(move |start| !goes_on(start))
    }

    /// Whether some runner began and never said that it ended.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        let continued = self.starts.len() - self.last_starts().count();
        // Those that were continued may have said that they were interrupted.
        let ended = self.ends.iter().filter(|end| !self.is_continued(end)).count();
        ended < self.starts.len() - continued
    }

    /// Whether a signal stopped it, and nobody went on with it.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.ends.iter().any(|end| end.interrupted && !self.is_continued(end))
    }

    /// Whether it is the end of a run that a later one continues.
    fn is_continued(&self, end: &RunEnd) -> bool {
        // The end carries the time of its beginning.
        let begun = self.starts.iter().any(|start| start.ts == end.ts);
        begun && !self.last_starts().any(|start| start.ts == end.ts)
    }

    /// Whether the run names its host.
    #[must_use]
    pub fn host_is_known(&self) -> bool {
        self.host != UNKNOWN_HOST
    }

    /// Selected cases that have no result, in their order.
    #[must_use]
    pub fn without_result(&self) -> Vec<&str> {
        let done: HashSet<&str> = self.tests.iter().map(|test| test.id.as_str()).collect();
        self.selected().filter(|id| !done.contains(id)).collect()
    }

    /// The ids of the cases that were selected.
    pub fn selected(&self) -> impl Iterator<Item = &str> {
        self.last_starts().flat_map(|start| start.selected.iter().map(|case| case.id.as_str()))
    }

    /// First start and last end of everything that is known of it.
    #[must_use]
    pub fn window(&self) -> Option<(f64, f64)> {
        let tests = self.tests.iter().map(|test| (test.ts, end_of(test)));
        let spans = self.spans.iter().map(|span| (span.ts, span.end_ts));
        let ends = self.ends.iter().map(|end| (end.ts, end.end_ts));
        let starts = self.starts.iter().map(|start| (start.ts, start.ts));
        let results = widest(tests.chain(spans).chain(ends).chain(starts));
        results.or_else(|| {
            let streams = self.streams.iter().map(|stream| (stream.ts, stream.ts));
            let summaries = self.summaries.iter().map(|summary| (summary.ts, summary.end_ts));
            widest(streams.chain(summaries))
        })
    }

    /// Whether this recording was under way during `other`.
    #[must_use]
    pub fn overlaps(&self, other: &Run) -> bool {
        match (self.window(), other.window()) {
            (Some((start, end)), Some((from, to))) => {
                // A recording without its summary was cut off: it may have gone on.
                start < to && (end > from || self.summaries.is_empty())
            }
            _ => false,
        }
    }
}

/// The end of a test, in Unix seconds: its own, else what its duration makes it.
#[must_use]
pub fn end_of(test: &Test) -> f64 {
    test.end_ts.unwrap_or(test.ts + test.duration_s.unwrap_or(0.0))
}

fn widest(windows: impl Iterator<Item = (f64, f64)>) -> Option<(f64, f64)> {
    windows.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
}
