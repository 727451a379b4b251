//! Everything that is read here, raw: what a stranger's machine is made a test
//! from.

use super::gpus::Gpus;
use super::memory::{Memory, swap};
use super::report::gpu_table;
use super::sys::ioreport::{Group, Subscription};
use super::sys::mach::Host;
use super::sys::sysctl;
use crate::decode::ioreport::{ENERGY, GPU_STATES, text};
use crate::printed;
use crate::sources::macos::Facts;

/// The files of a dump, with their names: `ioreg.txt`, `vm_stat.txt`,
/// `sysctl.txt` and `ioreport.txt`. What there is none of has no file. Counters
/// tell nothing alone: two dumps, three seconds apart, hold a publication of
/// the energy counters between them.
pub(super) fn raw() -> Vec<(String, Vec<u8>)> {
    let mut facts = Facts::default();
    let host = Host::new();
    let memory = Memory::open(host.as_ref(), &mut facts);
    let gpus = Gpus::open(&mut Vec::new(), &mut facts);
    let ioreg = printed::ioreg(&gpus.published(), gpu_table().as_deref());
    let vm_stat = memory.pages(host.as_ref()).map(|pages| printed::vm_stat(&pages));
    [
        ("ioreg.txt", Some(ioreg).filter(|text| !text.is_empty())),
        ("vm_stat.txt", vm_stat),
        ("sysctl.txt", Some(sysctls())),
        ("ioreport.txt", ioreport().ok()),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name.to_owned(), text?.into_bytes())))
    .collect()
}

/// As `sysctl` prints them: those that are read, and what tells the machine.
fn sysctls() -> String {
    let mut text = swap().map(|swap| printed::swap_usage(&swap)).unwrap_or_default();
    text.push_str(&sysctl::load().map(printed::load).unwrap_or_default());
    for name in
        [c"hw.model", c"machdep.cpu.brand_string", c"kern.osproductversion", c"kern.osrelease"]
    {
        if let Some(value) = sysctl::text(name) {
            text.push_str(&format!("{}: {value}\n", name.to_string_lossy()));
        }
    }
    for name in [
        c"hw.memsize",
        c"hw.physicalcpu",
        c"hw.logicalcpu",
        c"kern.memorystatus_vm_pressure_level",
        c"kern.memorystatus_level",
        c"vm.page_free_count",
        c"vm.page_speculative_count",
        c"vm.page_purgeable_count",
        c"vm.page_pageable_internal_count",
        c"vm.page_pageable_external_count",
        c"vm.pages",
    ] {
        if let Some(value) = sysctl::integer(name) {
            text.push_str(&format!("{}: {value}\n", name.to_string_lossy()));
        }
    }
    text
}

/// All channels of the groups that are read, those included that are not; or
/// why there are none.
fn ioreport() -> Result<String, String> {
    let energy = Group::describe(ENERGY, None);
    let states = Group::describe(GPU_STATES.0, Some(GPU_STATES.1));
    let groups: Vec<&Group> = energy.iter().chain(&states).collect();
    let subscription = Subscription::new(&groups)?;
    let sample = subscription.sample().ok_or("IOReport gives no sample")?;
    Ok(text::write(&sample))
}
