//! What belongs to one machine: its curves share no axis with another's.

use crate::{
    bar::{Bar, Class},
    case::Case,
    columns::Columns,
};

/// The samples of a machine, and what ran meanwhile.
#[derive(Default)]
pub(crate) struct Section {
    /// The host's name; empty where no line says it.
    pub(crate) host: String,
    pub(crate) columns: Columns,
    pub(crate) cases: Vec<Case>,
    /// Loads and lives of models.
    pub(crate) models: Vec<Bar>,
    /// Warm-ups and measurements.
    pub(crate) phases: Vec<Bar>,
    pub(crate) anomalies: Vec<Bar>,
    /// How many GPUs it has, as far as the stream says.
    pub(crate) gpus: usize,
    /// Physical memory in GB, as the stream says it.
    pub(crate) memory_gb: Option<f64>,
}

impl Section {
    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.len() == 0 && self.cases.is_empty() && self.bars().next().is_none()
    }

    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.models.iter().chain(&self.phases).chain(&self.anomalies)
    }

    /// The earliest and the latest time, in Unix seconds.
    pub(crate) fn span(&self) -> Option<(f64, f64)> {
        // Microseconds of this age have fewer than 53 bits.
        let seconds = |micros: &i64| *micros as f64 / 1e6;
        let ends = self.columns.times.first().zip(self.columns.times.last());
        let samples = ends.map(|(first, last)| (seconds(first), seconds(last)));
        let cases = self.cases.iter().map(|case| (case.start, case.end));
        let bars = self.bars().map(|bar| (bar.start, bar.end));
        cases.chain(bars).chain(samples).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The time between samples, in microseconds; 0 where nobody can tell.
    pub(crate) fn step(&self) -> i64 {
        self.columns.interval().unwrap_or_default()
    }

    /// Everything in order of time.
    pub(crate) fn sort(&mut self) {
        self.columns.sort();
        part_loads_and_lives(&mut self.models);
        self.cases.sort_by(|a, b| a.start.total_cmp(&b.start));
        for bars in [&mut self.models, &mut self.phases, &mut self.anomalies] {
            bars.sort_by(|a, b| a.start.total_cmp(&b.start));
        }
    }

    /// Takes over what `other` has.
    pub(crate) fn take_over(&mut self, other: Section) {
        self.columns.append(other.columns);
        self.cases.extend(other.cases);
        self.models.extend(other.models);
        self.phases.extend(other.phases);
        self.anomalies.extend(other.anomalies);
        self.gpus = self.gpus.max(other.gpus);
        self.memory_gb = self.memory_gb.or(other.memory_gb);
    }
}

/// A life counts from the load's start; so that both can stand in one row it is drawn from
/// the load's end.
fn part_loads_and_lives(models: &mut [Bar]) {
    let loads: Vec<Bar> = models.iter().filter(|bar| bar.class == Class::Load).cloned().collect();
    for life in models.iter_mut().filter(|bar| bar.class == Class::Life) {
        let own = loads.iter().find(|load| {
            load.name == life.name && (load.start - life.start).abs() < 1.0 && load.end < life.end
        });
        life.start = own.map_or(life.start, |load| load.end.max(life.start));
    }
}

#[cfg(test)]
mod tests {
    use super::Section;
    use crate::bar::{Bar, Class};

    #[test]
    fn a_model_is_in_memory_from_the_end_of_its_load() {
        let bar = |class, name: &str, start, end| Bar {
            class,
            name: name.into(),
            about: Vec::new(),
            start,
            end,
            level_gb: None,
        };
        let mut section = Section::default();
        section.models.push(bar(Class::Life, "a", 10.0, 90.0));
        section.models.push(bar(Class::Life, "b", 95.0, 99.0));
        section.models.push(bar(Class::Load, "a", 10.2, 15.0));
        section.models.push(bar(Class::Load, "b", 60.0, 61.0));
        section.sort();
        let starts: Vec<f64> = section.models.iter().map(|bar| bar.start).collect();
        assert_eq!(starts, [10.2, 15.0, 60.0, 95.0]);
    }
}
