//! Whose samples a line is joined with, where its own run has none.

use super::*;

impl Join {
    /// Whose samples a line of that stream is joined with, now that all are here:
    /// those of its own run; else those of its host; else, where the host of the one
    /// or the other is not known, those of the only host that was sampled.
    pub(super) fn source(&self, index: usize) -> Option<Source> {
        if self.is_sampled(index) {
            return Some(Source::Stream(index));
        }
        let own = self.streams[index].origin.host.as_str();
        let sampled = || (0..self.streams.len()).filter(|index| self.is_sampled(*index));
        let host_of = |index: usize| self.streams[index].origin.host.as_str();
        let hosts: BTreeSet<&str> = sampled().map(host_of).collect();
        let host = match hosts.first() {
            _ if hosts.contains(own) => own,
            Some(&only) if hosts.len() == 1 && [own, only].contains(&UNKNOWN_HOST) => only,
            _ => return None,
        };
        let mut of_host = sampled().filter(|index| host_of(*index) == host);
        match (of_host.next(), of_host.next()) {
            (Some(one), None) => Some(Source::Stream(one)),
            _ => Some(Source::Host(host.to_owned())),
        }
    }

    pub(super) fn is_sampled(&self, index: usize) -> bool {
        !self.streams[index].samples.times().is_empty()
    }

    pub(super) fn look_up(
        &mut self,
        source: Source,
        window: Window,
        fold: Option<Box<Fold>>,
        merged: &mut BTreeMap<String, Samples>,
    ) -> Option<Figures> {
        match source {
            Source::Stream(index) => self.of_stream(index, window, fold),
            Source::Host(host) => {
                let mut of_host = self.streams.iter().filter(|stream| stream.origin.host == host);
                if of_host.any(|stream| !reaches_back(&stream.samples, window, stream.interval)) {
                    self.too_late += 1;
                    return None;
                }
                let samples = match merged.entry(host) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let samples = merge(&self.streams, new.key());
                        new.insert(samples)
                    }
                };
                figures(&mut self.spent, samples, window, None)
            }
        }
    }
}

/// Whether every sample is here that `window` has to do with.
pub(super) fn reaches_back(samples: &Samples, window: Window, interval: Option<f64>) -> bool {
    samples.reach_back(window.start, reach(interval.map_or(0, micros)))
}

/// All samples of a host, in the order of time.
pub(super) fn merge(streams: &[Stream], host: &str) -> Samples {
    let mut of_host: Vec<&Stream> =
        streams.iter().filter(|stream| stream.origin.host == host).collect();
    // Whichever came first: of two samples of one moment the same one counts.
    of_host.sort_by(|a, b| a.origin.run.cmp(&b.origin.run));
    let mut all = Samples::default();
    for stream in of_host {
        all.extend(&stream.samples);
    }
    all.sort();
    all
}
