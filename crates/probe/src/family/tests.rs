//! Made-up processes that are born, orphaned and end between two looks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy)]
struct Process {
    parent: i32,
    birth: Birth,
    state: State,
    cpu: CpuTime,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Runs,
    Zombie,
    Hidden,
}

/// A system with launchd; processes by their numbers.
#[derive(Clone, Default)]
struct System(Rc<RefCell<Kernel>>);

#[derive(Default)]
struct Kernel {
    processes: BTreeMap<i32, Process>,
    last_id: u64,
    forgets_births: bool,
    cores_ns: u64,
}

/// Of every process: its number in pages.
const PAGE: u64 = 4096;

impl System {
    fn new() -> System {
        let system = System::default();
        system.start(FIRST, 0);
        system
    }

    fn start(&self, pid: i32, parent: i32) {
        let mut kernel = self.0.borrow_mut();
        kernel.last_id += 1;
        let by = kernel.processes.get(&parent).map_or(0, |parent| parent.birth.id);
        let birth = Birth { id: kernel.last_id, parent: by };
        kernel
            .processes
            .insert(pid, Process { parent, birth, state: State::Runs, cpu: CpuTime::default() });
    }

    fn end(&self, pid: i32) {
        let mut kernel = self.0.borrow_mut();
        kernel.processes.remove(&pid);
        for child in kernel.processes.values_mut().filter(|child| child.parent == pid) {
            child.parent = FIRST;
        }
    }

    fn set(&self, pid: i32, state: State) {
        self.0.borrow_mut().processes.get_mut(&pid).unwrap().state = state;
    }

    /// Works for `own`, and waits for children that worked for `waited`.
    fn work(&self, pid: i32, own: u64, waited: u64) {
        let mut kernel = self.0.borrow_mut();
        let cpu = &mut kernel.processes.get_mut(&pid).unwrap().cpu;
        *cpu = CpuTime { own: cpu.own + own, waited: cpu.waited + waited };
    }

    fn pass(&self, cores_ns: u64) {
        self.0.borrow_mut().cores_ns += cores_ns;
    }

    fn below(&self, root: i32) -> Family<System> {
        Family::new(self.clone(), root, false)
    }
}

impl Processes for System {
    fn cores_ns(&self) -> Option<u64> {
        Some(self.0.borrow().cores_ns)
    }

    fn usage(&self, pid: i32) -> Result<Usage, NoUsage> {
        let kernel = self.0.borrow();
        let process = kernel.processes.get(&pid).ok_or(NoUsage::Gone)?;
        if process.state == State::Hidden {
            return Err(NoUsage::Hidden);
        }
        let pages = u64::try_from(pid).unwrap();
        Ok(Usage {
            start: process.birth.id * 10,
            ended: false,
            rss_bytes: pages * PAGE,
            footprint_bytes: 2 * pages * PAGE,
            cpu_ns: Some(process.cpu),
        })
    }

    fn is_zombie(&self, pid: i32) -> Option<bool> {
        Some(self.0.borrow().processes.get(&pid)?.state == State::Zombie)
    }

    fn birth(&self, pid: i32) -> Option<Birth> {
        let kernel = self.0.borrow();
        Some(kernel.processes.get(&pid)?.birth).filter(|_| !kernel.forgets_births)
    }

    fn children(&self, pid: i32, into: &mut Vec<i32>) {
        let kernel = self.0.borrow();
        into.clear();
        into.extend(
            kernel.processes.iter().filter(|(_, child)| child.parent == pid).map(|(pid, _)| pid),
        );
    }
}

fn pids(mut reading: TreeReading) -> Vec<i32> {
    reading.pids.sort_unstable();
    reading.pids
}

#[test]
fn the_tree_is_all_below_the_root_and_its_sums() {
    let system = System::new();
    for (pid, parent) in [(10, FIRST), (11, 10), (12, 11), (13, 10), (20, FIRST)] {
        system.start(pid, parent);
    }
    system.set(12, State::Zombie);
    let reading = system.below(10).read(true);
    assert_eq!((reading.procs, reading.zombies, reading.incomplete), (2, 1, Some(false)));
    assert_eq!(reading.rss_bytes, Some(24 * PAGE));
    assert_eq!(reading.footprint_bytes, Some(48 * PAGE));
    assert_eq!(pids(reading), [11, 12, 13]);
    let with_root = Family::new(system, 10, true).read(false);
    assert_eq!((with_root.procs, with_root.incomplete), (3, None));
}

#[test]
fn a_process_of_another_user_is_counted_and_makes_the_sums_unknown() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    system.set(11, State::Hidden);
    let reading = system.below(10).read(false);
    assert_eq!((reading.procs, reading.rss_bytes, reading.footprint_bytes), (1, None, None));
}

#[test]
fn the_time_of_the_tree_is_told_by_deep_reads_with_that_of_children_that_have_ended() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    let mut tree = system.below(10);
    assert_eq!(tree.read(true).cpu_pct, None, "nothing to compare with");
    // The root's own work is not the tree's, but what it waited for is.
    system.work(10, 500, 100);
    system.work(11, 200, 50);
    system.pass(1000);
    assert_eq!(tree.read(false).cpu_pct, None);
    assert_eq!(tree.read(true).cpu_pct, Some(35.0));
    system.end(11);
    system.work(10, 0, 260);
    system.pass(1000);
    assert_eq!(tree.read(true).cpu_pct, Some(1.0));
}

