//! Memory, pressure, CPU and profile; and a machine that has nothing.

use probe::Pressure;

use super::{Fake, why};

const MEMINFO: &str = include_str!("../data/linux/meminfo.txt");

#[test]
fn a_machine_without_files_measures_nothing_and_says_why() {
    let fake = Fake::new();
    let mut machine = fake.open();
    let _ = machine.read();
    assert_eq!(machine.read(), probe::Reading::default());
    assert!(why(&machine, "ram_free_gb").contains("meminfo"));
    assert!(why(&machine, "memory_pressure").contains("psi=0"));
    assert!(why(&machine, "gpu_device_util").contains("no GPU driver loaded"));
    assert!(why(&machine, "cgroup_limit_gb").contains("cgroup"));
}

#[test]
fn cpu_shares_are_about_the_time_between_two_reads() {
    let fake = Fake::new();
    fake.write("proc/stat", "cpu  1000 0 500 8000 0 0 0 0 0 0\ncpu0 1\n");
    let mut machine = fake.open();
    assert_eq!(machine.read().cpu, None);
    assert_eq!(machine.read().cpu, None, "no tick passed");
    fake.write("proc/stat", "cpu  1030 0 510 8060 0 0 0 0 0 0\ncpu0 1\n");
    let cpu = machine.read().cpu.unwrap();
    assert_eq!((cpu.user_pct, cpu.sys_pct, cpu.idle_pct), (30.0, 10.0, 60.0));
}

#[test]
fn stalls_raise_the_pressure_from_the_second_read_on() {
    let fake = Fake::new();
    let stalls = |some: u64, full: u64| {
        let text = format!(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total={some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
        );
        fake.write("proc/pressure/memory", text);
    };
    stalls(5_000_000, 1_000_000);
    let mut machine = fake.open();
    assert_eq!(machine.read().memory_pressure, None);
    assert_eq!(machine.read().memory_pressure, Some(Pressure::Normal));
    stalls(65_000_000, 1_000_000);
    assert_eq!(machine.read().memory_pressure, Some(Pressure::Warn));
    stalls(125_000_000, 61_000_000);
    assert_eq!(machine.read().memory_pressure, Some(Pressure::Critical));
}

#[test]
fn memory_is_read_again_each_time_and_a_broken_file_is_not_a_zero() {
    let fake = Fake::new();
    fake.write("proc/meminfo", MEMINFO);
    let mut machine = fake.open();
    assert_eq!(machine.profile().ram_total_bytes, Some(24_682_416 * 1024));
    assert_eq!(machine.read().ram_free_bytes, Some(24_255_800 * 1024));
    fake.write("proc/meminfo", MEMINFO.replace("24255800", "12255800"));
    assert_eq!(machine.read().ram_free_bytes, Some(12_255_800 * 1024));
    fake.write("proc/meminfo", "");
    let reading = machine.read();
    assert_eq!((reading.ram_total_bytes, reading.swap_used_bytes), (None, None));
}

#[test]
fn compressed_memory_counts_only_where_something_compresses() {
    let fake = Fake::new();
    fake.write("proc/meminfo", MEMINFO);
    let mut machine = fake.open();
    assert_eq!(machine.read().ram_compressed_bytes, None);
    assert!(why(&machine, "ram_compressed_gb").contains("neither zswap nor zram"));

    fake.write("proc/meminfo", MEMINFO.replace("Zswap:                 0", "Zswap: 100"))
        .write("sys/module/zswap/parameters/enabled", "Y\n")
        .write("sys/block/zram0/disksize", "8589934592\n")
        .write("sys/block/zram0/mm_stat", "2621440 917504 1060864 0 1060864 5 0 0 0\n");
    let compressed = fake.open().read().ram_compressed_bytes;
    assert_eq!(compressed, Some(100 * 1024 + 1_060_864));
}

#[test]
fn cores_are_counted_apart_from_their_threads() {
    let fake = Fake::new();
    let cpu = "sys/devices/system/cpu";
    for (thread, siblings) in [(0, "0,4"), (1, "1,5"), (4, "0,4"), (5, "1,5")] {
        fake.write(&format!("{cpu}/cpu{thread}/topology/thread_siblings_list"), siblings);
    }
    fake.write(&format!("{cpu}/cpu7/online"), "0\n")
        .write(&format!("{cpu}/cpufreq/boost"), "1\n")
        .write("proc/sys/kernel/hostname", "box\n");
    let machine = fake.open();
    let profile = machine.profile();
    assert_eq!((profile.cores_physical, profile.cores_logical), (Some(2), Some(4)));
    assert_eq!(profile.host.as_deref(), Some("box"));
}
