//! Samples as columns of whole numbers: a million of them fit into tens of megabytes.

use std::borrow::Cow;

use pipe::Samples;
use records::{GpuSample, SERIES, Series, Unit, Values};
use serde::Serialize;

/// Stands for a value that was not measured.
pub(crate) const MISSING: i32 = i32::MIN;

/// The samples of one machine, series by series.
pub(crate) struct Columns {
    /// When each sample was taken, in microseconds since 1970; ascending once sorted.
    pub(crate) times: Vec<i64>,
    columns: Vec<Column>,
    /// The column of each place in [`SERIES`], looked up for every few samples.
    of_series: [Option<usize>; SERIES.len()],
}

/// One series. Values are what samples are written with, fixed decimals, without the
/// point: none is lost.
pub(crate) struct Column {
    /// The series' name; of one GPU among several `gpu.N.FIELD`, N from 0.
    pub(crate) name: Cow<'static, str>,
    /// Decimals of its values.
    pub(crate) decimals: u8,
    /// One for each sample once sorted; [`MISSING`] where nothing was measured.
    pub(crate) values: Vec<i32>,
}

impl Column {
    /// The greatest value that was measured.
    pub(crate) fn max(&self) -> Option<f64> {
        let max = self.values.iter().copied().filter(|value| *value != MISSING).max()?;
        Some(self.value(max))
    }

    /// The least value that was measured.
    pub(crate) fn min(&self) -> Option<f64> {
        let min = self.values.iter().copied().filter(|value| *value != MISSING).min()?;
        Some(self.value(min))
    }

    /// The number that `fixed` stands for.
    pub(crate) fn value(&self, fixed: i32) -> f64 {
        f64::from(fixed) / scale(self.decimals)
    }
}

impl Default for Columns {
    fn default() -> Columns {
        Columns { times: Vec::new(), columns: Vec::new(), of_series: [None; SERIES.len()] }
    }
}

/// A column that need not be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Derived {
    /// The same values as that column.
    Same(usize),
    /// The first column less the second.
    Less(usize, usize),
}

