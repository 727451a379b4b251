//! What IOReport knows: the GPU's states, and power.

use std::time::{Duration, Instant};

use super::sys::iokit::services;
use super::sys::ioreport::{Group, Subscription};
use crate::decode::dvfs::{GPU_TABLES, frequencies_mhz};
use crate::decode::ioreport::energy::{Part, unreadable};
use crate::decode::ioreport::meters::{Measured, Meters, wanted};
use crate::decode::ioreport::{Channel, ENERGY, GPU_STATES, activity};
use crate::sources::macos::Facts;

/// What is published every two seconds need not be asked for more often than
/// this. A sample that comes a little early still counts as the next second.
const SLOW_EVERY: Duration = Duration::from_millis(950);

/// The channels of this machine.
pub(super) struct Report {
    /// The GPU's: exact in every sample.
    live: Option<Subscription>,
    /// The other energy counters.
    slow: Option<Subscription>,
    slow_from: Option<Instant>,
    meters: Meters,
}

impl Report {
    /// Subscribes to what this machine has, and notes in `facts` what that is.
    pub(super) fn open(facts: &mut Facts) -> Report {
        let energy = Group::describe(ENERGY, None);
        let states = Group::describe(GPU_STATES.0, Some(GPU_STATES.1))
            .map(|states| states.only(activity::is_gpu));
        let pick = |live: bool| {
            let energy = energy.as_ref().ok()?;
            Some(energy.only(|channel| wanted(channel, &energy.channels) == Some(live)))
        };
        let (gpu_energy, others) = (pick(true), pick(false));
        let groups: Vec<&Group> = states.iter().chain(&gpu_energy).collect();
        let live = Subscription::new(&groups);
        let slow = others.ok_or_else(String::new).and_then(|others| Subscription::new(&[&others]));

        let samples = [&live, &slow].map(|subscription| subscription.as_ref().ok()?.sample());
        let channels: Vec<Channel> =
            samples.iter().flatten().flat_map(|sample| sample.channels.clone()).collect();
        let has_states = samples.iter().flatten().any(activity::is_in);
        facts.residency = match (&states, &live) {
            (Err(why), _) | (Ok(_), Err(why)) => Err(why.clone()),
            _ if !has_states => Err("IOReport has no states of this GPU".to_owned()),
            _ => Ok(()),
        };
        facts.power = Part::ALL.map(|part| match &energy {
            Err(why) => Err(why.clone()),
            Ok(_) => unreadable(part, &channels).map_or(Ok(()), Err),
        });
        let freqs_mhz = gpu_table().and_then(|bytes| frequencies_mhz(&bytes)).unwrap_or_default();
        facts.gpu_table = !freqs_mhz.is_empty();
        Report { live: live.ok(), slow: slow.ok(), slow_from: None, meters: Meters::new(freqs_mhz) }
    }

    pub(super) fn read(&mut self) -> Measured {
        let mut measured = Measured::default();
        if let Some(sample) = self.live.as_ref().and_then(Subscription::sample) {
            measured = self.meters.read(&sample);
        }
        let now = Instant::now();
        if self.slow_from.is_some_and(|from| now < from) {
            return measured;
        }
        self.slow_from = Some(now + SLOW_EVERY);
        match self.slow.as_ref().and_then(Subscription::sample) {
            Some(sample) => measured.or(self.meters.read(&sample)),
            None => measured,
        }
    }
}

/// The GPU's frequency table, as the power manager has it.
pub(super) fn gpu_table() -> Option<Vec<u8>> {
    let pmgr = services(c"AppleARMIODevice")
        .into_iter()
        .find(|entry| entry.name().as_deref() == Some("pmgr"))?;
    GPU_TABLES.iter().find_map(|table| pmgr.bytes(table))
}
