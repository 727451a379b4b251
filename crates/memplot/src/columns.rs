//! Samples as columns: a million of them fit into tens of megabytes.

use records::{SERIES, Sample, Series};

/// The samples of a recording, series by series. A value that was not measured is NaN.
///
/// Values are kept with seven significant digits (`f32`), which is more than the
/// decimals that samples are written with ask for: they come out as they went in.
pub(crate) struct Columns {
    /// When each sample was taken, in Unix seconds, ascending.
    pub(crate) times: Vec<f64>,
    /// Empty where nothing was measured yet.
    columns: Vec<(&'static Series, Vec<f32>)>,
}

impl Columns {
    /// No samples yet; of those to come, the series that `wanted` says are kept.
    pub(crate) fn of(wanted: impl Fn(&str) -> bool) -> Columns {
        let columns = SERIES.iter().filter(|series| wanted(series.name));
        Columns { times: Vec::new(), columns: columns.map(|s| (s, Vec::new())).collect() }
    }

    /// Adds a sample.
    pub(crate) fn push(&mut self, sample: &Sample) {
        let before = self.times.len();
        self.times.push(sample.ts);
        for (series, column) in &mut self.columns {
            match (series.get)(sample) {
                None if column.is_empty() => {}
                None => column.push(f32::NAN),
                Some(value) => {
                    column.resize(before, f32::NAN);
                    // Narrowing is the purpose; the digits that matter are all there.
                    column.push(value as f32);
                }
            }
        }
    }

    /// Puts the samples in order of time: files come in any order.
    pub(crate) fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by(|a, b| self.times[*a].total_cmp(&self.times[*b]));
        self.times = order.iter().map(|i| self.times[*i]).collect();
        for (_, column) in self.columns.iter_mut().filter(|(_, column)| !column.is_empty()) {
            *column = order.iter().map(|i| column[*i]).collect();
        }
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The column of the series called `name`, if it was ever measured.
    pub(crate) fn get(&self, name: &str) -> Option<&[f32]> {
        let (_, column) = self.columns.iter().find(|(series, _)| series.name == name)?;
        (!column.is_empty()).then_some(&column[..])
    }

    /// The greatest value of the series called `name`.
    pub(crate) fn max(&self, name: &str) -> Option<f32> {
        self.get(name)?.iter().copied().filter(|v| !v.is_nan()).max_by(f32::total_cmp)
    }
}

/// The middle one of the times between successive samples, in seconds.
pub(crate) fn median_interval(times: impl Iterator<Item = f64>) -> Option<f64> {
    let mut before = None;
    let mut steps: Vec<f64> =
        times.filter_map(|t| Some(t - before.replace(t)?)).filter(|step| *step > 0.0).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use records::{Origin, Sample};

    use super::{Columns, median_interval};

    fn sample(ts: f64, free: Option<f64>, swap: Option<f64>) -> Sample {
        let mut sample = Sample::at(ts, &Origin::default());
        sample.ram_free_gb = free;
        sample.swap_used_mb = swap;
        sample
    }

    #[test]
    fn samples_out_of_order_are_sorted_with_all_their_values() {
        let mut columns = Columns::of(|_| true);
        columns.push(&sample(3.0, Some(3.5), None));
        columns.push(&sample(1.0, None, Some(10.0)));
        columns.push(&sample(2.0, Some(2.5), None));
        columns.sort();
        assert_eq!(columns.times, [1.0, 2.0, 3.0]);
        let free = columns.get("ram_free_gb").unwrap();
        assert!(free[0].is_nan());
        assert_eq!(free[1..], [2.5, 3.5]);
        assert_eq!(columns.max("swap_used_mb"), Some(10.0));
        assert!(columns.get("cpu_user").is_none(), "what was never measured has no column");
    }

    #[test]
    fn the_interval_is_the_median_and_not_what_one_gap_makes_of_it() {
        assert_eq!(median_interval([0.0, 0.25, 0.5, 100.0, 100.25].into_iter()), Some(0.25));
        assert_eq!(median_interval([7.0].into_iter()), None);
        assert_eq!(median_interval([7.0, 7.0].into_iter()), None);
    }
}
