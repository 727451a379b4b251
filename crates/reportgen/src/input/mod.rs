//! Reading: the records of the input, sorted by run.
//!
//! Samples are only counted: what they say about a test, correlate has put into
//! its `resources`, and what they say about the run, memmon into its `summary`.

mod source;

use std::collections::{BTreeMap, HashMap};

use pipe::Incoming;
use records::{
    Advice, Anomaly, Attempt, Begin, Kind, LineKind, Malformed, ModelLife, Origin, Record, RunEnd,
    RunStart, Sample, Span, Stream, Summary, Test, legacy, parse,
};

use crate::{
    numbers::keep_used,
    progress::RequestLine,
    run::{Run, UNKNOWN_HOST},
};
use source::Source;

/// The run of lines that name none.
pub(crate) const LEGACY_RUN: &str = "legacy";

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Input {
    /// The inputs, in the order in which they were given.
    pub files: Vec<FileCounts>,
    /// The runs, in the order in which they came up.
    pub runs: Vec<Run>,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Lines that were text.
    pub text: u64,
    index: HashMap<Key, usize>,
    sources: Vec<Source>,
    /// The number of the line that is being taken in; 0 where nobody knows.
    number: u64,
}

/// Run, host, and for lines that name no run the input that they stand in.
type Key = (String, String, Option<usize>);

/// What an input holds.
#[derive(Debug, Default)]
pub struct FileCounts {
    /// Its path; `-` is standard input.
    pub name: String,
    /// Lines of each kind.
    pub lines: BTreeMap<&'static str, u64>,
    samples: u64,
}

impl Input {
    /// Nothing yet, of `files`.
    #[must_use]
    pub fn new(files: &[String]) -> Input {
        Input {
            files: files
                .iter()
                .map(|name| FileCounts { name: name.clone(), ..FileCounts::default() })
                .collect(),
            sources: files.iter().map(|_| Source::default()).collect(),
            ..Input::default()
        }
    }

    /// Takes in a line that was read.
    ///
    /// # Errors
    ///
    /// When the line is not what it says it is.
    pub fn take(&mut self, line: &Incoming<'_>) -> Result<(), Malformed> {
        self.number = line.place.line;
        self.line(line.input, &line.kind, line.raw)
    }

    /// Takes in a line of the input with this number.
    ///
    /// # Errors
    ///
    /// When the line is not what it says it is.
    pub fn line(&mut self, input: usize, kind: &LineKind, raw: &[u8]) -> Result<(), Malformed> {
        match kind {
            LineKind::Ours(Kind::Sample) => {
                self.sample(input, raw)?;
                // Looking its name up would take as long as all the rest.
                self.files[input].samples += 1;
                return Ok(());
            }
            LineKind::Ours(Kind::Stream) => {
                let stream: Stream = parse(raw)?;
                let origin = Origin { run: stream.run.clone(), host: stream.host.clone() };
                let at = self.at(input, &origin.run, &origin.host);
                self.sources[input] = Source::recording(origin, at);
                self.runs[at].streams.push(stream);
            }
            LineKind::Ours(Kind::Summary) => {
                let summary: Summary = parse(raw)?;
                self.of(input, &summary).summaries.push(summary);
            }
            LineKind::Ours(Kind::RunStart) => {
                let start: RunStart = parse(raw)?;
                let run = self.of(input, &start);
                run.progress.values_mut().for_each(|progress| progress.lately = None);
                run.starts.push(start);
            }
            LineKind::Ours(Kind::RunEnd) => {
                let end: RunEnd = parse(raw)?;
                self.of(input, &end).ends.push(end);
            }
            LineKind::Ours(Kind::Begin) => {
                let begin: Begin = parse(raw)?;
                let run = self.of(input, &begin);
                run.open.extend(begin.id);
            }
            LineKind::Ours(Kind::Span) => {
                let mut span: Span = parse(raw)?;
                span.resources.iter_mut().for_each(keep_used);
                self.of(input, &span).spans.push(span);
            }
            LineKind::Ours(Kind::Attempt) => {
                let attempt: Attempt = parse(raw)?;
                self.of(input, &attempt).attempts.push(attempt);
            }
            LineKind::Ours(Kind::Request) => {
                let line: RequestLine = parse(raw)?;
                let at = self.at(input, &line.run, &line.host);
                self.runs[at].request(&line);
            }
            LineKind::Ours(Kind::Test) => self.test(input, parse(raw)?),
            LineKind::Ours(Kind::Anomaly) => {
                let anomaly: Anomaly = parse(raw)?;
                self.of(input, &anomaly).anomalies.push(anomaly);
            }
            LineKind::Ours(Kind::ModelLife) => {
                let life: ModelLife = parse(raw)?;
                self.of(input, &life).lives.push(life);
            }
            LineKind::Ours(Kind::Advice) => {
                let advice: Advice = parse(raw)?;
                self.of(input, &advice).advice.push(advice);
            }
            LineKind::LegacyTest => {
                let test = parse::<legacy::LegacyTest>(raw)?.upgrade(&self.origin(input))?;
                self.test(input, test);
            }
            LineKind::LegacySample => self.legacy_sample(input),
            LineKind::LegacySummary => {
                let line: legacy::LegacySummaryLine = parse(raw)?;
                let origin = self.origin(input);
                let at = self.at(input, &origin.run, &origin.host);
                self.runs[at].legacy_summaries.push(line.summary);
            }
            _ => {}
        }
        *self.files[input].lines.entry(name(kind)).or_default() += 1;
        Ok(())
    }

