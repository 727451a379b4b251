//! Reading streams: samples into columns, the rest as far as it is drawn or said.

use std::collections::HashMap;

use pipe::{Block, BlockReader, Error, Faults, Line, Part, Samples};
use records::{
    Advice, Begin, Kind, LineKind, Machine, Malformed, Origin, Params, Phase, RunEnd, RunStart,
    Sample, Span, Stream, Summary, Test, Values,
    legacy::{LegacySample, LegacySummary, LegacySummaryLine, LegacyTest},
    parse,
};
use serde::Deserialize;

use crate::{
    bar::{Bar, Class},
    rows,
    section::Section,
};

/// Everything that was read.
#[derive(Default)]
pub(crate) struct Recording {
    /// One for each host, in order of appearance.
    pub(crate) sections: Vec<Section>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) legacy_summaries: Vec<LegacySummary>,
    pub(crate) run_starts: Vec<RunStart>,
    pub(crate) run_ends: Vec<RunEnd>,
    /// What correlate says of the order of the tests.
    pub(crate) advice: Vec<String>,
    /// What began and did not end: its name, and when, in Unix seconds.
    pub(crate) open: Vec<(String, f64)>,
    /// The machine, from the stream or from older lines.
    pub(crate) machine: Option<Machine>,
    /// Lines that could not be read.
    pub(crate) malformed: u64,
    /// When something began that has not ended so far, by its name.
    begun: HashMap<String, Vec<f64>>,
    wanted: u64,
}

/// The host that a line names.
#[derive(Deserialize)]
struct OfHost {
    #[serde(default)]
    host: String,
}

/// What correlate calls the host of lines that name none.
const UNKNOWN_HOST: &str = "unknown";

impl Recording {
    /// Reads all of `reader`.
    ///
    /// # Errors
    ///
    /// When reading fails; lines that make no sense go to `faults`.
    pub(crate) fn read(mut reader: BlockReader, faults: &mut Faults) -> Result<Recording, Error> {
        let mut recording = Recording { wanted: rows::wanted(), ..Recording::default() };
        let before = faults.malformed_lines();
        while let Some(block) = reader.next_block()? {
            block.each_part(faults, |part, faults| {
                match part {
                    Part::Samples(samples) => recording.take_samples(&block, &samples),
                    Part::Line(line) => recording.line(&line, faults),
                }
                Ok::<(), Error>(())
            })?;
            reader.give_back(block);
        }
        recording.malformed = faults.malformed_lines() - before;
        recording.finish();
        Ok(recording)
    }

    fn line(&mut self, line: &Line<'_>, faults: &mut Faults) {
        let read = match line.bad_sample {
            Some(why) => Err(why.clone()),
            None => self.take(line.kind, line.raw),
        };
        if let Err(Malformed(why)) = read {
            faults.malformed(&line.place(), &why);
        }
    }

    fn take_samples(&mut self, block: &Block, samples: &Samples<'_>) {
        let wanted = self.wanted;
        let section = self.section(&samples.origin.host);
        if section.gpus < 2 {
            section.columns.push_rows(samples, wanted);
            return;
        }
        // The scanner looks at the flat series; what each GPU did needs a second look.
        let mut rest = Some(*samples);
        for range in samples.ranges() {
            let Some((one, later)) = rest.map(|samples| samples.split(1)) else {
                return;
            };
            section.columns.push_rows(&one, wanted);
            rest = later;
            if let Ok(sample) = parse::<Sample>(&block.bytes()[range]) {
                section.columns.push_gpus(sample.gpus.as_deref().unwrap_or_default());
            }
        }
    }

