//! From what was read to the line that is written: units and decimals.
//!
//! The one place where base units (bytes, percent) become those of the record.

use probe::{Gpu, Reading, TreeReading};
use records::{GpuSample, Origin, Sample, Unit, round};

use crate::gpu_sums::GpuSums;

/// What the probes gave for one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The machine.
    pub machine: Reading,
    /// What its GPUs use together.
    pub gpu_sums: GpuSums,
    /// The processes that are watched, when some are.
    pub tree: Option<TreeReading>,
    /// Zombies on the whole machine, in the samples that counted them.
    pub zombies: Option<u32>,
}

/// The record of `seen`, which was read at `ts`. What tells of the sampling
/// itself, such as `seq` and `late_us`, is left to the sampler.
#[must_use]
pub fn sample(ts: f64, origin: &Origin, seen: &Observation) -> Sample {
    let machine = &seen.machine;
    let tree = seen.tree.as_ref();
    let load = |index: usize| machine.load.map(|load| fixed(load[index], Unit::Load));
    let gpus = &machine.gpus;
    Sample {
        ram_total_gb: machine.ram_total_bytes.map(gb),
        ram_free_gb: machine.ram_free_bytes.map(gb),
        ram_used_gb: machine.ram_used_bytes.map(gb),
        ram_wired_gb: machine.ram_wired_bytes.map(gb),
        ram_compressed_gb: machine.ram_compressed_bytes.map(gb),
        swap_used_mb: machine.swap_used_bytes.map(mb),
        swap_total_mb: machine.swap_total_bytes.map(mb),
        memory_pressure: machine.memory_pressure.map(probe::Pressure::level),
        memory_free_pct: machine.memory_free_pct.map(pct),
        load_1: load(0),
        load_5: load(1),
        load_15: load(2),
        cpu_user: machine.cpu.map(|cpu| pct(cpu.user_pct)),
        cpu_sys: machine.cpu.map(|cpu| pct(cpu.sys_pct)),
        cpu_idle: machine.cpu.map(|cpu| pct(cpu.idle_pct)),
        cpu_freq_mhz: machine.cpu_freq_mhz.map(mhz),
        cpu_power_w: machine.cpu_power_w.map(watt),
        cpu_temp_c: machine.cpu_temp_c.map(celsius),
        gpu_device_util: greatest(gpus, |gpu| gpu.device_util_pct).map(pct),
        gpu_renderer_util: greatest(gpus, |gpu| gpu.renderer_util_pct).map(pct),
        gpu_tiler_util: greatest(gpus, |gpu| gpu.tiler_util_pct).map(pct),
        gpu_mem_used_gb: seen.gpu_sums.mem_used_bytes.map(gb),
        gpu_power_w: seen.gpu_sums.power_w.map(watt),
        gpu_temp_c: greatest(gpus, |gpu| gpu.temp_c).map(celsius),
        gpu_residency_pct: greatest(gpus, |gpu| gpu.residency_pct).map(pct),
        gpu_freq_mhz: greatest(gpus, |gpu| gpu.freq_mhz).map(mhz),
        ane_power_w: machine.ane_power_w.map(watt),
        dram_power_w: machine.dram_power_w.map(watt),
        thermal_level: machine.thermal_level,
        gpus: (gpus.len() > 1).then(|| gpus.iter().map(gpu_sample).collect()),
        tree_rss_gb: tree.and_then(|tree| tree.rss_bytes).map(gb),
        tree_pss_gb: tree.and_then(|tree| tree.pss_bytes).map(gb),
        tree_footprint_gb: tree.and_then(|tree| tree.footprint_bytes).map(gb),
        tree_cpu_pct: tree.and_then(|tree| tree.cpu_pct).map(pct),
        tree_procs: tree.map(|tree| tree.procs),
        tree_incomplete: tree.and_then(|tree| tree.incomplete),
        zombies: seen.zombies,
        cgroup_limit_gb: machine.cgroup.and_then(|cgroup| cgroup.limit_bytes).map(gb),
        cgroup_used_gb: machine.cgroup.and_then(|cgroup| cgroup.used_bytes).map(gb),
        cgroup_free_gb: machine.cgroup.and_then(|cgroup| cgroup.free_bytes).map(gb),
        cgroup_swap_mb: machine.cgroup.and_then(|cgroup| cgroup.swap_bytes).map(mb),
        vm_stale: machine.vm_stale,
        ..Sample::at(ts, origin)
    }
}

fn gpu_sample(gpu: &Gpu) -> GpuSample {
    GpuSample {
        name: Some(gpu.name.to_string()),
        device_util: gpu.device_util_pct.map(pct),
        mem_used_gb: gpu.mem_used_bytes.map(gb),
        power_w: gpu.power_w.map(watt),
        temp_c: gpu.temp_c.map(celsius),
    }
}

/// The greatest of the values that were measured.
fn greatest(gpus: &[Gpu], value: impl Fn(&Gpu) -> Option<f64>) -> Option<f64> {
    gpus.iter().filter_map(value).reduce(f64::max)
}

/// Bytes as 10⁹ bytes.
pub(crate) fn gb(bytes: u64) -> f64 {
    fixed(bytes as f64 / 1e9, Unit::Gb)
}

fn mb(bytes: u64) -> f64 {
    fixed(bytes as f64 / 1e6, Unit::Mb)
}

