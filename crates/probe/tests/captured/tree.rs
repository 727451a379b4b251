//! Process trees with names and states of any kind.

use probe::{Processes, Roots, Tree, zombies_at};

use proptest::prelude::*;

use super::Fake;

/// 10 ─ 11 ─ 12 (zombie), 10 ─ 13; 1 and 20 do not belong.
fn family(fake: &Fake) {
    fake.process(1, "init", 'S', 0, 500);
    fake.process(10, "a) R 1 (b", 'S', 1, 100);
    fake.process(11, "python3 -m server", 'S', 10, 20);
    fake.process(12, "x", 'Z', 11, 0);
    fake.process(13, "((", 'S', 10, 3);
    fake.process(20, "other", 'S', 1, 7_000);
    fake.write("proc/not-a-process/stat", "");
}

fn page() -> u64 {
    let fake = Fake::new();
    fake.process(5, "one", 'S', 1, 1);
    Tree::at(&fake.roots(), 5, true).read(false).rss_bytes.unwrap()
}

fn check_family(roots: &Roots) {
    let reading = Tree::at(roots, 10, true).read(false);
    assert_eq!(reading.pids, [10, 11, 12, 13]);
    assert_eq!((reading.procs, reading.zombies), (3, 1));
    assert_eq!(reading.rss_bytes, Some(123 * page()));
    let below = Tree::at(roots, 10, false).read(false);
    assert_eq!(below.pids, [11, 12, 13]);
    assert_eq!(below.rss_bytes, Some(23 * page()));
}

#[test]
fn the_tree_is_found_by_parents_whatever_the_names() {
    let fake = Fake::new();
    family(&fake);
    check_family(&fake.roots());
    assert_eq!(zombies_at(&fake.roots()), Some(1));
}

#[test]
fn processes_that_end_leave_the_tree_and_new_ones_enter_it() {
    let fake = Fake::new();
    family(&fake);
    let mut tree = Tree::at(&fake.roots(), 10, true);
    assert_eq!(tree.read(false).pids, [10, 11, 12, 13]);
    // An open file outlives its directory, unless it is a process's: empty
    // it, so that it reads as one of a process without memory.
    fake.write("proc/13/statm", "0 0 0 0 0 0 0\n");
    std::fs::remove_dir_all(fake.path("proc/13")).unwrap();
    fake.process(30, "new", 'S', 11, 4);
    assert_eq!(tree.read(false).pids, [10, 11, 12, 30]);
}

#[test]
fn pss_is_the_sum_of_all_or_unknown() {
    let fake = Fake::new();
    family(&fake);
    for (pid, kib) in [(10, 400), (11, 80), (13, 12)] {
        fake.write(&format!("proc/{pid}/smaps_rollup"), format!("Rss: 1 kB\nPss: {kib} kB\n"));
    }
    let roots = fake.roots();
    // On a busy machine the time for it may be over before the last process.
    let pss = |begin| {
        let mut tree = Tree::at(&roots, 10, true);
        let first = tree.read(begin).pss_bytes;
        first.or_else(|| (0..4).find_map(|_| tree.read(false).pss_bytes))
    };
    assert_eq!(pss(true), Some(492 * 1024));
    assert_eq!(pss(false), None);
    std::fs::remove_file(fake.path("proc/13/smaps_rollup")).unwrap();
    assert_eq!(pss(true), None);
}

#[test]
fn the_trees_share_of_the_cpu_is_of_all_cores_and_holds_what_ended_processes_used() {
    let fake = Fake::new();
    let passed = |ticks: u64| {
        fake.write("proc/stat", format!("cpu  {ticks} 0 0 0 0 0 0 0 0 0\n"));
    };
    passed(10_000);
    fake.worker(10, "root", 'S', 1, 1, [900, 90, 0, 0]);
    fake.worker(11, "shell", 'S', 10, 1, [5, 5, 0, 0]);
    fake.worker(12, "model", 'R', 11, 1, [4000, 1000, 0, 0]);
    let roots = fake.roots();
    let mut below = Tree::at(&roots, 10, false);
    let mut whole = Tree::at(&roots, 10, true);
    let mut both = |deep| [below.read(deep).cpu_pct, whole.read(deep).cpu_pct];
    assert_eq!(both(true), [None, None]);

    passed(10_200);
    fake.worker(10, "root", 'S', 1, 1, [910, 100, 0, 0]);
    fake.worker(12, "model", 'R', 11, 1, [4030, 1020, 0, 0]);
    assert_eq!(both(false), [None, None]);
    assert_eq!(both(true), [Some(25.0), Some(35.0)]);

    // The shell waits for the model, which had used another 40 ticks.
    passed(10_400);
    fake.write("proc/12/statm", "0 0 0 0 0 0 0\n");
    std::fs::remove_dir_all(fake.path("proc/12")).unwrap();
    fake.worker(11, "shell", 'S', 10, 1, [5, 5, 4070, 1020]);
    assert_eq!(both(true), [Some(20.0), Some(20.0)]);

    fake.write("proc/stat", "");
    assert_eq!(both(true), [None, None]);
}

