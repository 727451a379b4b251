//! How much memory was in use around a load: the one place that looks samples up.

use records::place;

use crate::{Samples, Window, window::Micros};

/// How long before a load the level that it starts from is looked for.
const BEFORE: Micros = 1_000_000;
/// The longest after a moment that a sample still tells of it.
const AFTER: Micros = 3_000_000;

/// Where memory is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is called in records.
    pub(crate) name: &'static str,
    /// Its series.
    place: usize,
    /// One that is added to it.
    plus: Option<usize>,
    /// What is measured is what is left, and not what is in use.
    free: bool,
}

const FOOTPRINT: Source = Source::of_one("tree_footprint_gb", place("tree_footprint_gb"));
const RSS: Source = Source::of_one("tree_rss_gb", place("tree_rss_gb"));
const RSS_AND_GPU: Source =
    Source { name: "tree_rss_gb + gpu_mem_used_gb", plus: Some(place("gpu_mem_used_gb")), ..RSS };
pub(crate) const USED: Source = Source::of_one("ram_used_gb", place("ram_used_gb"));
pub(crate) const FREE: Source =
    Source { free: true, ..Source::of_one("ram_free_gb", place("ram_free_gb")) };
pub(crate) const GPU: Source = Source::of_one("gpu_mem_used_gb", place("gpu_mem_used_gb"));

impl Source {
    const fn of_one(name: &'static str, place: usize) -> Source {
        Source { name, place, plus: None, free: false }
    }

    /// The first of them that `samples` have.
    fn of_tree(samples: &Samples) -> Option<Source> {
        [FOOTPRINT, RSS_AND_GPU, RSS].into_iter().find(|source| source.is_in(samples))
    }

    fn best(samples: &Samples) -> Option<Source> {
        Source::of_tree(samples).or_else(|| Source::of_machine(samples))
    }

    /// That of the whole machine.
    pub(crate) fn of_machine(samples: &Samples) -> Option<Source> {
        [USED, FREE].into_iter().find(|source| source.is_in(samples))
    }

    fn is_in(self, samples: &Samples) -> bool {
        samples.has(self.place) && self.plus.is_none_or(|place| samples.has(place))
    }

    /// The level as it is reported: none where it is not memory in use.
    pub(crate) fn shown(self, level: f64) -> Option<f64> {
        (!self.free).then_some(level)
    }

    /// The values with `from` ≤ ts < `to`, in the order of time.
    fn between(
        self,
        samples: &Samples,
        from: Micros,
        to: Micros,
    ) -> impl DoubleEndedIterator<Item = f64> {
        let times = samples.times();
        let rows = times.partition_point(|ts| *ts < from)..times.partition_point(|ts| *ts < to);
        let one = samples.column(self.place);
        let other = self.plus.map_or(one, |place| samples.column(place));
        // Where the last samples lack one of them, its column is shorter.
        let end = rows.end.min(one.len()).min(other.len());
        let rows = rows.start.min(end)..end;
        let level = move |(one, other): (&f64, &f64)| {
            let sum = if self.plus.is_some() { one + other } else { *one };
            if self.free { -sum } else { sum }
        };
        one[rows.clone()].iter().zip(&other[rows]).map(level).filter(|level| !level.is_nan())
    }

    /// The least level from the second before the window to its end: that from which a
    /// load starts. What was in memory before may still be there in the last sample
    /// before it, and the new model already in the first one after.
    pub(crate) fn base(self, samples: &Samples, window: Window) -> Option<f64> {
        self.between(samples, window.start - BEFORE, window.end).reduce(f64::min)
    }

    /// The first level at or after `moment`.
    pub(crate) fn at(self, samples: &Samples, moment: Micros) -> Option<f64> {
        self.between(samples, moment, moment + AFTER).next()
    }

    /// The least level in the time after `moment`: what is left once memory is given back.
    pub(crate) fn settled(self, samples: &Samples, moment: Micros) -> Option<f64> {
        self.between(samples, moment, moment + AFTER).reduce(f64::min)
    }

    /// The greatest level inside the window.
    fn peak(self, samples: &Samples, window: Window) -> Option<f64> {
        self.between(samples, window.start, window.end).reduce(f64::max)
    }
}

/// Memory before and after a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) source: Source,
    pub(crate) base: f64,
    pub(crate) ready: f64,
}

impl Loaded {
    /// Reads it where the samples have both levels.
    pub(crate) fn read(samples: &Samples, source: Source, load: Window) -> Option<Loaded> {
        let base = source.base(samples, load)?;
        Some(Loaded { source, base, ready: source.at(samples, load.end)? })
    }

    /// What loading took.
    pub(crate) fn delta(self) -> f64 {
        self.ready - self.base
    }
}

/// Memory that the load in that window took: the first level after it less the level
/// it started from, of the processes below memmon, else of the machine.
#[must_use]
pub fn model_delta_gb(samples: &Samples, load: Window) -> Option<f64> {
    loaded(samples, load).map(|loaded| records::round(loaded.delta(), 3))
}

/// Memory before and after a load, of the best source that there is.
pub(crate) fn loaded(samples: &Samples, load: Window) -> Option<Loaded> {
    Loaded::read(samples, Source::best(samples)?, load)
}

/// The greatest level in the window, of the best source that there is.
pub(crate) fn peak(samples: &Samples, window: Window) -> Option<f64> {
    Source::best(samples)?.peak(samples, window)
}

#[cfg(test)]
mod tests {
    use records::{Origin, Sample};

    use super::{Source, model_delta_gb};
    use crate::{Samples, Window, window::micros};

    /// Samples each 0.2 s from 0 on, of (rss, used).
    fn samples(levels: &[(Option<f64>, f64)]) -> Samples {
        let mut samples = Samples::default();
        for (at, (rss, used)) in levels.iter().enumerate() {
            let mut sample = Sample::at(at as f64 * 0.2, &Origin::default());
            sample.tree_rss_gb = *rss;
            sample.ram_used_gb = Some(*used);
            samples.push(&sample);
        }
        samples
    }

    fn load(from: f64, to: f64) -> Window {
        Window { start: micros(from), end: micros(to) }
    }

    #[test]
    fn what_was_unloaded_just_before_does_not_count_as_the_base() {
        // Another model of 4 GB is there until 0.5 s; ours is loaded from 0.55 to 1.3 s.
        let used = [4.0, 4.0, 4.0, 0.2, 1.5, 3.0, 3.1, 3.1, 3.9];
        let all: Vec<_> = used.iter().map(|gb| (Some(*gb), 10.0 + gb)).collect();
        assert_eq!(model_delta_gb(&samples(&all), load(0.55, 1.3)), Some(2.9));
        let machine: Vec<_> = used.iter().map(|gb| (None, 10.0 + gb)).collect();
        assert_eq!(model_delta_gb(&samples(&machine), load(0.55, 1.3)), Some(2.9));
        assert_eq!(Source::of_tree(&samples(&machine)), None);
    }

    #[test]
    fn what_no_sample_tells_is_not_known() {
        let all = samples(&[(Some(1.0), 9.0), (Some(1.0), 9.0)]);
        assert_eq!(model_delta_gb(&all, load(0.1, 0.3)), None, "nothing after it");
        assert_eq!(model_delta_gb(&all, load(50.0, 51.0)), None);
        assert_eq!(model_delta_gb(&samples(&[]), load(0.0, 1.0)), None);
    }
}
