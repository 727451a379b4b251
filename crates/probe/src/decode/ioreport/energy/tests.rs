//! What a counter of energy may do, and what power may be said of it.

use super::*;
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn counter(name: &str, unit: &str, count: i64, stamp_ns: Option<u64>) -> Channel {
    Channel {
        group: ENERGY.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        stamp_ns,
        value: Value::Count(count),
        ..Channel::default()
    }
}

/// Reads `(at, stamp, count)` in milliseconds one after another.
fn watts(part: Part, name: &str, unit: &str, reads: &[(u64, u64, i64)]) -> Vec<Option<f64>> {
    let mut meter = Meter::new(part);
    let read = |(at, stamp, count): &(u64, u64, i64)| {
        let channels = vec![counter(name, unit, *count, Some(stamp * MS))];
        meter.read(&Sample { at_ns: at * MS, channels })
    };
    reads.iter().map(read).collect()
}

fn cpu(reads: &[(u64, u64, i64)]) -> Vec<Option<f64>> {
    watts(Part::Cpu, "CPU Energy", "mJ", reads)
}

#[test]
fn only_totals_are_known_and_only_the_largest_pieces_are_taken() {
    for (name, expected) in [
        ("CPU Energy", Some((Part::Cpu, 0))),
        ("DIE_1_CPU Energy", Some((Part::Cpu, 1))),
        ("GPU Energy", Some((Part::Gpu, 0))),
        ("GPU0", Some((Part::Gpu, 1))),
        ("GPU0_0", Some((Part::Gpu, 2))),
        ("ANE", Some((Part::Ane, 0))),
        ("ANE0_1", Some((Part::Ane, 2))),
        ("DRAM0", Some((Part::Dram, 1))),
        ("DIE_0_EACC_CPU0", None),
        ("DIE_x_CPU Energy", None),
        ("ECPU", None),
        ("PCPUDTL010", None),
        ("MCPU0_0_SRAM", None),
        ("GPU", None),
        ("GPU SRAM0_0", None),
        ("GPU CS0_0", None),
        ("ANE0_SRAM", None),
        ("DCS0", None),
        ("apciec0 Energy", None),
    ] {
        assert_eq!(Part::of(name), expected, "{name}");
    }
    let channels = ["DIE_0_CPU Energy", "CPU Energy", "DIE_1_CPU Energy"]
        .map(|name| counter(name, "mJ", 1, None));
    let names =
        |channels| counters(Part::Cpu, channels).map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&channels), ["CPU Energy"]);
    assert_eq!(names(&channels[2..]), ["DIE_1_CPU Energy"]);
    assert!(names(&[]).is_empty());
}

#[test]
fn a_batch_is_divided_by_the_time_between_the_stamps_and_told_once() {
    let read = cpu(&[
        (1_000, 500, 10_000),
        (1_200, 500, 10_000),
        (2_600, 2_500, 14_000),
        (2_800, 2_500, 14_000),
        (4_700, 4_500, 15_000),
    ]);
    assert_eq!(read, [None, None, Some(2.0), None, Some(0.5)]);
}

#[test]
fn the_tail_of_a_batch_is_no_spike_but_part_of_the_next() {
    let read =
        cpu(&[(0, 0, 1), (2_100, 2_000, 4_001), (2_200, 2_020, 4_101), (4_100, 4_000, 8_001)]);
    assert_eq!(read, [None, Some(2.0), None, Some(2.0)]);
}

#[test]
fn a_cpu_that_counts_nothing_is_not_counted_and_a_gpu_may_rest() {
    let frozen = [(0, 0, 9), (2_000, 2_000, 9), (14_000, 14_000, 9), (16_000, 16_000, 4_009)];
    assert_eq!(cpu(&frozen), [None; 4], "frozen for more than 10 s");
    let late = [(0, 0, 9), (2_000, 2_000, 9), (4_000, 4_000, 4_009)];
    assert_eq!(cpu(&late), [None, None, Some(1.0)]);
    let gpu = watts(Part::Gpu, "GPU Energy", "nJ", &frozen);
    assert_eq!(gpu, [None, Some(0.0), Some(0.0), Some(2e-6)]);
    let never = watts(Part::Ane, "ANE0", "mJ", &[(0, 0, 0), (2_000, 2_000, 0)]);
    assert_eq!(never, [None, None], "a counter that never counted says nothing");
}

#[test]
fn dies_are_added_up_once_all_have_published() {
    let mut meter = Meter::new(Part::Cpu);
    let mut read = |at: u64, dies: [(u64, i64); 2]| {
        let die = |n: usize| {
            let (stamp, count) = dies[n];
            counter(&format!("DIE_{n}_CPU Energy"), "mJ", count, Some(stamp * MS))
        };
        meter.read(&Sample { at_ns: at * MS, channels: vec![die(0), die(1)] })
    };
    assert_eq!(read(100, [(0, 1), (0, 1)]), None);
    assert_eq!(read(2_100, [(2_000, 4_001), (0, 1)]), None);
    assert_eq!(read(2_200, [(2_000, 4_001), (2_000, 1_001)]), Some(2.5));
    assert_eq!(read(2_300, [(2_000, 4_001), (2_000, 1_001)]), None);
}