    fn take(&mut self, kind: &LineKind, raw: &[u8]) -> Result<(), Malformed> {
        let origin = Origin::default();
        match kind {
            LineKind::LegacySample => {
                let sample = parse::<LegacySample>(raw)?.upgrade(0, &origin);
                let wanted = self.wanted;
                self.section("").columns.push(sample.ts, &Values::of(&sample), wanted);
            }
            LineKind::Ours(Kind::Test) => self.test(parse(raw)?),
            LineKind::LegacyTest => self.test(parse::<LegacyTest>(raw)?.upgrade(&origin)?),
            LineKind::Ours(Kind::Span) => {
                let span: Span = parse(raw)?;
                self.close(&span_name(span.phase, &span.params));
                let section = self.section(&span.host);
                match Bar::of(span) {
                    Some(bar) if bar.class == Class::Load => section.models.push(bar),
                    Some(bar) => section.phases.push(bar),
                    None => {}
                }
            }
            LineKind::Ours(Kind::ModelLife) => {
                let host = parse::<OfHost>(raw)?.host;
                self.section(&host).models.push(Bar::from(parse::<records::ModelLife>(raw)?));
            }
            LineKind::Ours(Kind::Anomaly) => {
                let host = parse::<OfHost>(raw)?.host;
                self.section(&host).anomalies.push(Bar::from(parse::<records::Anomaly>(raw)?));
            }
            LineKind::Ours(Kind::Advice) => {
                let advice: Advice = parse(raw)?;
                self.advice.push(advice.message);
            }
            LineKind::Ours(Kind::Begin) => {
                let begin: Begin = parse(raw)?;
                let span = begin.phase.map(|phase| span_name(phase, &begin.params));
                if let Some(name) = begin.id.or(span) {
                    self.begun.entry(name).or_default().push(begin.ts);
                }
            }
            LineKind::Ours(Kind::Stream) => self.stream(parse(raw)?),
            LineKind::Ours(Kind::Summary) => self.summaries.push(parse(raw)?),
            LineKind::LegacySummary => {
                self.legacy_summaries.push(parse::<LegacySummaryLine>(raw)?.summary);
            }
            LineKind::Ours(Kind::RunStart) => self.run_starts.push(parse(raw)?),
            LineKind::Ours(Kind::RunEnd) => self.run_ends.push(parse(raw)?),
            _ => {}
        }
        Ok(())
    }

    fn stream(&mut self, stream: Stream) {
        let section = self.section(&stream.host);
        section.gpus = section.gpus.max(stream.machine.gpus.len());
        section.memory_gb = stream.machine.ram_total_gb.or(section.memory_gb);
        self.machine = Some(stream.machine.clone());
        self.streams.push(stream);
    }

    fn test(&mut self, test: Test) {
        self.close(&test.id);
        if self.machine.is_none() {
            self.machine = legacy_machine(&test);
        }
        self.section(&test.host).cases.push(test.into());
    }

    fn close(&mut self, name: &str) {
        if let Some(since) = self.begun.get_mut(name) {
            since.pop();
            if since.is_empty() {
                self.begun.remove(name);
            }
        }
    }

    fn section(&mut self, host: &str) -> &mut Section {
        let host = if host == UNKNOWN_HOST { "" } else { host };
        let known = self.sections.iter().position(|section| section.host == host);
        let index = known.unwrap_or_else(|| {
            self.sections.push(Section { host: host.to_owned(), ..Section::default() });
            self.sections.len() - 1
        });
        &mut self.sections[index]
    }

    fn finish(&mut self) {
        // What names no host belongs to the only one that is named.
        if let [a, b] = &self.sections[..]
            && (a.host.is_empty() || b.host.is_empty())
        {
            let nameless = self.sections.remove(usize::from(b.host.is_empty()));
            self.sections[0].take_over(nameless);
        }
        self.sections.retain(|section| !section.is_empty());
        for section in &mut self.sections {
            section.sort();
        }
        let begun = self.begun.drain();
        let open =
            begun.flat_map(|(name, since)| since.into_iter().map(move |ts| (name.clone(), ts)));
        self.open = open.collect();
        self.open.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> usize {
        self.sections.iter().map(|section| section.columns.len()).sum()
    }

    /// How many tests there are.
    pub(crate) fn tests(&self) -> usize {
        self.sections.iter().map(|section| section.cases.len()).sum()
    }

    /// The earliest time of all, in Unix seconds.
    pub(crate) fn start(&self) -> Option<f64> {
        let starts = self.streams.iter().map(|s| s.ts).chain(self.run_starts.iter().map(|s| s.ts));
        let sections = self.sections.iter().filter_map(Section::span).map(|(start, _)| start);
        starts.chain(sections).min_by(f64::total_cmp)
    }

    /// The latest time of all.
    pub(crate) fn end(&self) -> Option<f64> {
        let ends = self.summaries.iter().map(|s| s.end_ts);
        let ends = ends.chain(self.run_ends.iter().map(|s| s.end_ts));
        let sections = self.sections.iter().filter_map(Section::span).map(|(_, end)| end);
        ends.chain(sections).max_by(f64::total_cmp)
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
