//! Control groups, in both versions.

use probe::Pressure;

use super::{Fake, from, why};

#[test]
fn the_tightest_group_of_version_2_gives_limit_and_use() {
    let fake = Fake::new();
    let base = "sys/fs/cgroup";
    fake.write("proc/self/cgroup", "0::/user.slice/work.slice/run.scope\n")
        .write(&format!("{base}/cgroup.controllers"), "cpu memory\n")
        .write(&format!("{base}/user.slice/memory.max"), "64000000000\n")
        .write(&format!("{base}/user.slice/memory.current"), "9000\n")
        .write(&format!("{base}/user.slice/work.slice/memory.max"), "32000000000\n")
        .write(&format!("{base}/user.slice/work.slice/memory.current"), "8000\n")
        .write(&format!("{base}/user.slice/work.slice/run.scope/memory.max"), "max\n")
        .write(&format!("{base}/user.slice/work.slice/run.scope/memory.current"), "7000\n");
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.limit_bytes, group.used_bytes), (Some(32_000_000_000), Some(8_000)));

    for path in ["user.slice", "user.slice/work.slice"] {
        fake.write(&format!("{base}/{path}/memory.max"), "max\n");
    }
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.limit_bytes, group.used_bytes), (None, Some(7_000)));
}

#[test]
fn in_a_container_the_mounts_root_is_the_group() {
    let fake = Fake::new();
    fake.write("proc/self/cgroup", "0::/docker/4f6a\n")
        .write("sys/fs/cgroup/cgroup.controllers", "memory\n")
        .write("sys/fs/cgroup/memory.max", "2147483648\n")
        .write("sys/fs/cgroup/memory.current", "1000000\n");
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.limit_bytes, group.used_bytes), (Some(2_147_483_648), Some(1_000_000)));
}

#[test]
fn version_1_calls_a_huge_number_no_limit() {
    let fake = Fake::new();
    let base = "sys/fs/cgroup/memory/jobs";
    fake.write("proc/self/cgroup", "4:memory:/jobs/one\n0::/\n")
        .write(&format!("{base}/one/memory.limit_in_bytes"), "9223372036854771712\n")
        .write(&format!("{base}/one/memory.usage_in_bytes"), "5000\n");
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.limit_bytes, group.used_bytes), (None, Some(5_000)));

    fake.write(&format!("{base}/memory.limit_in_bytes"), "1073741824\n")
        .write(&format!("{base}/memory.usage_in_bytes"), "6000\n");
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.limit_bytes, group.used_bytes), (Some(1_073_741_824), Some(6_000)));
}

#[test]
fn the_root_group_has_neither_limit_nor_use() {
    let fake = Fake::new();
    fake.write("proc/self/cgroup", "0::/\n").write("sys/fs/cgroup/cgroup.controllers", "memory\n");
    let mut machine = fake.open();
    assert_eq!(machine.read().cgroup, None);
    assert!(why(&machine, "cgroup_limit_gb").contains("root group"));
}

#[test]
fn what_a_container_has_left_counts_its_file_cache_and_its_swap_is_its_own() {
    let fake = Fake::new();
    fake.write("proc/self/cgroup", "0::/\n")
        .write("sys/fs/cgroup/cgroup.controllers", "memory\n")
        .write("sys/fs/cgroup/memory.max", "8000000000\n")
        .write("sys/fs/cgroup/memory.current", "7000000000\n")
        .write("sys/fs/cgroup/memory.swap.current", "12000000\n");
    let mut machine = fake.open();
    let group = machine.read().cgroup.unwrap();
    assert_eq!((group.free_bytes, group.swap_bytes), (None, Some(12_000_000)));
    assert!(why(&machine, "cgroup_free_gb").contains("memory.stat"));

    let stat = "anon 1000\nfile 9\ninactive_file 3000000000\nactive_file 500000000\nslab 7\n";
    fake.write("sys/fs/cgroup/memory.stat", stat);
    let mut machine = fake.open();
    assert_eq!(machine.read().cgroup.unwrap().free_bytes, Some(4_500_000_000));
    assert!(from(&machine, "cgroup_free_gb").contains("memory.stat"));
}

#[test]
fn in_version_1_swap_is_what_both_have_less_memory() {
    let fake = Fake::new();
    let group = "sys/fs/cgroup/memory/job";
    fake.write("proc/self/cgroup", "4:memory:/job\n")
        .write(&format!("{group}/memory.limit_in_bytes"), "1000000\n")
        .write(&format!("{group}/memory.usage_in_bytes"), "600000\n")
        .write(&format!("{group}/memory.memsw.usage_in_bytes"), "650000\n")
        .write(
            &format!("{group}/memory.stat"),
            "inactive_file 1\nactive_file 2\ntotal_inactive_file 100000\ntotal_active_file 50000\n",
        );
    let group = fake.open().read().cgroup.unwrap();
    assert_eq!((group.free_bytes, group.swap_bytes), (Some(550_000), Some(50_000)));
}

#[test]
fn a_group_without_a_limit_has_no_free_and_says_so() {
    let fake = Fake::new();
    fake.write("proc/self/cgroup", "0::/work\n")
        .write("sys/fs/cgroup/cgroup.controllers", "memory\n")
        .write("sys/fs/cgroup/work/memory.max", "max\n")
        .write("sys/fs/cgroup/work/memory.stat", "inactive_file 1\nactive_file 1\n")
        .write("sys/fs/cgroup/work/memory.current", "5\n");
    let mut machine = fake.open();
    assert_eq!(machine.read().cgroup.unwrap().free_bytes, None);
    assert!(why(&machine, "cgroup_free_gb").contains("no limit"));
    assert!(why(&machine, "cgroup_swap_mb").contains("memory.swap.current"));
}

#[test]
fn the_pressure_in_a_container_is_its_own() {
    let fake = Fake::new();
    let stalls = |path: &str, some: u64| {
        fake.write(path, format!("some avg10=0 total={some}\nfull avg10=0 total=0\n"));
    };
    fake.write("proc/self/cgroup", "0::/\n")
        .write("sys/fs/cgroup/cgroup.controllers", "memory\n")
        .write("sys/fs/cgroup/memory.max", "8000000000\n")
        .write("sys/fs/cgroup/memory.current", "7000000000\n");
    stalls("sys/fs/cgroup/memory.pressure", 0);
    stalls("proc/pressure/memory", 0);
    let mut machine = fake.open();
    assert_eq!(machine.read().memory_pressure, None);
    stalls("proc/pressure/memory", 60_000_000);
    assert_eq!(machine.read().memory_pressure, Some(Pressure::Normal));
    stalls("sys/fs/cgroup/memory.pressure", 60_000_000);
    assert_eq!(machine.read().memory_pressure, Some(Pressure::Warn));
    assert!(from(&machine, "memory_pressure").contains("fs/cgroup/memory.pressure"));
}
