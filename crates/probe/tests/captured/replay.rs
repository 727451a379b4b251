//! Captures of real machines, played back, and captures of made ones.

use std::fs;
use std::path::Path;

use probe::{Pressure, Reading, Replay, Roots, capture_at};
use tempfile::TempDir;

use super::Fake;

/// A folder with one capture in it, as a stranger would send it.
fn folder(name: &str, text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(name), text).unwrap();
    dir
}

fn play(dir: &Path) -> Replay {
    Replay::open(dir).unwrap()
}

/// Device, renderer and tiler percent, and bytes in use.
fn check_mac(text: &str, expected: (f64, f64, f64, u64)) {
    let dir = folder("whatever.txt", text);
    let replay = play(dir.path());
    let [reading] = &replay.readings[..] else { panic!("one moment") };
    let [gpu] = &reading.gpus[..] else { panic!("one GPU") };
    let (device, renderer, tiler, memory) = expected;
    assert_eq!(gpu.device_util_pct, Some(device));
    assert_eq!(gpu.renderer_util_pct, Some(renderer));
    assert_eq!(gpu.tiler_util_pct, Some(tiler));
    assert_eq!(gpu.mem_used_bytes, Some(memory));
    assert_eq!((gpu.power_w, reading.ram_free_bytes), (None, None));
    let from = |quantity| replay.sources.found.iter().find(|found| found.quantity == quantity);
    assert_eq!(from("gpu_device_util").unwrap().from, "whatever.txt");
    let lacks = |quantity| replay.sources.missing.iter().any(|m| m.quantity == quantity);
    assert!(lacks("gpu_power_w") && lacks("ram_free_gb") && !lacks("gpu_tiler_util"));
}

macro_rules! mac {
    ($test:ident, $file:literal, $expected:expr) => {
        #[test]
        fn $test() {
            check_mac(include_str!(concat!("../data/macos/", $file)), $expected);
        }
    };
}

mac!(m1_max_on_macos_12, "ioreg-m1max-macos12.txt", (2.0, 2.0, 2.0, 340_983_808));
mac!(m1_max_running_a_model, "ioreg-m1max-model-run.txt", (94.0, 62.0, 62.0, 2_541_387_776));
mac!(m2_idle, "ioreg-m2.txt", (4.0, 0.0, 0.0, 632_307_712));
mac!(m3_pro, "ioreg-m3pro.txt", (16.0, 11.0, 7.0, 568_164_352));
mac!(m4, "ioreg-m4-trimmed.txt", (30.0, 29.0, 30.0, 356_089_856));
mac!(m5, "ioreg-m5.txt", (46.0, 60.0, 3.0, 843_038_720));

#[test]
fn a_16_gb_mac_short_of_memory_is_read_from_vm_stat_and_sysctl() {
    let dir = folder("a.txt", include_str!("../data/macos/vm_stat-16gb.txt"));
    fs::write(dir.path().join("b"), include_str!("../data/macos/sysctl.txt")).unwrap();
    let more = "hw.memsize: 17179869184\nhw.model: Mac14,2\nvm.loadavg: { 2.50 1.75 1.00 }\n";
    fs::write(dir.path().join("c"), more).unwrap();
    let replay = play(dir.path());
    let reading = &replay.readings[0];
    assert_eq!(reading.ram_free_bytes, Some(199_355 * 16_384));
    assert_eq!(reading.ram_wired_bytes, Some(159_117 * 16_384));
    assert_eq!(reading.swap_total_bytes, Some(4096 << 20));
    assert_eq!(reading.memory_pressure, Some(Pressure::Warn));
    assert_eq!(reading.memory_free_pct, Some(31.0));
    assert_eq!(reading.load, Some([2.5, 1.75, 1.0]));
    assert_eq!(replay.profile.model.as_deref(), Some("Mac14,2"));
    assert_eq!(replay.profile.ram_total_bytes, Some(16 << 30));
}

#[test]
fn a_gb10_is_read_from_what_nvidia_smi_printed() {
    let dir = folder("nvml.csv", include_str!("../data/linux/nvidia-gb10-query.txt"));
    let reading = &play(dir.path()).readings[0];
    assert_eq!((reading.gpus[0].power_w, reading.gpus[0].mem_used_bytes), (Some(11.17), None));
}

