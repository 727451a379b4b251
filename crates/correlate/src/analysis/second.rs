//! What the samples of one second say. The detectors look at seconds and not at
//! samples: that is fine enough for people, and a million samples cost little.

use std::ops::Range;

use records::{SERIES, place};

use crate::window::Micros;

/// The length of what is looked at together.
pub(crate) const SECOND: Micros = 1_000_000;

/// A mean of what was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, values: impl Iterator<Item = f64>) {
        for value in values {
            let (value, count) = if value.is_nan() { (0.0, 0.0) } else { (value, 1.0) };
            self.sum += value;
            self.count += count;
        }
    }

    /// The mean; none where nothing was measured.
    pub(crate) fn get(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

/// The values of samples by the places of their series in [`SERIES`]: one of each sample, NaN
/// where it lacks it, or none of any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a>(pub(crate) [&'a [f64]; SERIES.len()]);

impl<'a> Columns<'a> {
    /// Without any.
    pub(crate) const NONE: Columns<'static> = Columns([&[]; SERIES.len()]);

    /// The values of those samples of the series at `place`.
    fn of(&self, place: usize, rows: &Range<usize>) -> &'a [f64] {
        self.0[place].get(rows.clone()).unwrap_or_default()
    }
}

/// The samples of one second. NaN is "not measured".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second {
    /// Of the first and the last sample in it.
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    /// Where it ends.
    end: Micros,
    /// The last value, and when it was reached.
    pub(crate) swap: f64,
    pub(crate) swap_at: Micros,
    /// The least value, and when it was last seen.
    pub(crate) swap_low: f64,
    pub(crate) swap_low_at: Micros,
    pub(crate) pressure: f64,
    pub(crate) zombies: f64,
    pub(crate) thermal: f64,
    pub(crate) gpu_temp: f64,
    pub(crate) cpu_temp: f64,
    pub(crate) used: Mean,
    pub(crate) free: Mean,
    pub(crate) cpu: Mean,
    pub(crate) tree_cpu: Mean,
    pub(crate) cpu_freq: Mean,
    pub(crate) gpu: Mean,
    pub(crate) gpu_freq: Mean,
}

const USED: usize = place("ram_used_gb");
const FREE: usize = place("ram_free_gb");
const SWAP: usize = place("swap_used_mb");
const PRESSURE: usize = place("memory_pressure");
const CPU_USER: usize = place("cpu_user");
const CPU_SYS: usize = place("cpu_sys");
const CPU_FREQ: usize = place("cpu_freq_mhz");
const CPU_TEMP: usize = place("cpu_temp_c");
const GPU: usize = place("gpu_device_util");
const GPU_FREQ: usize = place("gpu_freq_mhz");
const GPU_TEMP: usize = place("gpu_temp_c");
const THERMAL: usize = place("thermal_level");
const TREE_CPU: usize = place("tree_cpu_pct");
const ZOMBIES: usize = place("zombies");

impl Second {
    /// One that begins with a sample at `ts`.
    pub(crate) fn at(ts: Micros) -> Second {
        let none = f64::NAN;
        let mean = Mean::default();
        Second {
            from: ts,
            to: ts,
            end: (ts.div_euclid(SECOND) + 1) * SECOND,
            swap: none,
            swap_at: ts,
            swap_low: f64::INFINITY,
            swap_low_at: ts,
            pressure: none,
            zombies: none,
            thermal: none,
            gpu_temp: none,
            cpu_temp: none,
            used: mean,
            free: mean,
            cpu: mean,
            tree_cpu: mean,
            cpu_freq: mean,
            gpu: mean,
            gpu_freq: mean,
        }
    }

    /// Whether a later sample, at `ts`, lies in the same second.
    pub(crate) fn holds(&self, ts: Micros) -> bool {
        ts < self.end
    }

    /// Takes samples: those `rows` of `columns`, at those times. Of levels that are not read
    /// each time the last counts, or the one that is the least cause for alarm.
    pub(crate) fn add(&mut self, times: &[Micros], columns: &Columns<'_>, rows: &Range<usize>) {
        let of = |place: usize| columns.of(place, rows);
        let values = |place: usize| of(place).iter().copied();
        self.to = times.last().copied().unwrap_or(self.to);
        for (swap, ts) in of(SWAP).iter().zip(times) {
            if *swap != self.swap && !swap.is_nan() {
                (self.swap, self.swap_at) = (*swap, *ts);
            }
            if *swap <= self.swap_low {
                (self.swap_low, self.swap_low_at) = (*swap, *ts);
            }
        }
        // `min` and `max` of NaN and a number are the number.
        let least = |known: f64, place: usize| values(place).fold(known, f64::min);
        let most = |known: f64, place: usize| values(place).fold(known, f64::max);
        self.pressure = most(self.pressure, PRESSURE);
        self.zombies = least(self.zombies, ZOMBIES);
        self.thermal = least(self.thermal, THERMAL);
        self.gpu_temp = most(self.gpu_temp, GPU_TEMP);
        self.cpu_temp = most(self.cpu_temp, CPU_TEMP);
        self.used.add(values(USED));
        self.free.add(values(FREE));
        self.cpu.add(values(CPU_USER).zip(values(CPU_SYS)).map(|(user, sys)| user + sys));
        self.tree_cpu.add(values(TREE_CPU));
        self.cpu_freq.add(values(CPU_FREQ));
        self.gpu.add(values(GPU));
        self.gpu_freq.add(values(GPU_FREQ));
    }
}
