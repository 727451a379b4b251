//! What was found out beyond the join, by us and by those before us.

use super::*;

/// What the join reads of `model_life`, `advice` and `anomaly`.
#[derive(Deserialize)]
pub(super) struct Told {
    ts: f64,
    run: String,
    host: String,
    end_ts: Option<f64>,
    kind: Option<String>,
    evidence: Option<Jump>,
}

/// How far a clock was set.
#[derive(Deserialize)]
struct Jump {
    jump_s: Option<f64>,
}

impl Told {
    /// The time in which there are no samples. A clock that was set back leaves none
    /// between the last sample after that and the first one before it.
    fn away(&self) -> Option<Window> {
        let jump = self.evidence.as_ref().and_then(|evidence| evidence.jump_s);
        let back = jump.filter(|jump| *jump < 0.0);
        let end = self.end_ts.map(|end| end.max(self.ts - back.unwrap_or_default()));
        Window::new(self.ts, end, None)
    }
}

impl Join {
    /// A finding: of a correlate before this one, or an anomaly that others saw.
    pub(super) fn told(
        &mut self,
        kind: Kind,
        told: &Told,
        line: &[u8],
        input: usize,
    ) -> Result<Fate, Malformed> {
        let stream = self.stream(&told.run, &told.host);
        if is_finding(kind, told.kind.as_deref()) {
            self.earlier.push((stream, line.to_vec()));
            return Ok(Fate::Held);
        }
        if told.kind.as_deref().is_some_and(|kind| AWAY.contains(&kind))
            && let Some(window) = told.away()
        {
            let window = window.later(self.shift(input).all);
            if let Some(analysis) = &mut self.analysis {
                analysis.away(stream, window);
            }
        }
        Ok(Fate::PassOn)
    }

    /// What was found out beyond the join, as lines; after [`Join::finish`]. What an
    /// earlier correlate found out about a run is passed on where there are no samples
    /// of the run to find it out from again.
    pub fn findings(&mut self) -> Vec<Vec<u8>> {
        let Some(mut analysis) = self.analysis.take() else {
            return Vec::new();
        };
        let earlier = std::mem::take(&mut self.earlier);
        let streams = &self.streams;
        let origins: Vec<Origin> = streams.iter().map(|stream| stream.origin.clone()).collect();
        let sampled = |index: usize| !streams[index].samples.times().is_empty();
        let samples_of = |index: usize| match self.source(index)? {
            Source::Stream(index) => Some(&streams[index].samples),
            Source::Host(_) => None,
        };
        let kept = |index: usize| !sampled(index) && earlier.iter().any(|(of, _)| *of == index);
        let found = analysis.finish(&origins, &samples_of);
        let left_out = analysis.left_out().collect();
        // A record of numbers, texts and maps with text keys has no way to fail.
        let new = found.iter().filter(|(index, _)| !kept(*index));
        let new = new.filter_map(|(_, finding)| serde_json::to_vec(finding).ok());
        let old = earlier.iter().filter(|(index, _)| kept(*index)).map(|(_, line)| line.clone());
        let lines = old.chain(new).collect();
        self.left_out = left_out;
        lines
    }
}
