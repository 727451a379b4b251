//! What the samples of one second say. The detectors look at seconds and not at
//! samples: that is fine enough for people, and a million samples cost little.

use records::{Values, place};

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
    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.sum += value;
            self.count += 1.0;
        }
    }

    /// The mean; none where nothing was measured.
    pub(crate) fn get(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
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

    /// Takes a sample. Of levels that are not read each time the last counts, or the
    /// one that is the least cause for alarm.
    pub(crate) fn add(&mut self, ts: Micros, values: &Values) {
        let value = |place: usize| values.0[place];
        self.to = ts;
        let swap = value(SWAP);
        if !swap.is_nan() {
            if swap != self.swap {
                (self.swap, self.swap_at) = (swap, ts);
            }
            if swap <= self.swap_low {
                (self.swap_low, self.swap_low_at) = (swap, ts);
            }
        }
        // `min` and `max` of NaN and a number are the number.
        self.pressure = self.pressure.max(value(PRESSURE));
        self.zombies = self.zombies.min(value(ZOMBIES));
        self.thermal = self.thermal.min(value(THERMAL));
        self.gpu_temp = self.gpu_temp.max(value(GPU_TEMP));
        self.cpu_temp = self.cpu_temp.max(value(CPU_TEMP));
        self.used.add(value(USED));
        self.free.add(value(FREE));
        self.cpu.add(value(CPU_USER) + value(CPU_SYS));
        self.tree_cpu.add(value(TREE_CPU));
        self.cpu_freq.add(value(CPU_FREQ));
        self.gpu.add(value(GPU));
        self.gpu_freq.add(value(GPU_FREQ));
    }
}
