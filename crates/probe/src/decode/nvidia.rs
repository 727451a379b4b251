//! What NVML says about a GPU: units, the ways in which it says that there is
//! none, and the same as text, in the form that `nvidia-smi` prints.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::reading::Gpu;
use crate::sources::Sources;

/// One answer, or why there is none.
pub type Answer<T> = Result<T, String>;

/// `nvmlDeviceGetUtilizationRates`, percent. `None` outside 0–100.
#[must_use]
pub fn util_pct(pct: u32) -> Option<f64> {
    (pct <= 100).then_some(f64::from(pct))
}

/// `nvmlDeviceGetPowerUsage`, milliwatt, in watts. The all-ones value means
/// that there is none (`NVML_VALUE_NOT_AVAILABLE`).
#[must_use]
pub fn watts(milliwatt: u32) -> Option<f64> {
    (milliwatt != u32::MAX).then(|| f64::from(milliwatt) / 1e3)
}

/// Used and total memory in bytes. Parts that share the system's memory
/// answer with an error, or with a total of 0: then there is no such figure.
#[must_use]
pub fn memory(used: u64, total: u64) -> Option<(u64, u64)> {
    (total > 0 && used <= total).then_some((used, total))
}

/// What one GPU answers to every question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What it is called.
    pub name: String,
    /// Utilisation in percent.
    pub util_pct: Answer<f64>,
    /// Memory in use and memory there is, in bytes.
    pub memory_bytes: Answer<(u64, u64)>,
    /// Power in watts.
    pub power_w: Answer<f64>,
    /// Temperature in °C.
    pub temp_c: Answer<f64>,
    /// Graphics clock in MHz.
    pub freq_mhz: Answer<f64>,
}

/// The columns, as `nvidia-smi --query-gpu` calls them.
const UTIL: &str = "utilization.gpu";
const USED: &str = "memory.used";
const TOTAL: &str = "memory.total";
const POWER: &str = "power.draw";
const TEMP: &str = "temperature.gpu";
const CLOCK: &str = "clocks.current.graphics";

impl Answers {
    /// The GPU as it was when it answered; `name` is its name in readings.
    #[must_use]
    pub fn gpu(&self, name: Arc<str>) -> Gpu {
        let memory = self.memory_bytes.as_ref().ok();
        Gpu {
            device_util_pct: self.util_pct.clone().ok(),
            mem_used_bytes: memory.map(|(used, _)| *used),
            mem_total_bytes: memory.map(|(_, total)| *total),
            power_w: self.power_w.clone().ok(),
            temp_c: self.temp_c.clone().ok(),
            freq_mhz: self.freq_mhz.clone().ok(),
            ..Gpu::unmeasured(name)
        }
    }

    /// Says which quantities this GPU gives, and why it does not give others.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has NVML"))]
    pub(crate) fn note(&self, sources: &mut Sources) {
        let mut note = |quantity, what: &str, why: Option<&String>| {
            let why = why.map(|why| format!("{}: {why}", self.name));
            let from = format!("NVML {what} of {}", self.name);
            sources.note(quantity, why.is_none(), from, why.unwrap_or_default());
        };
        note("gpu_device_util", "utilization", self.util_pct.as_ref().err());
        note("gpu_mem_used_gb", "memory", self.memory_bytes.as_ref().err());
        note("gpu_power_w", "power", self.power_w.as_ref().err());
        note("gpu_temp_c", "temperature", self.temp_c.as_ref().err());
        note("gpu_freq_mhz", "graphics clock", self.freq_mhz.as_ref().err());
    }

    /// Reads what `nvidia-smi --query-gpu=… --format=csv` prints, and [`to_csv`]:
    /// a line of column names and one for each GPU. Columns may be in any order;
    /// what is in brackets is the reason why there is no value.
    #[must_use]
    pub fn parse_csv(text: &str) -> Vec<Answers> {
        let mut lines = text.lines();
        let columns: Vec<&str> =
            lines.next().unwrap_or_default().split(',').map(str::trim).collect();
        let rows = lines.filter(|line| !line.trim().is_empty()).enumerate();
        rows.map(|(index, line)| parse_row(&columns, line, index)).collect()
    }
}

/// Writes answers as `nvidia-smi --format=csv` does, memory to the byte.
#[must_use]
pub fn to_csv(gpus: &[Answers]) -> String {
    fn cell<T>(answer: &Answer<T>, unit: &str, text: impl Fn(&T) -> String) -> String {
        match answer {
            Ok(value) => format!("{}{unit}", text(value)),
            Err(why) => format!("[{}]", why.replace([',', '\n'], ";")),
        }
    }
    let mut csv =
        format!("name, {UTIL} [%], {USED} [B], {TOTAL} [B], {POWER} [W], {TEMP}, {CLOCK} [MHz]\n");
    for gpu in gpus {
        // A String takes everything.
        let _ = writeln!(
            csv,
            "{}, {}, {}, {}, {}, {}, {}",
            gpu.name.replace([',', '\n'], ";"),
            cell(&gpu.util_pct, " %", f64::to_string),
            cell(&gpu.memory_bytes, " B", |(used, _)| used.to_string()),
            cell(&gpu.memory_bytes, " B", |(_, total)| total.to_string()),
            cell(&gpu.power_w, " W", f64::to_string),
            cell(&gpu.temp_c, "", f64::to_string),
            cell(&gpu.freq_mhz, " MHz", f64::to_string),
        );
    }
    csv
}