/// The lines `name value` of a capture as files of `dir` in both moments.
fn device(fake: &Fake, dir: &str, text: &str) {
    for moment in ["0ms", "500ms"] {
        for line in text.lines() {
            let (name, value) = line.split_once(' ').unwrap();
            fake.write(&format!("{moment}/{dir}/{name}"), format!("{value}\n"));
        }
    }
}

#[test]
fn a_strix_halo_and_a_phoenix_are_played_back_with_what_happened_in_between() {
    let fake = Fake::new();
    let card = "sys/class/drm/card0/device";
    let uevent =
        "uevent DRIVER=amdgpu\nmem_info_vram_used 1000000000\nmem_info_gtt_used 64000000000";
    device(&fake, card, include_str!("../data/linux/amdgpu-strix-halo.txt"));
    device(&fake, card, uevent);
    let hwmon = format!("{card}/hwmon/hwmon1");
    device(&fake, &hwmon, include_str!("../data/linux/amdgpu-phoenix-hwmon.txt"));
    for (moment, user, energy, stall) in [("0ms", 0, 7, 0), ("500ms", 25, 7_500_007, 100_000)] {
        let zone = format!("{moment}/sys/class/powercap/intel-rapl:0");
        fake.write(&format!("{moment}/proc/stat"), format!("cpu {user} 0 0 {} 0\n", 100 - user))
            .write(&format!("{zone}/name"), "package-0\n")
            .write(&format!("{zone}/energy_uj"), format!("{energy}\n"))
            .write(
                &format!("{moment}/proc/pressure/memory"),
                format!("some avg10=0 total={stall}\nfull avg10=0 total=0\n"),
            );
    }
    fake.write("500ms/proc/stat", "cpu 25 0 0 175 0\n");
    fake.write("500ms/etc/os-release", "PRETTY_NAME=\"Fedora Linux 43\"\n");

    let replay = play(&fake.path(""));
    let [first, last] = &replay.readings[..] else { panic!("two moments") };
    assert_eq!((first.cpu, first.cpu_power_w, first.memory_pressure), (None, None, None));
    assert_eq!(last.cpu.unwrap().user_pct, 25.0);
    assert_eq!(last.cpu_power_w, Some(15.0), "7.5 joules in half a second");
    assert_eq!(last.memory_pressure, Some(Pressure::Warn), "100 of 500 ms");
    assert_eq!(last.gpus[0].mem_used_bytes, Some(65_000_000_000));
    assert_eq!(last.gpus[0].power_w, Some(3.103));
    assert_eq!(replay.profile.os.as_deref(), Some("Fedora Linux 43"));
}

