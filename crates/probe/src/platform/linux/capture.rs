//! The files that the probe reads, as they are now, and those of sensors that it
//! does not know yet: what a test needs to see this machine elsewhere.
//!
//! Nothing private: processes are reduced to their state, control groups lose
//! their names, and of texts that hold more only the lines in use are kept.

use std::io::Read;
use std::path::Path;

use super::cgroup::{V1, V2};
use super::file::{Scratch, list};
use super::listing::Listing;
use super::{nvidia, process};
use crate::decode::cgroup::{Membership, lineage};
use crate::machine::Roots;

/// No file that is of use is larger.
const MOST_BYTES: u64 = 64 << 10;

/// Path and content of each file, in the layout of [`Roots::under`].
pub(crate) fn capture(roots: &Roots) -> Vec<(String, Vec<u8>)> {
    let mut capture = Capture { roots, files: Vec::new() };
    capture.memory_and_cpu();
    capture.groups();
    capture.sensors();
    capture.gpus();
    capture.processes();
    capture.files
}

struct Capture<'a> {
    roots: &'a Roots,
    files: Vec<(String, Vec<u8>)>,
}

impl Capture<'_> {
    fn memory_and_cpu(&mut self) {
        for path in ["meminfo", "stat", "loadavg", "pressure/memory", "device-tree/model"] {
            self.take("proc", &self.roots.proc.clone(), path);
        }
        self.take("proc", &self.roots.proc.clone(), "sys/kernel/osrelease");
        let cpuinfo = ["model name", "cpu model", "cpu\t", "vendor_id", "Hardware"];
        self.lines("proc/cpuinfo", &self.roots.proc.join("cpuinfo"), &cpuinfo);
        let release = ["PRETTY_NAME=", "ID="];
        for path in ["os-release", "../usr/lib/os-release"] {
            self.lines("etc/os-release", &self.roots.etc.join(path), &release);
        }
        self.sys("module/zswap/parameters/enabled");
        self.sys("class/dmi/id/product_name");
        self.sys_each("block", "zram", &["disksize", "mm_stat"]);
        let cpu = ["online", "topology/thread_siblings_list", "cpufreq/scaling_cur_freq"];
        self.sys_each("devices/system/cpu", "cpu", &cpu);
    }

    fn groups(&mut self) {
        let text = std::fs::read(self.roots.proc.join("self/cgroup")).unwrap_or_default();
        let member = Membership::parse(&text);
        let (mount, inside, names, line) = match (&member.v1_memory, &member.v2) {
            (Some(inside), _) => ("fs/cgroup/memory", inside, &V1, "1:memory:"),
            (None, Some(inside)) => ("fs/cgroup", inside, &V2, "0::"),
            (None, None) => return,
        };
        self.sys(&format!("{mount}/cgroup.controllers"));
        let files = [names.limit, names.used, names.swap, "memory.stat", "memory.pressure"];
        // Names of groups can be those of users and customers: the levels are numbered.
        let mut renamed = String::new();
        let levels: Vec<&str> = lineage(inside).collect();
        for (index, level) in levels.iter().rev().enumerate() {
            renamed.push_str(&format!("/group{index}"));
            for file in files {
                let from = self.roots.sys.join(mount).join(level).join(file);
                self.take_as(format!("sys/{mount}{renamed}/{file}"), &from);
            }
        }
        for file in files {
            self.sys(&format!("{mount}/{file}"));
        }
        if renamed.is_empty() {
            renamed.push('/');
        }
        self.files.push(("proc/self/cgroup".to_owned(), format!("{line}{renamed}\n").into()));
    }

    fn sensors(&mut self) {
        let rapl = ["name", "energy_uj", "max_energy_range_uj"];
        self.sys_each("class/powercap", "intel-rapl", &rapl);
        self.sys_each("class/thermal", "thermal_zone", &["type", "temp"]);
        for monitor in self.names("class/hwmon", "hwmon") {
            self.monitor(&format!("class/hwmon/{monitor}"));
        }
    }

    /// All that a hwmon directory measures.
    fn monitor(&mut self, dir: &str) {
        for file in self.names(dir, "") {
            let (kind, _) = file.split_at(file.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
            if file == "name" || matches!(kind, "temp" | "power" | "energy" | "freq") {
                self.sys(&format!("{dir}/{file}"));
            }
        }
    }

    fn gpus(&mut self) {
        for card in self.names("class/drm", "card") {
            // Connectors are called card0-DP-1.
            if card.contains('-') {
                continue;
            }
            let device = format!("class/drm/{card}/device");
            for file in self.names(&device, "mem_info_") {
                self.sys(&format!("{device}/{file}"));
            }
            for file in ["uevent", "gpu_busy_percent", "gpu_metrics", "product_name"] {
                self.sys(&format!("{device}/{file}"));
            }
            for monitor in self.names(&format!("{device}/hwmon"), "hwmon") {
                self.monitor(&format!("{device}/hwmon/{monitor}"));
            }
        }
        if let Some(path) = &self.roots.nvml {
            self.take_as("nvml.csv".to_owned(), &path.clone());
        } else if let Ok(csv) = nvidia::capture() {
            self.files.push(("nvml.csv".to_owned(), csv.into()));
        }
    }

    /// The zombies, and this process, so that none is not taken for unknown.
    fn processes(&mut self) {
        let mut scratch = Scratch::new();
        let own = i32::try_from(std::process::id()).ok();
        let Ok(entries) = Listing::open(&self.roots.proc).and_then(|mut list| list.all()) else {
            return;
        };
        for entry in entries {
            let pid = entry.pid;
            let Some(stat) = process::stat(&self.roots.proc, pid, &mut scratch) else {
                continue;
            };
            if stat.is_zombie() || Some(pid) == own {
                let (state, start) = (char::from(stat.state), stat.start_ticks);
                let text = format!(
                    "{pid} (-) {state} 0 0 0 0 -1 {} 0 0 0 0 0 0 0 0 0 0 0 0 {start} 0 0 0\n",
                    stat.flags
                );
                self.files.push((format!("proc/{pid}/stat"), text.into()));
            }
        }
    }

    /// The files of every directory `dir/prefix…` in sysfs.
    fn sys_each(&mut self, dir: &str, prefix: &str, files: &[&str]) {
        for name in self.names(dir, prefix) {
            for file in files {
                self.sys(&format!("{dir}/{name}/{file}"));
            }
        }
    }

    fn names(&self, dir: &str, prefix: &str) -> Vec<String> {
        let mut names = list(&self.roots.sys.join(dir)).unwrap_or_default();
        names.retain(|name| name.starts_with(prefix));
        names
    }

    fn sys(&mut self, path: &str) {
        self.take("sys", &self.roots.sys.clone(), path);
    }

    fn take(&mut self, name: &str, root: &Path, path: &str) {
        self.take_as(format!("{name}/{path}"), &root.join(path));
    }

    /// What cannot be read is not there for a replay either.
    fn take_as(&mut self, path: String, from: &Path) {
        let mut content = Vec::new();
        let file = std::fs::File::open(from).map(|file| file.take(MOST_BYTES));
        if file.and_then(|mut file| file.read_to_end(&mut content)).is_ok() {
            self.files.push((path, content));
        }
    }

    /// Of the first paragraph of a text, the lines that begin with one of `keys`.
    fn lines(&mut self, path: &str, from: &Path, keys: &[&str]) {
        let Ok(text) = std::fs::read(from) else {
            return;
        };
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().take_while(|line| !line.is_empty());
        let kept: String = lines
            .filter(|line| keys.iter().any(|key| line.starts_with(key)))
            .flat_map(|line| [line, "\n"])
            .collect();
        if !kept.is_empty() && !self.files.iter().any(|(name, _)| name == path) {
            self.files.push((path.to_owned(), kept.into()));
        }
    }
}
