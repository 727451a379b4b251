//! A captured Linux: its files, read as those of this machine are.

use super::{Moment, Replay};
use crate::machine::Roots;
use crate::platform::linux::{Census, Sensors};
use crate::profile::HostProfile;
use crate::sources::Sources;

pub(super) fn play(moments: &[Moment]) -> Replay {
    let mut replay = Replay {
        profile: HostProfile::default(),
        sources: Sources::default(),
        readings: Vec::new(),
        zombies: None,
    };
    let mut earlier: Option<Sensors> = None;
    for moment in moments {
        let roots = Roots::under(&moment.dir);
        let (mut profile, mut sources) = (HostProfile::default(), Sources::default());
        let mut sensors = Sensors::open(&roots, &mut profile, &mut sources);
        if let Some(earlier) = &earlier {
            sensors.resume(earlier);
        }
        replay.readings.push(sensors.read_at(moment.at));
        replay.zombies = Census::new(&roots).zombies();
        (replay.profile, replay.sources) = (profile, sources);
        earlier = Some(sensors);
    }
    replay
}
