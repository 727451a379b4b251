//! Systems that nothing is known about: everything is missing, and said so.

use crate::machine::Roots;
use crate::profile::HostProfile;
use crate::reading::Reading;
use crate::sources::{GPU_QUANTITIES, QUANTITIES, Sources};
use crate::tree::TreeReading;

/// No sensors.
pub(crate) struct Sensors;

impl Sensors {
    pub(crate) fn open(_: &Roots, profile: &mut HostProfile, sources: &mut Sources) -> Sensors {
        profile.arch = std::env::consts::ARCH.to_owned();
        profile.os = Some(std::env::consts::OS.to_owned());
        let why = format!("{} is not supported", std::env::consts::OS);
        sources.all_missing(&QUANTITIES, &why);
        sources.all_missing(&GPU_QUANTITIES, &why);
        Sensors
    }

    pub(crate) fn read(&mut self) -> Reading {
        Reading::default()
    }
}

/// A tree that cannot be seen.
pub(crate) struct Tree;

impl Tree {
    pub(crate) fn new(_: &Roots, _: i32, _: bool) -> Tree {
        Tree
    }

    pub(crate) fn read(&mut self, _: bool) -> TreeReading {
        TreeReading::default()
    }

    pub(crate) fn zombies(&mut self) -> Option<u32> {
        None
    }
}

/// Processes that cannot be listed.
pub(crate) struct Census;

impl Census {
    pub(crate) fn new(_: &Roots) -> Census {
        Census
    }

    pub(crate) fn zombies(&mut self) -> Option<u32> {
        None
    }
}

/// As it is.
pub(crate) fn be_punctual() {}

/// Nothing to capture.
pub(crate) fn capture(_: &Roots) -> Vec<(String, Vec<u8>)> {
    Vec::new()
}
