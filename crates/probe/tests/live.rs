//! The machine that the tests run on, whichever it is.
#![cfg(any(target_os = "linux", target_os = "macos"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use probe::{Machine, Tree, zombies};

/// A shell that is killed and waited for when the test ends, as it may.
struct Shell(Child);

impl Shell {
    fn run(script: &str) -> Shell {
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Shell(child)
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// The first line that it prints, as a process number.
    fn first_line(&mut self) -> i32 {
        let mut line = String::new();
        let out = self.0.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill(pid: i32) {
    let status = Command::new("kill").arg(pid.to_string()).status();
    assert!(status.unwrap().success());
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

/// Waits until `done`, at most five seconds.
fn eventually(mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn two_reads_give_plausible_numbers() {
    let mut machine = Machine::open();
    let first = machine.read();
    assert_eq!(first.cpu, None, "there is nothing to compare with yet");
    std::thread::sleep(Duration::from_millis(120));
    let second = machine.read();

    let total = second.ram_total_bytes.unwrap();
    assert!(total > 256 << 20);
    assert!(second.ram_free_bytes.unwrap() <= total);
    assert!(second.ram_used_bytes.unwrap() <= total);
    assert!(second.swap_used_bytes.unwrap() <= second.swap_total_bytes.unwrap());
    assert!(second.load.unwrap().iter().all(|load| *load >= 0.0));
    let cpu = second.cpu.unwrap();
    let sum = cpu.user_pct + cpu.sys_pct + cpu.idle_pct;
    assert!((0.0..=100.01).contains(&sum), "{cpu:?}");
    for gpu in &second.gpus {
        assert!(gpu.device_util_pct.is_none_or(|pct| pct <= 100.0));
        assert!(gpu.power_w.is_none_or(|watts| watts < 5_000.0));
    }
}

#[test]
fn the_profile_knows_the_machine() {
    let machine = Machine::open();
    let profile = machine.profile();
    assert!(profile.host.is_some());
    assert!(profile.kernel.is_some());
    assert!(profile.os.is_some());
    assert!(!profile.arch.is_empty());
    let (physical, logical) = (profile.cores_physical.unwrap(), profile.cores_logical.unwrap());
    assert!(1 <= physical && physical <= logical);
    assert_eq!(profile.ram_total_bytes, Machine::open().read().ram_total_bytes);
}

#[test]
fn every_quantity_is_found_or_missing_for_a_reason() {
    let machine = Machine::open();
    let sources = machine.sources();
    for quantity in [
        "ram_total_gb",
        "ram_free_gb",
        "ram_used_gb",
        "ram_wired_gb",
        "ram_compressed_gb",
        "swap_used_mb",
        "swap_total_mb",
        "memory_pressure",
        "memory_free_pct",
        "load_1",
        "load_5",
        "load_15",
        "cpu_user",
        "cpu_sys",
        "cpu_idle",
        "cpu_freq_mhz",
        "cpu_power_w",
        "cpu_temp_c",
        "ane_power_w",
        "dram_power_w",
        "gpu_device_util",
        "gpu_renderer_util",
        "gpu_tiler_util",
        "gpu_mem_used_gb",
        "gpu_power_w",
        "gpu_temp_c",
        "gpu_residency_pct",
        "gpu_freq_mhz",
        "thermal_level",
        "tree_rss_gb",
        "tree_pss_gb",
        "tree_footprint_gb",
        "tree_cpu_pct",
        "tree_procs",
        "tree_cpu_pct",
        "tree_incomplete",
        "zombies",
        "cgroup_limit_gb",
        "cgroup_used_gb",
        "cgroup_free_gb",
        "cgroup_swap_mb",
        "vm_stale",
    ] {
        let found = sources.found.iter().any(|found| found.quantity == quantity);
        let missing = sources.missing.iter().any(|missing| missing.quantity == quantity);
        assert!(found || missing, "nothing is said about {quantity}");
    }
    assert!(sources.found.iter().all(|found| !found.from.is_empty()));
    assert!(sources.missing.iter().all(|missing| !missing.why.is_empty()));
}

#[test]
fn what_is_said_to_be_found_is_measured() {
    let mut machine = Machine::open();
    let _ = machine.read();
    std::thread::sleep(Duration::from_millis(120));
    let reading = machine.read();
    let measured = [
        ("ram_total_gb", reading.ram_total_bytes.is_some()),
        ("ram_free_gb", reading.ram_free_bytes.is_some()),
        ("ram_used_gb", reading.ram_used_bytes.is_some()),
        ("ram_wired_gb", reading.ram_wired_bytes.is_some()),
        ("ram_compressed_gb", reading.ram_compressed_bytes.is_some()),
        ("swap_used_mb", reading.swap_used_bytes.is_some()),
        ("memory_pressure", reading.memory_pressure.is_some()),
        ("load_1", reading.load.is_some()),
        ("cpu_user", reading.cpu.is_some()),
        ("cpu_power_w", reading.cpu_power_w.is_some()),
        ("cpu_temp_c", reading.cpu_temp_c.is_some()),
        ("thermal_level", reading.thermal_level.is_some()),
        ("cgroup_used_gb", reading.cgroup.is_some()),
        ("cgroup_free_gb", reading.cgroup.is_some_and(|group| group.free_bytes.is_some())),
        ("cgroup_swap_mb", reading.cgroup.is_some_and(|group| group.swap_bytes.is_some())),
        ("vm_stale", reading.vm_stale.is_some()),
    ];
    for (quantity, is_measured) in measured {
        if cfg!(target_os = "macos") && quantity == "cpu_power_w" {
            // Published about every two seconds: see the next test.
            continue;
        }
        let found = machine.sources().found.iter();
        let is_found = found.clone().any(|found| found.quantity == quantity);
        assert_eq!(is_found, is_measured, "{quantity}");
    }
}

/// A real Mac only; the drivers publish power about every two seconds.
#[cfg(target_os = "macos")]
#[test]
fn what_ioreport_is_said_to_give_comes_within_a_few_seconds() {
    let mut machine = Machine::open();
    let mut seen = std::collections::HashSet::new();
    let all_seen = eventually(|| {
        let reading = machine.read();
        let gpu = reading.gpus.first();
        for (quantity, value) in [
            ("cpu_power_w", reading.cpu_power_w),
            ("dram_power_w", reading.dram_power_w),
            ("gpu_power_w", gpu.and_then(|gpu| gpu.power_w)),
            ("gpu_residency_pct", gpu.and_then(|gpu| gpu.residency_pct)),
        ] {
            assert!(value.is_none_or(|value| (0.0..1_000.0).contains(&value)), "{quantity}");
            let found = machine.sources().found.iter().any(|found| found.quantity == quantity);
            if value.is_some() == found {
                seen.insert(quantity);
            }
        }
        std::thread::sleep(Duration::from_millis(100));
        seen.len() == 4
    });
    assert!(all_seen, "only {seen:?} came, or were rightly missing");
}

#[test]
fn a_child_and_its_child_show_with_their_memory() {
    let mut shell = Shell::run("sleep 60 & echo $!; wait");
    let grandchild = shell.first_line();

    let mut whole = Tree::rooted_at(shell.pid());
    let reading = whole.read(true);
    let mut expected = vec![shell.pid(), grandchild];
    expected.sort_unstable();
    assert_eq!(reading.pids, expected);
    assert_eq!((reading.procs, reading.zombies), (2, 0));
    assert!(reading.rss_bytes.unwrap() > 100_000);
    if cfg!(target_os = "linux") {
        // On a busy machine the time for it may be over after the first process.
        let pss = std::iter::once(reading.pss_bytes)
            .chain(std::iter::repeat_with(|| whole.read(false).pss_bytes).take(100))
            .find_map(|pss| pss)
            .unwrap();
        assert!(pss > 0 && pss <= reading.rss_bytes.unwrap());
        assert_eq!(whole.read(false).pss_bytes, None, "not before the next deep read");
    } else {
        assert!(reading.footprint_bytes.unwrap() > 0);
    }

    let below = Tree::descendants_of(own_pid()).read(false);
    assert!(expected.iter().all(|pid| below.pids.contains(pid)));
    assert!(!below.pids.contains(&own_pid()));

    let under = Tree::descendants_of(shell.pid()).read(false);
    assert_eq!(under.pids, [grandchild]);
    kill(grandchild);
}

#[test]
fn a_tree_that_works_shows_with_its_share_of_the_cpu_also_after_it_ended() {
    // Processes that end, and one that stays, until its input does.
    let spin = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let script = format!("while :; do sh -c '{spin}'; done & {spin}; echo $!; read line");
    let mut shell = Shell::run(&script);
    let mut tree = Tree::descendants_of(own_pid());
    assert_eq!(tree.read(true).cpu_pct, None, "nothing to compare with");
    let worker = shell.first_line();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(tree.read(false).cpu_pct, None);
    let busy = tree.read(true).cpu_pct.unwrap();
    assert!(busy > 1.0 && busy <= 100.0, "{busy}");

    kill(worker);
    drop(shell.0.stdin.take());
    shell.0.wait().unwrap();
    let ended = tree.read(true).cpu_pct;
    assert!(ended.is_none_or(|pct| (0.0..=100.0).contains(&pct)), "{ended:?}");
}

#[test]
fn a_process_started_later_shows_in_one_of_the_next_two_reads() {
    let mut shell = Shell::run("read line; sleep 60 & echo $!; wait");
    let mut tree = Tree::rooted_at(shell.pid());
    for _ in 0..5 {
        assert_eq!(tree.read(false).pids, [shell.pid()]);
    }
    // The shell reads to the end of its input, and goes on.
    drop(shell.0.stdin.take());
    let late = shell.first_line();
    let seen = [tree.read(false), tree.read(false)];
    assert!(seen.iter().any(|reading| reading.pids.contains(&late)));
    kill(late);
}

#[test]
fn a_wide_tree_is_whole_and_its_newcomers_are_found() {
    let script = "i=0; while [ $i -lt 50 ]; do sleep 60 & i=$((i+1)); done; echo $$; \
                  read line; sleep 60 & wait";
    let mut shell = Shell::run(script);
    shell.first_line();
    let mut tree = Tree::rooted_at(shell.pid());
    assert_eq!(tree.read(false).procs, 51);
    assert_eq!(tree.read(true).procs, 51);
    drop(shell.0.stdin.take());
    assert!(eventually(|| tree.read(false).procs == 52));
    let sleeps = tree.read(false).pids;
    for pid in sleeps.into_iter().filter(|pid| *pid != shell.pid()) {
        kill(pid);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_processes_of_a_large_tree_are_asked_in_turn_until_all_have_answered() {
    let script = "i=0; while [ $i -lt 300 ]; do sleep 60 & i=$((i+1)); done; echo $$; wait";
    let mut shell = Shell::run(script);
    shell.first_line();
    let mut tree = Tree::rooted_at(shell.pid());
    let mut sums = Vec::new();
    let mut pids = Vec::new();
    for read in 0..600 {
        let reading = tree.read(read == 0);
        assert_eq!(reading.procs, 301);
        sums.extend(reading.pss_bytes.zip(reading.rss_bytes));
        pids = reading.pids;
    }
    for pid in pids.into_iter().filter(|pid| *pid != shell.pid()) {
        kill(pid);
    }
    let [(pss, rss)] = sums[..] else { panic!("one sum for one deep read: {sums:?}") };
    assert!(pss > 301 * 4096 && pss < rss, "{pss} of {rss}");
}

#[test]
fn an_orphan_stays_in_the_tree_in_which_it_was_seen() {
    let mut shell = Shell::run("sleep 60 & echo $!; read line");
    let orphan = shell.first_line();
    let mut tree = Tree::rooted_at(shell.pid());
    assert_eq!(tree.read(false).procs, 2);
    drop(shell.0.stdin.take());
    shell.0.wait().unwrap();
    for deep in [false, true] {
        assert_eq!(tree.read(deep).pids, [orphan]);
    }
    kill(orphan);
    assert!(eventually(|| tree.read(false).procs == 0));
}

#[test]
fn a_child_that_nobody_waited_for_is_a_zombie() {
    let mut shell = Shell::run("exit 0");
    let mut tree = Tree::rooted_at(shell.pid());
    assert!(eventually(|| tree.read(false).zombies == 1));
    let reading = tree.read(false);
    assert_eq!((reading.procs, reading.rss_bytes), (0, Some(0)));
    assert_eq!(reading.pids, [shell.pid()]);
    assert!(zombies().unwrap() >= 1);

    shell.0.wait().unwrap();
    let reading = tree.read(false);
    assert_eq!((reading.procs, reading.zombies), (0, 0));
    assert!(reading.pids.is_empty());
}

#[test]
fn processes_that_come_and_go_are_never_an_error() {
    let shell = Shell::run("i=0; while [ $i -lt 300 ]; do true & true | true; i=$((i+1)); done");
    let mut tree = Tree::rooted_at(shell.pid());
    let mut read = 0;
    let ended = eventually(|| {
        let reading = tree.read(read % 3 == 0);
        read += 1;
        assert!(reading.rss_bytes.is_some());
        reading.procs == 0 && reading.zombies == 1
    });
    assert!(ended || read > 100);
    assert!(zombies().is_some());
}

#[test]
fn a_process_that_does_not_exist_has_an_empty_tree() {
    let reading = Tree::rooted_at(i32::MAX).read(true);
    assert_eq!((reading.procs, reading.zombies), (0, 0));
    assert!(reading.pids.is_empty());
    assert!(Tree::descendants_of(-1).read(false).pids.is_empty());
}
