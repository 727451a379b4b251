//! Reading streams: samples into columns, the rest as far as it is drawn or said.

use pipe::{Error, Faults, Incoming, Reader};
use records::{
    Begin, Kind, LineKind, Machine, Malformed, Origin, Params, Phase, RunEnd, RunStart, Sample,
    Span, Stream, Summary, Test,
    legacy::{LegacySample, LegacySummary, LegacySummaryLine, LegacyTest},
};

use crate::{
    case::{Case, Load},
    columns::Columns,
    rows,
};

/// Everything that was read.
pub(crate) struct Recording {
    pub(crate) columns: Columns,
    pub(crate) cases: Vec<Case>,
    pub(crate) loads: Vec<Load>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) legacy_summaries: Vec<LegacySummary>,
    pub(crate) run_starts: Vec<RunStart>,
    pub(crate) run_ends: Vec<RunEnd>,
    /// What began and did not end: its name, and when, in Unix seconds.
    pub(crate) open: Vec<(String, f64)>,
    /// The machine, from the stream or from older lines.
    pub(crate) machine: Option<Machine>,
    /// Hosts that samples come from, in order of appearance.
    pub(crate) hosts: Vec<String>,
    /// Lines that could not be read.
    pub(crate) malformed: u64,
}

impl Recording {
    /// Reads all of `reader`.
    ///
    /// # Errors
    ///
    /// When reading fails; lines that make no sense go to `faults`.
    pub(crate) fn read(reader: &mut Reader, faults: &mut Faults) -> Result<Recording, Error> {
        let mut recording = Recording {
            columns: Columns::of(rows::is_read),
            cases: Vec::new(),
            loads: Vec::new(),
            streams: Vec::new(),
            summaries: Vec::new(),
            legacy_summaries: Vec::new(),
            run_starts: Vec::new(),
            run_ends: Vec::new(),
            open: Vec::new(),
            machine: None,
            hosts: Vec::new(),
            malformed: 0,
        };
        while let Some(line) = reader.next(faults)? {
            if let Err(Malformed(why)) = recording.take(&line) {
                faults.malformed(&line.place, &why);
            }
        }
        recording.columns.sort();
        recording.cases.sort_by(|a, b| a.start.total_cmp(&b.start));
        recording.malformed = faults.malformed_lines();
        Ok(recording)
    }

    fn take(&mut self, line: &Incoming<'_>) -> Result<(), Malformed> {
        let origin = Origin::default();
        match line.kind {
            LineKind::Ours(Kind::Sample) => self.sample(&line.parse()?),
            LineKind::LegacySample => {
                let seq = self.columns.len() as u64;
                self.sample(&line.parse::<LegacySample>()?.upgrade(seq, &origin));
            }
            LineKind::Ours(Kind::Test) => self.test(line.parse()?),
            LineKind::LegacyTest => self.test(line.parse::<LegacyTest>()?.upgrade(&origin)?),
            LineKind::Ours(Kind::Span) => {
                let span: Span = line.parse()?;
                self.close(&span_name(span.phase, &span.params));
                self.loads.extend(Load::of(span));
            }
            LineKind::Ours(Kind::Begin) => {
                let begin: Begin = line.parse()?;
                let span = begin.phase.map(|phase| span_name(phase, &begin.params));
                self.open.extend(begin.id.or(span).map(|name| (name, begin.ts)));
            }
            LineKind::Ours(Kind::Stream) => {
                let stream: Stream = line.parse()?;
                self.machine = Some(stream.machine.clone());
                self.streams.push(stream);
            }
            LineKind::Ours(Kind::Summary) => self.summaries.push(line.parse()?),
            LineKind::LegacySummary => {
                self.legacy_summaries.push(line.parse::<LegacySummaryLine>()?.summary);
            }
            LineKind::Ours(Kind::RunStart) => self.run_starts.push(line.parse()?),
            LineKind::Ours(Kind::RunEnd) => self.run_ends.push(line.parse()?),
            _ => {}
        }
        Ok(())
    }

    fn sample(&mut self, sample: &Sample) {
        if self.hosts.last().is_none_or(|host| *host != sample.host)
            && !self.hosts.contains(&sample.host)
        {
            self.hosts.push(sample.host.clone());
        }
        self.columns.push(sample);
    }

    fn test(&mut self, test: Test) {
        self.close(&test.id);
        if self.machine.is_none() {
            self.machine = legacy_machine(&test);
        }
        self.cases.push(test.into());
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().position(|(open, _)| open == name) {
            self.open.remove(at);
        }
    }

    /// The earliest time of all, in Unix seconds: the zero of the axis.
    pub(crate) fn start(&self) -> Option<f64> {
        let starts = self
            .streams
            .iter()
            .map(|s| s.ts)
            .chain(self.run_starts.iter().map(|s| s.ts))
            .chain(self.columns.times.first().copied())
            .chain(self.cases.iter().map(|case| case.start))
            .chain(self.loads.iter().map(|load| load.start));
        starts.min_by(f64::total_cmp)
    }

    /// The latest time of all.
    pub(crate) fn end(&self) -> Option<f64> {
        let ends = self
            .summaries
            .iter()
            .map(|s| s.end_ts)
            .chain(self.run_ends.iter().map(|s| s.end_ts))
            .chain(self.columns.times.last().copied())
            .chain(self.cases.iter().map(|case| case.end))
            .chain(self.loads.iter().map(|load| load.end));
        ends.max_by(f64::total_cmp)
    }
}

/// A span by its phase and what it runs on: these are equal in `begin` and `span`.
fn span_name(phase: Phase, params: &Params) -> String {
    let mut words = vec![format!("{phase:?}").to_lowercase()];
    words.extend([&params.backend, &params.model].into_iter().flatten().cloned());
    words.join(" ")
}

/// What an older test line says of the machine, kept under its `metadata`.
fn legacy_machine(test: &Test) -> Option<Machine> {
    let system = test.metadata.as_ref()?.get("system")?;
    let text = |path: &str| system.pointer(path)?.as_str().map(str::to_owned);
    let cores = |path: &str| system.pointer(path)?.as_u64()?.try_into().ok();
    let machine = Machine {
        model: text("/hardware_profile/model"),
        chip: text("/hardware_profile/chip").or(text("/hardware")),
        cores_physical: cores("/hardware_profile/cores_physical"),
        cores_logical: cores("/hardware_profile/cores_logical"),
        ram_total_gb: system.pointer("/ram_total_gb").and_then(serde_json::Value::as_f64),
        os: text("/platform"),
        ..Machine::default()
    };
    (machine != Machine::default()).then_some(machine)
}
