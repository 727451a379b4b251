//! The host profile of a Linux machine.

use std::collections::BTreeSet;
use std::path::Path;

use crate::decode::{cpuinfo, os_release};
use crate::machine::Roots;
use crate::profile::HostProfile;

/// Fills in all but memory and GPUs, which their own readers know.
pub(super) fn fill(roots: &Roots, profile: &mut HostProfile) {
    let name = |path: &Path| cpuinfo::name(&std::fs::read(path).ok()?);
    profile.host = name(&roots.proc.join("sys/kernel/hostname"));
    profile.kernel = name(&roots.proc.join("sys/kernel/osrelease"));
    // DMI on PCs and servers, the device tree on boards.
    profile.model = name(&roots.sys.join("class/dmi/id/product_name"))
        .or_else(|| name(&roots.proc.join("device-tree/model")));
    profile.chip =
        std::fs::read(roots.proc.join("cpuinfo")).ok().and_then(|text| cpuinfo::chip(&text));
    profile.os = ["os-release", "../usr/lib/os-release"]
        .iter()
        .find_map(|path| os_release::pretty_name(&std::fs::read(roots.etc.join(path)).ok()?));
    profile.arch = std::env::consts::ARCH.to_owned();
    if let Some((physical, logical)) = cores(&roots.sys.join("devices/system/cpu")) {
        profile.cores_logical = Some(logical);
        profile.cores_physical = (physical > 0).then_some(physical);
    }
}

/// Cores and hardware threads that are on line: threads of one core have the
/// same list of siblings.
fn cores(dir: &Path) -> Option<(u32, u32)> {
    let mut cores = BTreeSet::new();
    let mut threads = 0;
    for entry in std::fs::read_dir(dir).ok()?.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("cpu"));
        if number.is_none_or(|number| number.parse::<u32>().is_err()) {
            continue;
        }
        // Missing for cpu0 on most machines, where it cannot be switched off.
        let online = std::fs::read(entry.path().join("online"));
        if online.is_ok_and(|text| text.trim_ascii() == b"0") {
            continue;
        }
        threads += 1;
        let siblings = std::fs::read(entry.path().join("topology/thread_siblings_list"));
        cores.extend(siblings.ok());
    }
    let physical = u32::try_from(cores.len()).ok()?;
    (threads > 0).then_some((physical, threads))
}