/// Writes what is captured of `fake` into `dir`.
fn save(fake: &Fake, dir: &Path) {
    for (path, content) in capture_at(&fake.roots()) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// A machine with something of everything.
fn rich() -> Fake {
    let fake = Fake::new();
    let group = "sys/fs/cgroup/customer-acme.slice/job-4711.scope";
    let card = "sys/class/drm/card1/device";
    for (path, text) in [
        ("proc/meminfo", include_str!("../data/linux/meminfo.txt")),
        ("proc/stat", "cpu 1 2 3 4 5\n"),
        ("proc/loadavg", "0.50 0.25 0.10 1/77 6423\n"),
        ("proc/pressure/memory", "some total=5\nfull total=1\n"),
        ("proc/cpuinfo", "processor : 0\nmodel name : Ryzen AI Max\nSerial : 0000secret\n"),
        ("proc/sys/kernel/hostname", "alices-box\n"),
        ("proc/sys/kernel/osrelease", "6.18.44\n"),
        ("proc/self/cgroup", "0::/customer-acme.slice/job-4711.scope\n"),
        ("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13\"\n"),
        ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
        ("sys/fs/cgroup/customer-acme.slice/memory.max", "64000000000\n"),
        ("sys/fs/cgroup/customer-acme.slice/memory.current", "5000000000\n"),
        ("sys/fs/cgroup/customer-acme.slice/memory.stat", "inactive_file 7\nactive_file 1\n"),
        ("sys/class/dmi/id/product_name", "Framework Desktop\n"),
        ("sys/class/hwmon/hwmon0/name", "k10temp\n"),
        ("sys/class/hwmon/hwmon0/temp1_label", "Tctl\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "55000\n"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3000000\n"),
        ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
        ("sys/class/powercap/intel-rapl:0/energy_uj", "10\n"),
        ("sys/module/zswap/parameters/enabled", "Y\n"),
        ("sys/block/zram0/disksize", "100\n"),
        ("sys/block/zram0/mm_stat", "1 2 3 4\n"),
        ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,1\n"),
        ("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0,1\n"),
        ("nvml.csv", include_str!("../data/linux/nvidia-gb10-query.txt")),
    ] {
        fake.write(path, text);
    }
    fake.write(&format!("{group}/memory.max"), "max\n")
        .write(&format!("{group}/memory.current"), "4000000000\n")
        .write(&format!("{card}/uevent"), "DRIVER=amdgpu\nPCI_ID=1002:1586\n")
        .write(&format!("{card}/gpu_metrics"), [0x68, 0, 3, 0])
        .write(&format!("{card}/gpu_busy_percent"), "97\n")
        .write(&format!("{card}/mem_info_vram_used"), "5\n")
        .write(&format!("{card}/mem_info_gtt_used"), "6\n")
        .write(&format!("{card}/mem_info_vram_total"), "50\n")
        .write(&format!("{card}/mem_info_gtt_total"), "60\n")
        .write(&format!("{card}/hwmon/hwmon1/freq1_input"), "2900000000\n");
    fake.process(7, "python3 secret.py", 'Z', 1, 0);
    fake.process(i32::try_from(std::process::id()).unwrap(), "memmon", 'R', 1, 9);
    fake
}

#[test]
fn a_dump_read_elsewhere_says_what_the_machine_itself_says() {
    let fake = rich();
    let dir = TempDir::new().unwrap();
    save(&fake, dir.path());
    let replay = play(dir.path());

    let mut machine = fake.open();
    assert_eq!(replay.readings, [machine.read()]);
    assert_ne!(replay.readings[0], Reading::default());
    assert_eq!(replay.zombies, Some(1));
    let mut profile = machine.profile().clone();
    assert_eq!(profile.host.take().as_deref(), Some("alices-box"));
    assert_eq!(replay.profile, profile, "all but the name of the host");
    let quantities = |sources: &probe::Sources| {
        let found: Vec<_> = sources.found.iter().map(|found| found.quantity).collect();
        let missing: Vec<_> = sources.missing.iter().map(|missing| missing.quantity).collect();
        (found, missing)
    };
    assert_eq!(quantities(&replay.sources), quantities(machine.sources()));
}

#[test]
fn a_dump_holds_nothing_private() {
    let fake = rich();
    fake.write("proc/self/environ", "TOKEN=secret\0").write("proc/7/cmdline", "python3\0secret\0");
    for (path, content) in capture_at(&fake.roots()) {
        let content = String::from_utf8_lossy(&content);
        for word in ["secret", "alice", "acme", "4711"] {
            assert!(!content.contains(word), "{word} in {path}");
            assert!(!path.contains(word), "{word} in the name {path}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn this_machine_can_be_captured_and_played_back() {
    let dir = TempDir::new().unwrap();
    for (path, content) in probe::capture() {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let replay = play(dir.path());
    let mut machine = probe::Machine::open_at(Roots::default());
    let now = machine.read();
    assert_eq!(replay.readings[0].ram_total_bytes, now.ram_total_bytes);
    assert_eq!(replay.readings[0].cgroup.is_some(), now.cgroup.is_some());
    assert_eq!(replay.profile.kernel, machine.profile().kernel);
    assert!(replay.zombies.is_some());
}

#[test]
fn what_is_no_capture_is_refused_with_its_name() {
    let dir = folder("notes.txt", "buy: milk\n");
    let error = Replay::open(dir.path()).unwrap_err();
    assert!(error.ends_with("nothing in it is a capture"), "{error}");
    assert!(Replay::open(&dir.path().join("nowhere")).unwrap_err().contains("nowhere"));
}