#[test]
fn where_a_process_may_not_be_asked_the_time_of_the_tree_is_unknown() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    let mut tree = Family::new(system.clone(), 10, true);
    let _ = tree.read(true);
    system.set(11, State::Hidden);
    for _ in 0..2 {
        system.pass(1000);
        assert_eq!(tree.read(true).cpu_pct, None);
    }
    system.set(11, State::Runs);
    system.pass(1000);
    assert_eq!(tree.read(true).cpu_pct, None, "nothing to compare with");
    system.work(10, 10, 0);
    system.pass(1000);
    assert_eq!(tree.read(true).cpu_pct, Some(1.0));
}

#[test]
fn an_orphan_that_was_seen_before_stays() {
    let system = System::new();
    for (pid, parent) in [(10, FIRST), (11, 10), (12, 11)] {
        system.start(pid, parent);
    }
    let mut tree = system.below(10);
    assert_eq!(pids(tree.read(false)), [11, 12]);
    system.end(11);
    system.start(13, 12);
    assert_eq!(pids(tree.read(false)), [12, 13]);
}

#[test]
fn an_orphan_that_was_never_seen_is_found_by_who_started_it() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    let mut tree = system.below(10);
    assert_eq!(pids(tree.read(false)), [11]);
    // Started and orphaned between two looks, with a child of its own.
    system.start(12, 11);
    system.start(13, 12);
    system.end(11);
    assert_eq!(pids(tree.read(false)), [0; 0], "nobody asked launchd");
    let deep = tree.read(true);
    assert_eq!(deep.incomplete, Some(false));
    assert_eq!(pids(deep), [12, 13]);
    assert_eq!(pids(tree.read(false)), [12, 13]);
}

#[test]
fn an_orphan_of_a_process_that_was_never_seen_makes_the_tree_incomplete_while_it_runs() {
    let system = System::new();
    system.start(10, FIRST);
    let mut tree = system.below(10);
    assert_eq!(tree.read(true).incomplete, Some(false));
    system.start(11, 10);
    system.start(12, 11);
    system.end(11);
    let reading = tree.read(true);
    assert_eq!((reading.procs, reading.incomplete), (0, Some(true)));
    system.end(12);
    assert_eq!(tree.read(true).incomplete, Some(false));
}

#[test]
fn services_and_older_orphans_are_nobodys_business() {
    let system = System::new();
    system.start(5, FIRST);
    system.start(6, 5);
    system.end(5);
    system.start(10, FIRST);
    let mut tree = system.below(10);
    tree.read(true);
    system.start(20, FIRST);
    let reading = tree.read(true);
    assert_eq!((reading.procs, reading.incomplete), (0, Some(false)));
}

#[test]
fn a_number_given_out_again_is_another_process() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    let mut tree = system.below(10);
    assert_eq!(tree.read(true).procs, 1);
    system.end(11);
    system.start(11, FIRST);
    assert_eq!(tree.read(true).procs, 0);
    system.end(10);
    system.start(10, FIRST);
    system.start(12, 10);
    assert_eq!(tree.read(true).procs, 0, "nor is the root's");
}

#[test]
fn where_the_kernel_tells_no_births_nothing_is_said_of_orphans() {
    let system = System::new();
    system.start(10, FIRST);
    system.start(11, 10);
    system.0.borrow_mut().forgets_births = true;
    let reading = system.below(10).read(true);
    assert_eq!((reading.procs, reading.incomplete), (1, None));
}

proptest! {
    /// Whatever starts and ends: with a deep look at every step, the tree is
    /// all that descends from the root by birth, or is said to be incomplete.
    #[test]
    fn the_tree_is_whole_or_said_not_to_be(
        steps in proptest::collection::vec((0_usize..8, 0_usize..8, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let system = System::new();
        system.start(10, FIRST);
        let mut tree = system.below(10);
        let mut descends = std::collections::HashSet::from([system.birth(10).unwrap().id]);
        tree.read(true);
        for (n, (from, which, ends, looks)) in steps.into_iter().enumerate() {
            let all: Vec<i32> = system.0.borrow().processes.keys().copied().filter(|pid| *pid != FIRST).collect();
            if ends {
                let pid = all[which % all.len()];
                if pid != 10 {
                    system.end(pid);
                }
            } else {
                let parent = [&all[..], &[FIRST]].concat()[from % (all.len() + 1)];
                let pid = 100 + i32::try_from(n).unwrap();
                system.start(pid, parent);
                let birth = system.birth(pid).unwrap();
                if descends.contains(&birth.parent) {
                    descends.insert(birth.id);
                }
            }
            if !looks {
                continue;
            }
            let reading = tree.read(true);
            let incomplete = reading.incomplete.unwrap();
            let found = pids(reading);
            for (pid, process) in &system.0.borrow().processes {
                let ours = descends.contains(&process.birth.id) && *pid != 10;
                let is_found = found.contains(pid);
                prop_assert!(!is_found || ours, "{pid} is a stranger's");
                prop_assert!(is_found || !ours || incomplete, "{pid} is lost and nobody says so");
            }
        }
    }
}
