//! Control groups, in both versions.

use super::{Fake, why};

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