    /// Where a record stands, for people: `run.jsonl:12`.
    #[must_use]
    pub fn place(&self, (input, line): (usize, u64)) -> Option<String> {
        let name = &self.files.get(input)?.name;
        let name = if name == "-" { "standard input" } else { name };
        (line > 0).then(|| format!("{name}:{line}"))
    }

    /// Puts everything in order once the last line is in.
    #[must_use]
    pub fn finish(mut self) -> Input {
        for run in &mut self.runs {
            by_start(run);
            run.spans.sort_by(|a, b| a.ts.total_cmp(&b.ts));
        }
        for file in self.files.iter_mut().filter(|file| file.samples > 0) {
            file.lines.insert(Kind::Sample.name(), file.samples);
        }
        self.lend_recordings();
        self
    }

    /// The runs that a report is about: those with results, else all.
    #[must_use]
    pub fn chapters(&self) -> Vec<&Run> {
        let with_results: Vec<&Run> = self.runs.iter().filter(|run| run.has_results()).collect();
        if with_results.is_empty() { self.runs.iter().collect() } else { with_results }
    }

    /// memmon and runner, started apart, are two runs. Where one recording of the
    /// same host was under way, it is the one to consult.
    fn lend_recordings(&mut self) {
        for at in 0..self.runs.len() {
            let run = &self.runs[at];
            if !run.has_results() || !run.streams.is_empty() {
                continue;
            }
            let lenders: Vec<usize> = (0..self.runs.len())
                .filter(|other| {
                    let other = &self.runs[*other];
                    !other.has_results() && other.host == run.host && other.overlaps(run)
                })
                .collect();
            if let [lender] = lenders[..] {
                let (streams, summaries, id, samples) = {
                    let run = &self.runs[lender];
                    (run.streams.clone(), run.summaries.clone(), run.id.clone(), run.samples)
                };
                let run = &mut self.runs[at];
                (run.streams, run.summaries, run.samples) = (streams, summaries, samples);
                run.recording_of = Some(id);
            }
        }
    }

    fn test(&mut self, input: usize, mut test: Test) {
        test.resources.iter_mut().for_each(keep_used);
        let number = self.number;
        let run = self.of(input, &test);
        run.places.push((input, number));
        run.open.retain(|id| *id != test.id);
        run.progress.remove(&test.id);
        run.tests.push(test);
    }

    /// Counts a sample. There are a million of them, and nothing of them is needed but whose
    /// they are: one that names its run and its host as the last one did, at the same place,
    /// is of the same recording, and is not read.
    fn sample(&mut self, input: usize, raw: &[u8]) -> Result<(), Malformed> {
        let at = match self.sources[input].recording_of(raw) {
            Some(at) => at,
            None => {
                let sample: Sample = parse(raw)?;
                let at = self.at(input, &sample.run, &sample.host);
                self.sources[input].recorded(raw, at);
                at
            }
        };
        self.runs[at].samples += 1;
        Ok(())
    }

    /// Counts a sample of mlx-knife, which names nothing.
    fn legacy_sample(&mut self, input: usize) {
        let at = self.sources[input].recording.unwrap_or_else(|| {
            let origin = self.origin(input);
            self.at(input, &origin.run, &origin.host)
        });
        self.sources[input].recording = Some(at);
        self.runs[at].samples += 1;
    }

    /// Where lines of this input that do not say it come from.
    fn origin(&self, input: usize) -> Origin {
        self.sources[input]
            .origin
            .clone()
            .unwrap_or_else(|| Origin { run: LEGACY_RUN.into(), host: UNKNOWN_HOST.into() })
    }