#[test]
fn zombies_are_unknown_where_processes_cannot_be_listed() {
    let fake = Fake::new();
    assert_eq!(zombies_at(&fake.roots()), None);
    std::fs::remove_dir(fake.path("proc")).unwrap();
    assert_eq!(zombies_at(&fake.roots()), None);
}

#[test]
fn one_look_at_the_processes_gives_the_tree_and_the_zombies_of_the_system() {
    let fake = Fake::new();
    family(&fake);
    fake.process(21, "left behind", 'Z', 20, 0);
    fake.write(
        "proc/2/stat",
        "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 5 0 0 99\n",
    );
    let tree = Tree::at(&fake.roots(), 10, true);
    let mut processes = Processes::open(Some(tree));
    let deep = processes.read(true);
    assert_eq!(deep.zombies, Some(2), "one in the tree, one outside");
    assert_eq!(deep.tree.unwrap().zombies, 1);
    assert_eq!(processes.read(false).zombies, None);

    // Both are waited for at last, and another one ends.
    fake.process(20, "other", 'Z', 1, 0);
    for pid in [12, 21] {
        std::fs::remove_dir_all(fake.path(&format!("proc/{pid}"))).unwrap();
    }
    fake.write("proc/20/statm", "0 0 0 0 0 0 0\n");
    let deep = processes.read(true);
    assert_eq!(deep.zombies, Some(1));
    assert_eq!(deep.tree.unwrap().pids, [10, 11, 13]);
}

#[test]
fn a_process_whose_parent_ended_before_it_could_be_asked_is_looked_at_again() {
    let fake = Fake::new();
    fake.process(1, "init", 'S', 0, 1);
    fake.process(10, "root", 'S', 1, 1);
    fake.process(12, "grandchild", 'S', 11, 1);
    let mut tree = Tree::at(&fake.roots(), 10, true);
    assert_eq!(tree.read(true).pids, [10]);
    // The kernel has given it to the tree's root, which takes orphans.
    fake.process(12, "grandchild", 'S', 10, 1);
    let _ = tree.read(true);
    assert_eq!(tree.read(true).pids, [10, 12]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any forest, of which a part is there at first and the rest comes later.
    #[test]
    fn the_members_are_those_whose_line_of_parents_leads_to_the_root(
        parents in proptest::collection::vec(0..1000_usize, 1..14),
        early in 0..14_usize,
        root in 0..14_usize,
    ) {
        // Process 100 + n has a parent among those before it, or none.
        let parent = |n: usize| (n > 0).then(|| parents[n] % (n + 1)).filter(|parent| *parent < n);
        let pid = |n: usize| 100 + i32::try_from(n).unwrap();
        let root = root % parents.len();
        let line = |n: usize| std::iter::successors(Some(n), |n| parent(*n));
        let members = |count: usize| -> Vec<i32> {
            (0..count).filter(|n| line(*n).any(|above| above == root)).map(pid).collect()
        };

        let fake = Fake::new();
        let start = |n: usize| fake.process(pid(n), "p", 'S', parent(n).map_or(0, pid), 1);
        let early = early.min(parents.len());
        (0..early).for_each(start);
        let mut tree = Tree::at(&fake.roots(), pid(root), true);
        prop_assert_eq!(tree.read(true).pids, members(early));
        (early..parents.len()).for_each(start);
        prop_assert_eq!(tree.read(true).pids, members(parents.len()));
    }
}
