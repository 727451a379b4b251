//! The host profile of a Mac.

use super::sys::sysctl;
use crate::profile::HostProfile;

/// Fills in all but the GPUs, which their own reader knows.
pub(super) fn fill(profile: &mut HostProfile) {
    let count = |name| sysctl::integer(name).and_then(|count| u32::try_from(count).ok());
    profile.host = sysctl::text(c"kern.hostname");
    profile.model = sysctl::text(c"hw.model");
    profile.chip = sysctl::text(c"machdep.cpu.brand_string");
    profile.cores_physical = count(c"hw.physicalcpu");
    profile.cores_logical = count(c"hw.logicalcpu");
    profile.ram_total_bytes = sysctl::integer(c"hw.memsize");
    profile.os = sysctl::text(c"kern.osproductversion").map(|version| format!("macOS {version}"));
    profile.kernel = sysctl::text(c"kern.osrelease");
    profile.arch = std::env::consts::ARCH.to_owned();
}