    fn of<R: Record>(&mut self, input: usize, record: &R) -> &mut Run {
        let at = self.at(input, record.run(), record.host());
        &mut self.runs[at]
    }

    fn at(&mut self, input: usize, run: &str, host: &str) -> usize {
        let input_matters = (run == LEGACY_RUN).then_some(input);
        let key = (run.to_owned(), host.to_owned(), input_matters);
        let at = *self.index.entry(key).or_insert_with(|| {
            self.runs.push(Run { id: run.into(), host: host.into(), ..Run::default() });
            self.runs.len() - 1
        });
        self.runs[at].inputs.insert(input);
        at
    }
}

/// Puts the tests of `run` in the order of their starts, and where they stand with them.
fn by_start(run: &mut Run) {
    // They usually are already, and each is two kilobytes to be moved.
    if run.tests.is_sorted_by(|a, b| a.ts.total_cmp(&b.ts).is_le()) {
        return;
    }
    let tests = std::mem::take(&mut run.tests);
    let mut all: Vec<(Test, (usize, u64))> = tests.into_iter().zip(run.places.drain(..)).collect();
    all.sort_by(|a, b| a.0.ts.total_cmp(&b.0.ts));
    (run.tests, run.places) = all.into_iter().unzip();
}

/// What a line is called in the list of files.
fn name(kind: &LineKind) -> &'static str {
    match kind {
        LineKind::Ours(kind) => kind.name(),
        LineKind::LegacyTest => "mlx-knife test",
        LineKind::LegacySample => "mlx-knife sample",
        LineKind::LegacySummary => "mlx-knife summary",
        LineKind::Newer { .. } => "newer record (not read)",
        LineKind::UnknownRecord(_) => "unknown record (not read)",
        _ => "other JSON (not read)",
    }
}

#[cfg(test)]
mod tests {
    use records::classify;

    use super::Input;

    fn read(inputs: &[&str]) -> Input {
        let names: Vec<String> = (0..inputs.len()).map(|n| format!("{n}.jsonl")).collect();
        let mut input = Input::new(&names);
        for (number, text) in inputs.iter().enumerate() {
            for line in text.lines() {
                input.line(number, &classify(line.as_bytes()), line.as_bytes()).unwrap();
            }
        }
        input.finish()
    }

    const LEGACY: &str = r#"{"schema_version":"0.2.2","timestamp":"2026-02-11T12:00:08Z","mlx_knife_version":"2.0.4","test":"t.py::t","outcome":"passed","duration":1.5}"#;
    const STREAM: &str = r#"{"record":"stream","v":1,"ts":100.0,"run":"m","host":"h","producer":{"name":"memmon","version":"1"},"interval_ms":200,"clock":{"wall_s":100.0,"monotonic_s":1.0},"machine":{},"sources":{}}"#;
    const SAMPLE: &str =
        r#"{"record":"sample","v":1,"ts":101.0,"run":"m","host":"h","seq":0,"elapsed_s":1.0}"#;
    const TEST: &str = r#"{"record":"test","v":1,"ts":102.0,"run":"r","host":"h","id":"s::c","suite":"s","case":"c","outcome":"passed","duration_s":2.0}"#;

    #[test]
    fn repeated_ids_are_not_collapsed() {
        let input = read(&[&format!("{LEGACY}\n{LEGACY}"), LEGACY]);
        let counts: Vec<usize> = input.runs.iter().map(|run| run.tests.len()).collect();
        assert_eq!(counts, [2, 1], "lines of two files without a run are two runs");
    }

    #[test]
    fn legacy_tests_inside_a_recording_are_of_its_run() {
        let input = read(&[&format!("{STREAM}\n{LEGACY}\n{SAMPLE}")]);
        assert_eq!(input.runs.len(), 1);
        assert_eq!((input.runs[0].host.as_str(), input.runs[0].samples), ("h", 1));
    }

    #[test]
    fn a_runner_started_apart_borrows_the_recording_of_its_host() {
        let input = read(&[&format!("{STREAM}\n{SAMPLE}"), TEST]);
        let chapters = input.chapters();
        assert_eq!(chapters.len(), 1);
        assert_eq!(chapters[0].recording_of.as_deref(), Some("m"));
        let elsewhere = TEST.replace(r#""host":"h""#, r#""host":"other""#);
        let input = read(&[STREAM, &elsewhere]);
        assert_eq!(input.chapters()[0].recording_of, None);
    }
}