fn parse_row(columns: &[&str], line: &str, index: usize) -> Answers {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let cell = |name: &str| {
        let is_it = |column: &&str| column.split_whitespace().next() == Some(name);
        let at = columns.iter().position(is_it)?;
        Some((columns[at], *cells.get(at)?))
    };
    let number = |name: &str| -> Answer<f64> {
        let (column, cell) = cell(name).ok_or_else(|| format!("{name} was not asked for"))?;
        if let Some(why) = cell.strip_prefix('[') {
            return Err(why.trim_end_matches(']').to_owned());
        }
        let value = cell.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        let value = value.filter(|value| value.is_finite() && *value >= 0.0);
        let value = value.ok_or_else(|| format!("{name} is no number: {cell}"))?;
        Ok(if column.contains("[MiB]") { value * 1_048_576.0 } else { value })
    };
    let bytes = |name: &str| -> Answer<u64> { number(name).map(|bytes| bytes as u64) };
    let pair = |used: u64, total: u64| {
        memory(used, total).ok_or_else(|| format!("{used} of {total} bytes is no such figure"))
    };
    Answers {
        name: cell("name")
            .map_or_else(|| format!("NVIDIA GPU {index}"), |(_, name)| name.to_owned()),
        util_pct: number(UTIL).and_then(|pct| {
            (pct <= 100.0).then_some(pct).ok_or_else(|| format!("{pct} is no percentage"))
        }),
        memory_bytes: bytes(USED).and_then(|used| pair(used, bytes(TOTAL)?)),
        power_w: number(POWER),
        temp_c: number(TEMP),
        freq_mhz: number(CLOCK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_watts_and_percent() {
        assert_eq!(watts(11_170), Some(11.17));
        assert_eq!(util_pct(0), Some(0.0));
    }

    #[test]
    fn what_nvml_does_not_know_is_none() {
        assert_eq!(watts(u32::MAX), None);
        assert_eq!(util_pct(4_000_000), None);
        assert_eq!(memory(0, 0), None);
        assert_eq!(memory(5, 4), None);
        assert_eq!(memory(3, 4), Some((3, 4)));
    }

    #[test]
    fn on_a_gb10_all_but_memory_is_read_from_what_nvidia_smi_prints() {
        let text = include_str!("../../tests/data/linux/nvidia-gb10-query.txt");
        let [gb10] = &Answers::parse_csv(text)[..] else { panic!("one GPU") };
        let gpu = gb10.gpu("GB10".into());
        assert_eq!(
            (gpu.device_util_pct, gpu.power_w, gpu.temp_c),
            (Some(0.0), Some(11.17), Some(35.0))
        );
        assert_eq!((gpu.mem_used_bytes, gpu.mem_total_bytes), (None, None));
        assert_eq!(gb10.memory_bytes, Err("N/A".to_owned()));
        assert_eq!(gb10.freq_mhz, Err("clocks.current.graphics was not asked for".to_owned()));
    }

    #[test]
    fn memory_that_nvidia_smi_prints_is_in_mib() {
        let text = "name, memory.total [MiB], memory.used [MiB]\nRTX 4090, 24564 MiB, 1 MiB\n";
        assert_eq!(Answers::parse_csv(text)[0].memory_bytes, Ok((1 << 20, 24_564 << 20)));
    }

    fn answer<T: std::fmt::Debug>(
        value: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Answer<T>> {
        proptest::result::maybe_ok(value, "[a-zA-Z ]{1,20}".prop_map(|why| why.trim().to_owned()))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            name in "[A-Z][a-zA-Z0-9-]{1,20}",
            util_pct in answer(0..=100_u32),
            memory_bytes in answer((0..1_u64 << 50, 1_u64 << 50..1 << 52)),
            power_w in answer(0..2_000_000_u32),
            temp_c in answer(0..120_u32),
        ) {
            let gpu = Answers {
                name,
                util_pct: util_pct.map(f64::from),
                memory_bytes,
                power_w: power_w.map(|milliwatt| f64::from(milliwatt) / 1e3),
                temp_c: temp_c.map(f64::from),
                freq_mhz: Err("Not Supported".to_owned()),
            };
            let gpus = [gpu.clone(), gpu];
            prop_assert_eq!(&Answers::parse_csv(&to_csv(&gpus))[..], &gpus[..]);
        }

        #[test]
        fn no_input_makes_it_panic(text: String, cells: String) {
            let _ = Answers::parse_csv(&text);
            let _ = Answers::parse_csv(&format!("name, {USED} [MiB], {TOTAL}\n{cells}"));
        }
    }
}