fn pct(value: f64) -> f64 {
    fixed(value, Unit::Pct)
}

fn watt(value: f64) -> f64 {
    fixed(value, Unit::Watt)
}

fn mhz(value: f64) -> f64 {
    fixed(value, Unit::Mhz)
}

fn celsius(value: f64) -> f64 {
    fixed(value, Unit::Celsius)
}

fn fixed(value: f64, unit: Unit) -> f64 {
    round(value, unit.decimals())
}

#[cfg(test)]
mod tests {
    use probe::{Cgroup, Cpu, Gpu, Pressure, Reading, TreeReading};
    use records::{Origin, SERIES};

    use super::{Observation, sample};
    use crate::gpu_sums::Adder;

    fn origin() -> Origin {
        Origin { run: "r".into(), host: "h".into() }
    }

    fn seen(machine: Reading) -> Observation {
        let gpu_sums = Adder::default().sums(&machine.gpus);
        Observation { machine, gpu_sums, ..Observation::default() }
    }

    fn gpu(name: &str, util: f64, mem: u64, power: Option<f64>, temp: f64) -> Gpu {
        Gpu {
            device_util_pct: Some(util),
            mem_used_bytes: Some(mem),
            power_w: power,
            temp_c: Some(temp),
            ..Gpu::unmeasured(name.into())
        }
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let empty = sample(1.5, &origin(), &Observation::default());
        assert!(SERIES.iter().all(|series| (series.get)(&empty).is_none()));
        assert_eq!(
            serde_json::to_string(&empty).unwrap(),
            r#"{"record":"sample","v":1,"ts":1.5,"run":"r","host":"h","seq":0,"elapsed_s":0.0}"#
        );
    }

    #[test]
    fn bytes_become_decimal_gigabytes_and_megabytes_with_fixed_decimals() {
        let machine = Reading {
            ram_total_bytes: Some(16 << 30),
            ram_free_bytes: Some(1_234_567_890),
            ram_used_bytes: Some(499_999),
            swap_used_bytes: Some(0),
            swap_total_bytes: Some(2 << 30),
            memory_pressure: Some(Pressure::Warn),
            load: Some([0.125, 2.0, 3.999]),
            cpu: Some(Cpu { user_pct: 12.345, sys_pct: 0.04, idle_pct: 87.65 }),
            cpu_freq_mhz: Some(2_400.123),
            cgroup: Some(Cgroup {
                limit_bytes: None,
                used_bytes: Some(7_000_500_000),
                free_bytes: None,
                swap_bytes: None,
            }),
            ..Reading::default()
        };
        let tree = TreeReading {
            procs: 3,
            rss_bytes: Some(0),
            cpu_pct: Some(7.06),
            ..TreeReading::default()
        };
        let seen =
            Observation { machine, tree: Some(tree), zombies: Some(2), ..Observation::default() };
        assert_eq!(
            serde_json::to_string(&sample(0.0, &origin(), &seen)).unwrap(),
            concat!(
                r#"{"record":"sample","v":1,"ts":0.0,"run":"r","host":"h","seq":0,"elapsed_s":0.0,"#,
                r#""ram_total_gb":17.18,"ram_free_gb":1.235,"ram_used_gb":0.0,"swap_used_mb":0.0,"#,
                r#""swap_total_mb":2147.5,"memory_pressure":2,"load_1":0.13,"load_5":2.0,"#,
                r#""load_15":4.0,"cpu_user":12.3,"cpu_sys":0.0,"cpu_idle":87.7,"cpu_freq_mhz":2400.0,"#,
                r#""tree_rss_gb":0.0,"#,
                r#""tree_cpu_pct":7.1,"tree_procs":3,"zombies":2,"cgroup_used_gb":7.001}"#
            )
        );
    }

    #[test]
    fn one_gpu_has_flat_fields_only() {
        let machine = Reading {
            gpus: vec![gpu("A", 31.26, 3_000_000_000, Some(12.345), 60.04)],
            ..Reading::default()
        };
        let one = sample(0.0, &origin(), &seen(machine));
        assert_eq!(one.gpus, None);
        assert_eq!(one.gpu_device_util, Some(31.3));
        assert_eq!(one.gpu_mem_used_gb, Some(3.0));
        assert_eq!(one.gpu_power_w, Some(12.35));
        assert_eq!(one.gpu_temp_c, Some(60.0));
        assert_eq!(one.gpu_renderer_util, None);
    }

    #[test]
    fn of_several_gpus_the_busiest_the_sums_and_the_hottest_are_flat() {
        let machine = Reading {
            gpus: vec![
                gpu("A", 10.0, 1_500_000_000, Some(50.0), 40.0),
                gpu("B", 90.0, 2_000_000_000, None, 71.5),
            ],
            ..Reading::default()
        };
        let two = sample(0.0, &origin(), &seen(machine));
        assert_eq!(two.gpu_device_util, Some(90.0));
        assert_eq!(two.gpu_mem_used_gb, Some(3.5));
        assert_eq!(two.gpu_power_w, Some(50.0));
        assert_eq!(two.gpu_temp_c, Some(71.5));
        let each = two.gpus.unwrap();
        assert_eq!(each.len(), 2);
        assert_eq!((each[1].name.as_deref(), each[1].power_w), (Some("B"), None));
    }
}
