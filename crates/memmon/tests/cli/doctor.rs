//! What can be measured here, and on machines that sent a capture.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{Running, errors, memmon, run};

/// Writes the files of a captured machine into `dir`.
fn write(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What the doctor says; every line fits a terminal of 80 columns.
fn doctor(args: &[&str]) -> String {
    let out = run(&[&["--doctor"], args].concat());
    assert_eq!((out.status.code(), errors(&out).as_str()), (Some(0), ""));
    let text = String::from_utf8(out.stdout).unwrap();
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    text
}

/// The words of the row of `quantity`, and of the lines in which it goes on.
fn row(text: &str, quantity: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("  {quantity} ")));
    let first = lines.next().unwrap_or_else(|| panic!("no row {quantity} in\n{text}"));
    let more = lines.take_while(|line| line.starts_with("     "));
    let words = std::iter::once(first).chain(more).flat_map(str::split_whitespace);
    words.skip(1).map(str::to_owned).collect()
}

#[test]
fn every_quantity_of_this_machine_has_a_value_or_a_reason() {
    let text = doctor(&[]);
    for series in records::SERIES {
        assert!(!row(&text, series.name).is_empty(), "{}", series.name);
    }
    assert!(!text.contains("no value now"), "two readings give the rates values:\n{text}");
    assert_eq!(row(&text, "tree_procs")[0], "1");
}

#[test]
#[cfg(target_os = "linux")]
fn a_strangers_machine_is_described_with_its_own_values() {
    let dir = TempDir::new().unwrap();
    let uevent = "DRIVER=amdgpu\nPCI_ID=1002:1586\n";
    let card = |moment: &str, name: &str| format!("{moment}/sys/class/drm/card0/device/{name}");
    for (moment, stat) in [("0ms", "cpu 0 0 0 100\n"), ("500ms", "cpu 30 0 0 170\n")] {
        write(
            dir.path(),
            &[
                (&format!("{moment}/proc/stat"), stat),
                (
                    &format!("{moment}/proc/meminfo"),
                    "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n",
                ),
                (
                    &format!("{moment}/sys/class/dmi/id/product_name"),
                    "Framework\u{1b}[31m Desktop\n",
                ),
                (&card(moment, "uevent"), uevent),
                (&card(moment, "mem_info_vram_total"), "4294967296\n"),
                (&card(moment, "mem_info_gtt_total"), "103079215104\n"),
                (&card(moment, "mem_info_vram_used"), "1000000000\n"),
                (&card(moment, "mem_info_gtt_used"), "64000000000\n"),
                (&format!("{moment}/nvml.csv"), "name, power.draw [W]\nNVIDIA GB10, 11.17 W\n"),
            ],
        );
    }
    let text = doctor(&["--replay", dir.path().to_str().unwrap()]);
    assert_eq!(row(&text, "cpu_user")[..2], ["30.0", "%"]);
    assert_eq!(row(&text, "ram_free_gb")[..2], ["0.512", "GB"]);
    assert_eq!(row(&text, "gpu_mem_used_gb")[..2], ["65.000", "GB"]);
    assert!(text.contains("AMD GPU 1002:1586, amdgpu, 107.374 GB"), "{text}");
    assert!(text.contains("NVIDIA GB10: 11.17 W"), "{text}");
    assert!(row(&text, "model").join(" ").ends_with("Desktop"));
    assert!(!text.contains('\u{1b}'), "what steers a terminal does not reach it");
    // Not that its kernel were too old for what a capture has no use for.
    for quantity in ["tree_rss_gb", "tree_pss_gb", "tree_procs"] {
        let why = row(&text, quantity).join(" ");
        assert!(why == "no process is watched in a capture" || why == "the same", "{why}");
    }
}

#[test]
fn a_mac_is_described_from_what_its_own_tools_print() {
    let dir = TempDir::new().unwrap();
    let ioreg = include_str!("../../../probe/tests/data/macos/ioreg-m5.txt");
    write(dir.path(), &[("ioreg.txt", ioreg), ("sysctl.txt", "kern.memorystatus_level: 31\n")]);
    let text = doctor(&["--replay", dir.path().to_str().unwrap()]);
    assert_eq!(row(&text, "gpu_device_util"), ["46.0", "%", "ioreg.txt"]);
    assert_eq!(row(&text, "memory_free_pct")[..2], ["31.0", "%"]);
    assert!(row(&text, "ram_total_gb").join(" ").contains("not in this capture"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_dump_can_be_looked_at_again_and_holds_two_moments() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("new/dump");
    let name = path.to_str().unwrap();
    let out = run(&["--dump", name]);
    assert_eq!(out.status.code(), Some(0), "{}", errors(&out));
    assert!(errors(&out).contains("without names of the host"), "{}", errors(&out));

    let manifest = fs::read(path.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let moments = manifest["moments"].as_array().unwrap();
    assert_eq!(moments.len(), 2);
    assert_eq!(moments[0]["folder"], "0ms");
    assert!(moments[1]["elapsed_s"].as_f64().unwrap() >= 0.5);
    for moment in moments {
        let folder = path.join(moment["folder"].as_str().unwrap());
        for file in moment["files"].as_array().unwrap() {
            assert!(folder.join(file.as_str().unwrap()).is_file(), "{file}");
        }
    }
    let text = doctor(&["--replay", name]);
    assert_eq!(row(&text, "ram_total_gb"), row(&doctor(&[]), "ram_total_gb"));
    assert!(row(&text, "cpu_user")[0].parse::<f64>().is_ok(), "{text}");
}

#[test]
fn a_dump_goes_nowhere_near_what_is_there_already() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("thesis.tex"), "x").unwrap();
    let name = dir.path().to_str().unwrap();
    let out = run(&["--dump", name]);
    assert_eq!(out.status.code(), Some(125));
    assert!(errors(&out).contains("it is not empty"), "{}", errors(&out));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_replayed_is_named_in_one_line() {
    let out = run(&["--doctor", "--replay", "/nowhere/at/all"]);
    assert_eq!(out.status.code(), Some(125));
    let error = errors(&out);
    assert!(error.starts_with("memmon: cannot replay: /nowhere/at/all: "), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_strangers_links_are_not_followed_and_pipes_not_waited_for() {
    for (name, make) in [
        ("loadavg", (|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()) as fn(&Path)),
        ("osrelease", |path| std::os::unix::fs::symlink("/etc/passwd", path).unwrap()),
        ("meminfo", |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap()),
    ] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), &[("0ms/proc/stat", "cpu 0 0 0 100\n")]);
        make(&dir.path().join("0ms/proc").join(name));
        let args = ["--doctor", "--replay", dir.path().to_str().unwrap()];
        let (status, out) = Running::start(&mut memmon(&args)).end();
        assert_eq!((status.code(), out.as_slice()), (Some(125), &b""[..]), "{name}");
    }
}

#[test]
fn doctor_and_dump_are_not_mixed_with_sampling() {
    for args in [
        &["--doctor", "--", "ls"][..],
        &["--doctor", "-d", "1"],
        &["--dump", "x", "--pid", "1"],
        &["--doctor", "--dump", "x"],
        &["--doctor", "--prometheus", "0"],
        &["--dump", "x", "--prometheus", "0"],
        &["--doctor", "--emit", "mlx-knife"],
        &["--replay", "x"],
    ] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}
