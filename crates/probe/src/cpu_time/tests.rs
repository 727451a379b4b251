//! Made-up processes that work, end and are waited for, or not.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn counters(machine: u64, root_waited: u64, members: &[(u32, u64, u64)]) -> Option<Counters<u32>> {
    let time = |&(id, own, waited): &(u32, u64, u64)| (id, CpuTime { own, waited });
    Some(Counters { machine, root_waited, members: members.iter().map(time).collect() })
}

#[test]
fn the_share_is_of_all_cores_and_since_the_reading_before() {
    let mut meter = Meter::new();
    assert_eq!(meter.read(counters(1000, 0, &[(1, 500, 0)])), None, "nothing to compare with");
    assert_eq!(meter.read(counters(1200, 0, &[(1, 550, 0), (2, 30, 0)])), Some(40.0));
    assert_eq!(meter.read(counters(1400, 0, &[(1, 550, 0), (2, 30, 0)])), Some(0.0));
    assert_eq!(meter.read(counters(1400, 0, &[(1, 550, 0)])), None, "no time passed");
}

#[test]
fn children_that_come_and_go_between_two_readings_count_by_who_waited_for_them() {
    let mut meter = Meter::new();
    meter.read(counters(0, 0, &[(1, 10, 0)]));
    assert_eq!(meter.read(counters(100, 0, &[(1, 10, 70)])), Some(70.0));
    assert_eq!(meter.read(counters(200, 25, &[(1, 10, 70)])), Some(25.0), "adopted by the root");
}

#[test]
fn a_child_that_ended_counts_with_what_it_used_since_and_not_with_all_its_life() {
    let mut meter = Meter::new();
    meter.read(counters(0, 0, &[(1, 10, 0), (2, 5000, 300)]));
    assert_eq!(meter.read(counters(100, 0, &[(1, 10, 5340)])), Some(40.0));
    // Its parent ends too, and the root takes over both.
    assert_eq!(meter.read(counters(200, 5360, &[])), Some(10.0));
}

#[test]
fn where_nobody_waited_the_rest_counts_and_nothing_is_negative() {
    let mut meter = Meter::new();
    meter.read(counters(0, 0, &[(1, 10, 0), (2, 5000, 0)]));
    assert_eq!(meter.read(counters(100, 0, &[(1, 30, 0)])), Some(20.0));
    assert_eq!(meter.read(counters(200, 0, &[(1, 50, 0)])), Some(20.0));
}

#[test]
fn one_that_was_waited_for_while_being_read_is_made_up_for_in_the_next_reading() {
    let mut meter = Meter::new();
    meter.read(counters(0, 0, &[(1, 0, 0), (2, 5000, 0)]));
    // The parent was read first; then it waited, and the child was gone.
    assert_eq!(meter.read(counters(100, 0, &[(1, 0, 0)])), Some(0.0));
    assert_eq!(meter.read(counters(200, 0, &[(1, 0, 5030)])), Some(30.0), "and not 5030");
}

#[test]
fn after_a_reading_that_failed_there_is_nothing_to_compare_with() {
    let mut meter = Meter::new();
    meter.read(counters(0, 0, &[(1, 0, 0)]));
    assert_eq!(meter.read(None), None);
    assert_eq!(meter.read(counters(200, 0, &[(1, 100, 0)])), None);
    assert_eq!(meter.read(counters(300, 0, &[(1, 150, 0)])), Some(50.0));
}

#[derive(Debug, Clone)]
enum Step {
    /// One of the processes works.
    Works(usize, u64),
    /// One starts a child.
    Starts(usize),
    /// One ends: its parent waits, or its time is lost.
    Ends(usize, bool),
    Reads,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..50_usize, 0..20_u64).prop_map(|(which, time)| Step::Works(which, time)),
        (0..50_usize).prop_map(Step::Starts),
        (0..50_usize, prop::bool::weighted(0.8))
            .prop_map(|(which, waits)| Step::Ends(which, waits)),
        Just(Step::Reads),
    ]
}

proptest! {
    /// What is lost is left out; what is not is counted exactly, once.
    #[test]
    fn the_sum_of_all_readings_is_what_was_used(steps in prop::collection::vec(step(), 1..80)) {
        // Process 0 is the root, which is not in the tree.
        let mut running = BTreeMap::from([(0_u32, (CpuTime::default(), 0_u32))]);
        let (mut used, mut machine, mut next, mut lost) = (0_u64, 0_u64, 1_u32, false);
        let mut meter = Meter::new();
        meter.read(counters(0, 0, &[]));
        for step in steps.into_iter().chain([Step::Reads]) {
            let ids: Vec<u32> = running.keys().copied().collect();
            match step {
                Step::Works(which, time) => {
                    let id = ids[which % ids.len()];
                    running.get_mut(&id).unwrap().0.own += time;
                    used += if id == 0 { 0 } else { time };
                }
                Step::Starts(which) => {
                    running.insert(next, (CpuTime::default(), ids[which % ids.len()]));
                    next += 1;
                }
                Step::Ends(which, waits) => {
                    let id = ids[which % ids.len()];
                    if id == 0 {
                        continue;
                    }
                    let (time, parent) = running.remove(&id).unwrap();
                    for (_, above) in running.values_mut().filter(|(_, above)| *above == id) {
                        *above = 0;
                    }
                    if waits {
                        running.get_mut(&parent).unwrap().0.waited += time.all();
                    } else {
                        lost = true;
                    }
                }
                Step::Reads => {
                    machine += 10_000;
                    let root_waited = running[&0].0.waited;
                    let members: Vec<_> = running
                        .iter()
                        .filter(|(id, _)| **id != 0)
                        .map(|(id, (time, _))| (*id, time.own, time.waited))
                        .collect();
                    let pct = meter.read(counters(machine, root_waited, &members)).unwrap();
                    let measured = pct * 100.0;
                    prop_assert!(measured >= 0.0);
                    prop_assert!(measured <= used as f64 + 1e-6, "{measured} of {used}");
                    if !lost {
                        prop_assert!((measured - used as f64).abs() < 1e-6, "{measured} of {used}");
                    }
                    used = 0;
                }
            }
        }
    }
}