/// The fields of one GPU among several: name, unit, and where a sample has it.
type GpuField = (&'static str, Unit, fn(&GpuSample) -> Option<f64>);

const GPU_FIELDS: [GpuField; 3] = [
    ("device_util", Unit::Pct, |gpu| gpu.device_util),
    ("mem_used_gb", Unit::Gb, |gpu| gpu.mem_used_gb),
    ("power_w", Unit::Watt, |gpu| gpu.power_w),
];

impl Columns {
    /// Adds samples that were scanned, whose series `wanted` (a bit for each place in
    /// [`SERIES`]) are kept.
    pub(crate) fn push_rows(&mut self, samples: &Samples<'_>, wanted: u64) {
        let mut before = self.times.len();
        self.times.extend(samples.rows.iter().map(|row| micros(row.ts)));
        for piece in samples.pieces() {
            let columns = piece.columns().filter(|(place, _)| wanted >> place & 1 == 1);
            for (place, values) in columns {
                // There are columns only of what was measured.
                let is_new = self.of_series[place].is_none();
                if is_new && values.iter().all(|value| value.is_nan()) {
                    continue;
                }
                let column = self.column_of(place);
                let scale = scale(column.decimals);
                column.values.resize(before, MISSING);
                column.values.extend(values.iter().map(|value| fixed(*value, scale)));
            }
            before += piece.len();
        }
    }

    /// Adds one sample.
    pub(crate) fn push(&mut self, ts: f64, values: &Values, wanted: u64) {
        let before = self.times.len();
        self.times.push(micros(ts));
        for (place, series) in SERIES.iter().enumerate() {
            if let Some(value) = values.get(place).filter(|_| wanted >> place & 1 == 1) {
                self.put(before, series.name.into(), series.unit, value);
            }
        }
    }

    /// Adds what the last sample says of each GPU by itself.
    pub(crate) fn push_gpus(&mut self, gpus: &[GpuSample]) {
        let Some(before) = self.times.len().checked_sub(1) else {
            return;
        };
        for (n, gpu) in gpus.iter().enumerate() {
            for (field, unit, get) in GPU_FIELDS {
                if let Some(value) = get(gpu) {
                    self.put(before, format!("gpu.{n}.{field}").into(), unit, value);
                }
            }
        }
    }

    fn put(&mut self, before: usize, name: Cow<'static, str>, unit: Unit, value: f64) {
        let column = self.column(name, unit.decimals());
        column.values.resize(before, MISSING);
        column.values.push(fixed(value, scale(column.decimals)));
    }

    /// The column of the series at that place in [`SERIES`].
    fn column_of(&mut self, place: usize) -> &mut Column {
        let index = self.of_series[place].unwrap_or_else(|| {
            let Series { name, unit, .. } = SERIES[place];
            let index = self.index(name.into(), unit.decimals());
            self.of_series[place] = Some(index);
            index
        });
        &mut self.columns[index]
    }

    fn column(&mut self, name: Cow<'static, str>, decimals: u8) -> &mut Column {
        let index = self.index(name, decimals);
        &mut self.columns[index]
    }

    /// Which column is called `name`; a new one where there is none yet.
    fn index(&mut self, name: Cow<'static, str>, decimals: u8) -> usize {
        let known = self.columns.iter().position(|column| column.name == name);
        known.unwrap_or_else(|| {
            self.columns.push(Column { name, decimals, values: Vec::new() });
            self.columns.len() - 1
        })
    }

    /// Adds the samples of `other`.
    pub(crate) fn append(&mut self, mut other: Columns) {
        let before = self.times.len();
        self.times.append(&mut other.times);
        for mut more in other.columns {
            let column = self.column(more.name, more.decimals);
            column.values.resize(before, MISSING);
            column.values.append(&mut more.values);
        }
    }

    /// Puts the samples in order of time, as files come in any order, and gives every
    /// column a value for each.
    pub(crate) fn sort(&mut self) {
        let count = self.times.len();
        for column in &mut self.columns {
            column.values.resize(count, MISSING);
        }
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|i| self.times[*i]);
        self.times = order.iter().map(|i| self.times[*i]).collect();
        for column in &mut self.columns {
            column.values = order.iter().map(|i| column.values[*i]).collect();
        }
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Every column that was ever measured.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }

    /// The column called `name`, if it was ever measured.
    pub(crate) fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Which column is called `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// What column number `index` says that others say already. Many machines give the same
    /// number twice, and memory in use is often the total less what is free.
    pub(crate) fn derived(&self, index: usize) -> Option<Derived> {
        let column = self.columns.get(index)?;
        let same =
            |other: &Column| (other.decimals, &other.values) == (column.decimals, &column.values);
        if let Some(other) = self.columns[..index].iter().position(same) {
            return Some(Derived::Same(other));
        }
        let (total, free) = (self.position("ram_total_gb")?, self.position("ram_free_gb")?);
        if column.name != "ram_used_gb" {
            return None;
        }
        let parts = self.columns[total].values.iter().zip(&self.columns[free].values);
        let mut parts = parts.zip(&column.values);
        let adds_up = |((total, free), used): ((&i32, &i32), &i32)| match (*total, *free) {
            (MISSING, _) | (_, MISSING) => *used == MISSING,
            (total, free) => total.checked_sub(free) == Some(*used),
        };
        parts.all(adds_up).then_some(Derived::Less(total, free))
    }

    /// The middle one of the times between successive samples, in microseconds.
    pub(crate) fn interval(&self) -> Option<i64> {
        median_step(self.times.iter().copied(), self.times.len())
    }

    /// The same between the samples that have a value in `column`.
    pub(crate) fn interval_of(&self, column: &Column) -> Option<i64> {
        let measured = || self.times.iter().zip(&column.values).filter(|(_, v)| **v != MISSING);
        let count = measured().count();
        if count == self.times.len() {
            return self.interval();
        }
        median_step(measured().map(|(time, _)| *time), count)
    }
}

/// So many steps tell the middle one well enough, and more take long.
const STEPS: usize = 20_000;

fn median_step(times: impl Iterator<Item = i64>, count: usize) -> Option<i64> {
    let stride = count / STEPS + 1;
    let mut before = None;
    let steps = times.filter_map(|time| Some(time - before.replace(time)?)).step_by(stride);
    let mut steps: Vec<i64> = steps.filter(|step| *step > 0).collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}

/// Unix seconds as whole microseconds.
pub(crate) fn micros(seconds: f64) -> i64 {
    // Rounded; the cast stops at the ends of what fits.
    (seconds * 1e6).round() as i64
}

fn scale(decimals: u8) -> f64 {
    10f64.powi(decimals.into())
}

fn fixed(value: f64, scale: f64) -> i32 {
    if value.is_nan() {
        return MISSING;
    }
    let scaled = value * scale;
    // Rounded by hand, which is much faster: there is an instruction for it only on newer
    // processors. The cast stops at the ends of what fits, and one of them is taken.
    ((scaled + 0.5f64.copysign(scaled)) as i32).max(MISSING + 1)
}

#[cfg(test)]
mod tests {
    use records::{Origin, Sample, Values};

    use super::{Columns, Derived, MISSING, micros};

    fn sample(columns: &mut Columns, ts: f64, free: Option<f64>, swap: Option<f64>) {
        let mut sample = Sample::at(ts, &Origin::default());
        sample.ram_free_gb = free;
        sample.swap_used_mb = swap;
        columns.push(ts, &Values::of(&sample), u64::MAX);
    }

    #[test]
    fn samples_out_of_order_are_sorted_with_all_their_values() {
        let mut columns = Columns::default();
        sample(&mut columns, 3.0, Some(3.517), None);
        sample(&mut columns, 1.0, None, Some(10.1));
        sample(&mut columns, 2.0, Some(2.5), None);
        columns.sort();
        assert_eq!(columns.times, [1_000_000, 2_000_000, 3_000_000]);
        let free = columns.get("ram_free_gb").unwrap();
        assert_eq!((free.decimals, &free.values[..]), (3, &[MISSING, 2500, 3517][..]));
        assert_eq!((free.min(), free.max()), (Some(2.5), Some(3.517)));
        assert_eq!(columns.get("swap_used_mb").unwrap().values, [101, MISSING, MISSING]);
        assert!(columns.get("cpu_user").is_none(), "what was never measured has no column");
    }

    #[test]
    fn what_other_columns_say_is_not_said_twice() {
        let mut columns = Columns::default();
        for (ts, free, used, other) in [(1.0, 2.5, 5.5, 2.5), (2.0, 3.0, 5.0, 3.0)] {
            let mut sample = Sample::at(ts, &Origin::default());
            sample.ram_total_gb = Some(8.0);
            sample.ram_free_gb = Some(free);
            sample.ram_used_gb = Some(used);
            sample.ram_wired_gb = Some(other);
            columns.push(ts, &Values::of(&sample), u64::MAX);
        }
        sample(&mut columns, 3.0, None, None);
        columns.sort();
        let derived = |columns: &Columns| (0..4).map(|i| columns.derived(i)).collect::<Vec<_>>();
        // In the order of the series: total, free, used, wired.
        assert_eq!(
            derived(&columns),
            [None, None, Some(Derived::Less(0, 1)), Some(Derived::Same(1))]
        );
        columns.columns[2].values[0] += 1;
        columns.columns[3].values[2] = 0;
        assert_eq!(derived(&columns), [None; 4]);
    }

    #[test]
    fn a_value_that_no_column_can_hold_is_not_taken_for_none() {
        let mut columns = Columns::default();
        sample(&mut columns, 0.0, Some(-1e300), Some(1e300));
        assert_eq!(columns.get("ram_free_gb").unwrap().values, [MISSING + 1]);
        assert_eq!(columns.get("swap_used_mb").unwrap().values, [i32::MAX]);
    }

    #[test]
    fn the_interval_is_the_median_and_not_what_one_gap_makes_of_it() {
        let interval = |times: &[f64]| {
            let times = times.iter().map(|time| micros(*time)).collect();
            Columns { times, ..Columns::default() }.interval()
        };
        assert_eq!(interval(&[0.0, 0.25, 0.5, 100.0, 100.25]), Some(250_000));
        assert_eq!(interval(&[7.0]), None);
        assert_eq!(interval(&[7.0, 7.0]), None);
    }
}
