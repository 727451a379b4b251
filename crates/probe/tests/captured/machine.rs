//! Memory, pressure, CPU and profile; and a machine that has nothing.

use probe::Pressure;

use super::{Fake, from, why};

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
    assert!(why(&machine, "cpu_power_w").contains("powercap"));
    assert!(why(&machine, "cpu_freq_mhz").contains("virtual machine"));
    assert!(why(&machine, "cpu_temp_c").contains("hwmon"));
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

#[test]
fn the_frequency_is_the_mean_of_the_cores_that_are_on_about_once_a_second() {
    let fake = Fake::new();
    let cpu = "sys/devices/system/cpu";
    for (core, khz) in [("cpu0", "2000000\n"), ("cpu1", "3000000\n"), ("cpu10", "4003000\n")] {
        fake.write(&format!("{cpu}/{core}/cpufreq/scaling_cur_freq"), khz);
    }
    // The group of all of a kind, and a core without a driver.
    fake.write(&format!("{cpu}/cpufreq/scaling_cur_freq"), "9000000\n")
        .write(&format!("{cpu}/cpu2/online"), "1\n");
    let mut machine = fake.open();
    assert!(from(&machine, "cpu_freq_mhz").ends_with("cpu*/cpufreq/scaling_cur_freq"));
    assert_eq!(machine.read().cpu_freq_mhz, Some(3001.0));
    assert_eq!(machine.read().cpu_freq_mhz, None, "not again at once");
    std::fs::remove_dir_all(fake.path(&format!("{cpu}/cpu10"))).unwrap();
    let start = std::time::Instant::now();
    let next = std::iter::repeat_with(|| machine.read().cpu_freq_mhz)
        .take_while(|_| start.elapsed().as_secs() < 10)
        .find_map(|mhz| mhz);
    assert_eq!(next, Some(2500.0));
    assert!(start.elapsed().as_secs_f64() > 0.9);
}

#[test]
fn the_cpu_is_as_hot_as_its_hottest_package_and_other_sensors_do_not_count() {
    let fake = Fake::new();
    let hwmon = "sys/class/hwmon";
    for (monitor, driver, sensors) in [
        (0, "acpitz", vec![("", 99_000)]),
        (1, "nvme", vec![("Composite", 98_000)]),
        (2, "coretemp", vec![("Package id 0", 61_000), ("Core 0", 60_000)]),
        (10, "coretemp", vec![("Core 0", 97_000), ("Package id 1", 72_500)]),
    ] {
        fake.write(&format!("{hwmon}/hwmon{monitor}/name"), format!("{driver}\n"));
        for (index, (label, millidegree)) in sensors.into_iter().enumerate() {
            let sensor = format!("{hwmon}/hwmon{monitor}/temp{}", index + 1);
            fake.write(&format!("{sensor}_label"), format!("{label}\n"));
            fake.write(&format!("{sensor}_input"), format!("{millidegree}\n"));
        }
    }
    let mut machine = fake.open();
    assert_eq!(machine.read().cpu_temp_c, Some(72.5));
    assert!(from(&machine, "cpu_temp_c").contains("hwmon10/temp2_input"));
    fake.write("sys/class/hwmon/hwmon2/temp1_input", "");
    assert_eq!(machine.read().cpu_temp_c, None, "the other one may be hotter");
}

#[test]
fn a_ryzens_temperature_is_that_of_the_die_where_it_tells_both() {
    let fake = Fake::new();
    let ryzen = "sys/class/hwmon/hwmon3";
    fake.write(&format!("{ryzen}/name"), "k10temp\n")
        .write(&format!("{ryzen}/temp1_label"), "Tctl\n")
        .write(&format!("{ryzen}/temp1_input"), "90000\n")
        .write(&format!("{ryzen}/temp3_label"), "Tccd1\n")
        .write(&format!("{ryzen}/temp3_input"), "95000\n");
    assert_eq!(fake.open().read().cpu_temp_c, Some(90.0));
    fake.write(&format!("{ryzen}/temp2_label"), "Tdie\n")
        .write(&format!("{ryzen}/temp2_input"), "70000\n");
    assert_eq!(fake.open().read().cpu_temp_c, Some(70.0));
}

#[test]
fn power_is_that_of_all_packages_from_the_second_read_on() {
    let fake = Fake::new();
    let zone = |zone: &str, name: &str, energy: u64| {
        let dir = format!("sys/class/powercap/{zone}");
        fake.write(&format!("{dir}/name"), format!("{name}\n"))
            .write(&format!("{dir}/max_energy_range_uj"), "262143328850\n")
            .write(&format!("{dir}/energy_uj"), format!("{energy}\n"));
    };
    zone("intel-rapl:0", "package-0", 0);
    zone("intel-rapl:1", "package-1", 0);
    zone("intel-rapl:0:0", "core", 0);
    let mut machine = fake.open();
    assert_eq!(machine.read().cpu_power_w, None);
    let start = std::time::Instant::now();
    zone("intel-rapl:0", "package-0", 20_000_000);
    zone("intel-rapl:1", "package-1", 10_000_000);
    zone("intel-rapl:0:0", "core", 19_000_000);
    std::thread::sleep(std::time::Duration::from_millis(50));
    let watts = machine.read().cpu_power_w.unwrap();
    // 30 joules in the time between the reads, which is at most this long.
    assert!(watts >= 30.0 / start.elapsed().as_secs_f64() * 0.5 && watts <= 600.0, "{watts}");
    assert!(why(&machine, "dram_power_w").contains("dram"));
}
