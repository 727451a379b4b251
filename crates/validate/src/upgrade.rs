//! Lines of mlx-knife, as records of ours.

use pipe::{Error, Incoming, Writer};
use records::{
    Child, Kind, LineKind, Malformed, MinMeanMax, Origin, Record, SERIES, Sample, Stream, Summary,
    legacy::{LegacySample, LegacySummaryLine, LegacyTest, unix_seconds},
};

/// What is known, along an input, of where its lines come from.
#[derive(Default)]
pub struct Upgrader {
    /// Time of the first legacy sample.
    first_ts: Option<f64>,
    input: usize,
    origin: Option<Origin>,
    samples: u64,
    series: Vec<Option<Extent>>,
}

/// A series as far as it was seen.
#[derive(Clone, Copy)]
struct Extent {
    min: f64,
    max: f64,
    sum: f64,
    n: u64,
}

impl Upgrader {
    /// Writes `line`, as ours if it is mlx-knife's. A line that cannot be upgraded is
    /// written as it is, and why is returned.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub fn write(
        &mut self,
        line: &Incoming<'_>,
        writer: &mut Writer,
    ) -> Result<Result<(), Malformed>, Error> {
        if self.input != line.input {
            *self = Upgrader { input: line.input, ..Upgrader::default() };
        }
        let written = match line.kind {
            LineKind::LegacyTest => self.test(line).map(|record| writer.record(&record)),
            LineKind::LegacySample => self.sample(line).map(|record| writer.record(&record)),
            LineKind::LegacySummary => self.summary(line).map(|record| writer.record(&record)),
            LineKind::Ours(Kind::Stream) => {
                // One that cannot be read is invalid, and was named as that.
                if let Ok(stream) = line.parse::<Stream>() {
                    let origin = Origin { run: stream.run().into(), host: stream.host().into() };
                    *self =
                        Upgrader { input: line.input, origin: Some(origin), ..Upgrader::default() };
                }
                Ok(writer.line(line.raw))
            }
            _ => Ok(writer.line(line.raw)),
        };
        match written {
            Ok(result) => result.map(Ok),
            Err(why) => writer.line(line.raw).map(|()| Err(why)),
        }
    }

    fn origin(&self) -> Origin {
        let unknown = || Origin { run: "legacy".into(), host: "unknown".into() };
        self.origin.clone().unwrap_or_else(unknown)
    }

    fn test(&self, line: &Incoming<'_>) -> Result<records::Test, Malformed> {
        line.parse::<LegacyTest>()?.upgrade(&self.origin())
    }

    fn sample(&mut self, line: &Incoming<'_>) -> Result<Sample, Malformed> {
        let old = line.parse::<LegacySample>()?;
        let mut sample = old.upgrade(self.samples, &self.origin());
        // Where the line does not say how long the sampler has run, its time does.
        let first_ts = *self.first_ts.get_or_insert(old.ts);
        sample.elapsed_s = old.elapsed_s.unwrap_or_else(|| records::round(old.ts - first_ts, 6));
        self.samples += 1;
        self.series.resize(SERIES.len(), None);
        for (series, extent) in SERIES.iter().zip(&mut self.series) {
            let Some(value) = (series.get)(&sample) else { continue };
            let seen = extent.get_or_insert(Extent { min: value, max: value, sum: 0.0, n: 0 });
            seen.min = seen.min.min(value);
            seen.max = seen.max.max(value);
            seen.sum += value;
            seen.n += 1;
        }
        Ok(sample)
    }

    /// The summary is of the samples that were read here; how long they took and how
    /// the command ended is what the line says.
    fn summary(&mut self, line: &Incoming<'_>) -> Result<Summary, Malformed> {
        let old = line.parse::<LegacySummaryLine>()?.summary;
        let lacks =
            |what: &str| Malformed(format!("a summary without {what} is no record of ours"));
        let duration = old.duration_s.ok_or_else(|| lacks("duration_s"))?;
        let samples = old.samples.ok_or_else(|| lacks("samples"))?;
        let interval =
            old.interval_ms.filter(|ms| *ms > 0.0).ok_or_else(|| lacks("interval_ms"))?;
        let end = old
            .timestamp
            .as_deref()
            .and_then(unix_seconds)
            .ok_or_else(|| lacks("a timestamp that is a date"))?;
        let mut summary = Summary::at(end - duration, &self.origin());
        summary.end_ts = end;
        summary.duration_s = duration;
        summary.samples = samples;
        // Deadlines of the interval that no sample met. The cast saturates.
        summary.missed = ((duration * 1e3 / interval).floor() as u64).saturating_sub(samples);
        summary.child = old.exit_code.map(|exit| Child { exit: Some(exit), ..Child::default() });
        for (series, extent) in SERIES.iter().zip(&self.series) {
            if let Some(Extent { min, max, sum, n }) = *extent {
                // Far fewer than 2^53 samples.
                let mean = records::round(sum / n as f64, 6);
                summary.series.insert(series.name.into(), MinMeanMax { min, mean, max });
            }
        }
        Ok(summary)
    }
}
