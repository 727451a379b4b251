//! What each chip's IOReport channels come to.
//!
//! No dump of these channels was to be had, so the captures are made up: names
//! and units as reported for the chip, invented numbers. They pin down which
//! channels count on which chip, not what a chip draws.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use probe::Replay;
use probe::decode::dvfs;
use probe::decode::ioreport::activity::{self, Active};
use probe::decode::ioreport::energy::{Meter, Part, counters, unreadable};
use probe::decode::ioreport::{Sample, text};

macro_rules! chip {
    ($name:literal) => {
        Chip {
            samples: text::parse(include_str!(concat!("data/macos/ioreport-", $name, ".txt"))),
            freqs_mhz: None,
        }
    };
    ($name:literal with frequencies) => {
        Chip {
            freqs_mhz: dvfs::parse_ioreg(include_str!(concat!("data/macos/pmgr-", $name, ".txt")))
                .and_then(|bytes| dvfs::frequencies_mhz(&bytes)),
            ..chip!($name)
        }
    };
}

/// Two samples a little over 2 s apart, and the GPU's frequencies.
struct Chip {
    samples: Vec<Sample>,
    freqs_mhz: Option<Vec<f64>>,
}

impl Chip {
    /// Watts of CPU, GPU, neural engine and memory.
    fn watts(&self) -> [Option<f64>; 4] {
        Part::ALL.map(|part| {
            let mut meter = Meter::new(part);
            assert_eq!(meter.read(&self.samples[0]), None, "nothing to compare with yet");
            meter.read(&self.samples[1]).map(|watts| (watts * 1e3).round() / 1e3)
        })
    }

    fn active(&self) -> Option<Active> {
        let mut meter = activity::Meter::default();
        let freqs = self.freqs_mhz.as_deref().unwrap_or_default();
        assert_eq!(meter.read(&self.samples[0], freqs), None);
        meter.read(&self.samples[1], freqs)
    }

    fn counters(&self, part: Part) -> Vec<&str> {
        counters(part, &self.samples[0].channels).map(|channel| channel.name.as_str()).collect()
    }
}

fn active(residency_pct: f64, freq_mhz: f64) -> Option<Active> {
    Some(Active { residency_pct, freq_mhz: Some(freq_mhz) })
}

#[test]
fn m1_has_plain_names_beside_its_clusters_and_telemetry() {
    let chip = chip!("m1" with frequencies);
    assert_eq!(chip.watts(), [Some(4.2), Some(8.0), Some(0.0), Some(0.9)]);
    assert_eq!(chip.active(), active(40.0, 927.0));
    assert_eq!(chip.counters(Part::Ane), ["ANE"]);
}

#[test]
fn m1_ultra_adds_up_its_dies_and_counts_the_gpu_once() {
    let chip = chip!("m1ultra" with frequencies);
    assert_eq!(chip.watts(), [Some(17.0), Some(30.0), Some(0.5), Some(3.9)]);
    assert_eq!(chip.active(), active(100.0, 1296.0));
    assert_eq!(chip.counters(Part::Cpu), ["DIE_0_CPU Energy", "DIE_1_CPU Energy"]);
    assert_eq!(chip.counters(Part::Dram), ["DRAM0_0", "DRAM0_1"]);
}

#[test]
fn m2_max_numbers_its_blocks() {
    let chip = chip!("m2max" with frequencies);
    assert_eq!(chip.watts(), [Some(11.0), Some(20.0), Some(0.0), Some(3.0)]);
    assert_eq!(chip.active(), active(75.0, 1368.0));
}

#[test]
fn m3_pro_with_an_idle_gpu_is_at_0_watts_and_no_frequency() {
    let chip = chip!("m3pro" with frequencies);
    assert_eq!(chip.watts(), [Some(6.0), Some(0.0), Some(1.5), Some(1.2)]);
    assert_eq!(chip.active(), Some(Active { residency_pct: 0.0, freq_mhz: None }));
}

#[test]
fn m4_has_its_table_in_kilohertz_and_more_states_than_entries() {
    let chip = chip!("m4" with frequencies);
    assert_eq!(chip.freqs_mhz, Some(vec![338.0, 618.0, 796.0]));
    assert_eq!(chip.watts(), [Some(9.5), Some(12.5), Some(0.0), Some(1.1)]);
    assert_eq!(chip.active(), active(80.0, 567.0));
}

#[test]
fn m5_max_has_new_clusters_under_the_same_total() {
    let chip = chip!("m5max" with frequencies);
    assert_eq!(chip.watts(), [Some(36.0), Some(40.0), Some(0.0), Some(6.0)]);
    assert_eq!(chip.active(), active(100.0, 1128.0));
    assert_eq!(chip.counters(Part::Cpu), ["CPU Energy"]);
}

#[test]
fn a_dump_of_a_mac_is_played_back_with_its_power_and_states() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name, text| std::fs::write(dir.path().join(name), text).unwrap();
    file("ioreg.txt", include_str!("data/macos/pmgr-m1ultra.txt"));
    file("ioreport.txt", include_str!("data/macos/ioreport-m1ultra.txt"));
    let replay = Replay::open(dir.path()).unwrap();
    let reading = &replay.readings[0];
    let [gpu] = &reading.gpus[..] else { panic!("one GPU") };
    assert_eq!(replay.profile.gpus.len(), 1);
    assert_eq!((gpu.residency_pct, gpu.freq_mhz), (Some(100.0), Some(1296.0)));
    let watts = [reading.cpu_power_w, gpu.power_w, reading.ane_power_w, reading.dram_power_w];
    for (watts, expected) in watts.into_iter().zip([17.0, 30.0, 0.5, 3.9]) {
        assert!((watts.unwrap() - expected).abs() < 1e-3, "{watts:?} W");
    }
    let found: Vec<_> = replay.sources.found.iter().map(|found| found.quantity).collect();
    let quantities = ["gpu_residency_pct", "gpu_freq_mhz", "gpu_power_w"];
    assert!(quantities.iter().all(|quantity| found.contains(quantity)), "{found:?}");
    assert!(!found.contains(&"gpu_device_util"));
}

#[test]
fn without_the_frequency_table_the_residency_stands_alone() {
    let alone = Some(Active { residency_pct: 40.0, freq_mhz: None });
    assert_eq!(chip!("m1").active(), alone);
}

#[test]
fn a_system_that_zeroes_its_counters_has_no_power_and_says_why() {
    let chip = chip!("beta-zeroed");
    assert_eq!(chip.watts(), [None; 4]);
    assert_eq!(chip.active().unwrap().residency_pct, 50.0);
    for part in [Part::Cpu, Part::Gpu, Part::Dram] {
        let why = unreadable(part, &chip.samples[0].channels).unwrap();
        assert!(why.contains("since boot"), "{why}");
    }
    let ane = unreadable(Part::Ane, &chip.samples[0].channels);
    assert_eq!(ane, None, "it may have had nothing to do yet");
}

#[test]
fn a_virtual_machine_has_neither_power_nor_states_and_says_why() {
    let chip = chip!("vm");
    assert_eq!(chip.watts(), [None; 4]);
    assert_eq!(chip.active(), None);
    assert!(!activity::is_in(&chip.samples[0]));
    for part in Part::ALL {
        assert!(unreadable(part, &chip.samples[0].channels).is_some());
    }
}