#[test]
fn without_a_usable_stamp_only_the_live_counter_is_read() {
    for stamp in [None, Some(u64::MAX)] {
        for (part, name, expected) in [(Part::Gpu, LIVE, Some(3.0)), (Part::Dram, "DRAM0", None)] {
            let mut meter = Meter::new(part);
            let mut read = |at: u64, count| {
                let channels = vec![counter(name, "uJ", count, stamp)];
                meter.read(&Sample { at_ns: at * MS, channels })
            };
            assert_eq!(read(0, 1), None);
            assert_eq!(read(200, 600_001), expected, "{name}");
        }
    }
}

#[test]
fn what_began_anew_or_has_no_known_unit_gives_no_power() {
    assert_eq!(
        cpu(&[(0, 0, 90), (2_000, 2_000, 10), (4_000, 4_000, 2_010)]),
        [None, None, Some(1.0)]
    );
    assert_eq!(cpu(&[(9_000, 9_000, 1), (9_500, 100, 50)]), [None, None]);
    assert_eq!(watts(Part::Cpu, "CPU Energy", "kJ", &[(0, 0, 1), (2_000, 2_000, 9)]), [None, None]);
}

#[test]
fn the_reason_names_what_is_wrong() {
    let why = |channel: Channel| unreadable(Part::Dram, &[channel]);
    assert_eq!(why(counter("DRAM0", "mJ", 1, Some(1))), None);
    assert!(why(counter("DCS0", "mJ", 1, Some(1))).unwrap().contains("no energy counter"));
    assert!(why(counter("DRAM0", "kJ", 1, Some(1))).unwrap().contains("unit"));
    assert!(why(counter("DRAM0", "mJ", 0, Some(1))).unwrap().contains("since boot"));
    assert!(why(counter("DRAM0", "mJ", 1, None)).unwrap().contains("when"));
}

proptest! {
    /// A steady load, published whenever the driver likes and looked at
    /// whenever we like, is that load in every reading.
    #[test]
    fn a_steady_load_reads_the_same_whatever_the_cadence(
        milliwatt in 100_i64..40_000,
        spans in proptest::collection::vec(5_u64..2_300, 1..60),
        poll in 20_u64..7_000,
    ) {
        let mut published = vec![0_u64];
        for span in spans {
            published.push(published[published.len() - 1] + span);
        }
        let end = published[published.len() - 1];
        let reads: Vec<_> = (0..=end / poll)
            .map(|n| {
                let at = n * poll;
                let stamp = published[published.partition_point(|p| *p <= at) - 1];
                // In nanojoules the counter's own rounding is far below the tolerance.
                (at, stamp, 1 + milliwatt * stamp as i64 * 1_000)
            })
            .collect();
        for watts in watts(Part::Cpu, "CPU Energy", "nJ", &reads).into_iter().flatten() {
            prop_assert!((watts - milliwatt as f64 / 1e3).abs() < 1e-6, "{watts} W");
        }
    }

    /// Whatever the load, the energy in all readings is the energy counted.
    #[test]
    fn no_energy_is_lost_or_counted_twice(
        batches in proptest::collection::vec((1_u64..2_300, 0_i64..90_000), 1..40),
    ) {
        let (mut at, mut count) = (0, 1);
        let mut reads = vec![(at, at, count)];
        for (span, energy) in batches {
            at += span;
            count += energy;
            reads.push((at, at, count));
        }
        let (mut told, mut begin) = (0.0, 0);
        let mut counted = 0;
        for (watts, (at, _, count)) in watts(Part::Gpu, LIVE, "mJ", &reads).into_iter().zip(&reads) {
            if let Some(watts) = watts {
                told += watts * (at - begin) as f64;
                (begin, counted) = (*at, count - 1);
            }
        }
        prop_assert!((told - counted as f64).abs() < 1e-6 * (1.0 + counted as f64));
    }

    #[test]
    fn no_counter_makes_it_panic(reads: Vec<(u64, i64, Option<u64>)>) {
        for part in Part::ALL {
            let mut meter = Meter::new(part);
            for (at_ns, count, stamp) in &reads {
                let channels = vec![counter("CPU Energy", "mJ", *count, *stamp), counter(LIVE, "nJ", *count, *stamp)];
                if let Some(watts) = meter.read(&Sample { at_ns: *at_ns, channels }) {
                    prop_assert!(watts >= 0.0);
                }
            }
        }
    }
}
