//! How long the GPU was in which of its performance states.

use super::{Channel, GPU_STATES, Sample, Value};

/// The channel of the GPU's states.
const GPU: &str = "GPUPH";

/// What the GPU did between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active {
    /// Share of the time in which it was in an active state, in percent.
    pub residency_pct: f64,
    /// Mean frequency in that time, in MHz. `None` when it was idle all the
    /// time, or when a state that it was in has no known frequency.
    pub freq_mhz: Option<f64>,
}

/// Remembers the sample before.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    before: Vec<States>,
}

/// Time in each state, by its name.
type States = Vec<(String, i64)>;

impl Meter {
    /// What happened since the sample before; `None` on the first, when no
    /// time passed, and when the counters began anew. A sample without the
    /// GPU's states changes nothing. `freqs_mhz` are those of the active states, lowest first (see
    /// [`dvfs::frequencies_mhz`](crate::decode::dvfs::frequencies_mhz)).
    pub fn read(&mut self, sample: &Sample, freqs_mhz: &[f64]) -> Option<Active> {
        let now: Vec<States> = gpu_states(sample).cloned().collect();
        if now.is_empty() {
            return None;
        }
        let before = std::mem::replace(&mut self.before, now);
        if before.len() != self.before.len() {
            return None;
        }
        let mut sums = Sums { known: true, ..Sums::default() };
        for (before, now) in before.iter().zip(&self.before) {
            sums.add(before, now, freqs_mhz)?;
        }
        sums.active()
    }
}

/// Whether `sample` has the GPU's states.
#[must_use]
pub fn is_in(sample: &Sample) -> bool {
    gpu_states(sample).next().is_some()
}

/// Whether `channel` is the one of the GPU's states.
#[must_use]
pub fn is_gpu(channel: &Channel) -> bool {
    (channel.group.as_str(), channel.subgroup.as_str()) == GPU_STATES && channel.name == GPU
}

fn gpu_states(sample: &Sample) -> impl Iterator<Item = &States> {
    let channels = sample.channels.iter().filter(|channel| is_gpu(channel));
    channels.filter_map(|channel| match &channel.value {
        Value::States(states) => Some(states),
        Value::Count(_) => None,
    })
}

/// Time in all states, in the active ones, and that times their frequency.
#[derive(Default)]
struct Sums {
    total: f64,
    active: f64,
    weighted: f64,
    /// Every active state had a frequency.
    known: bool,
}

impl Sums {
    /// `None` when the states are others than before, or went backwards.
    fn add(&mut self, before: &States, now: &States, freqs_mhz: &[f64]) -> Option<()> {
        if before.len() != now.len() {
            return None;
        }
        // A longer table cannot be matched: nobody says which entry is left out.
        let active_states = now.iter().filter(|(name, _)| !is_idle(name)).count();
        let table = if freqs_mhz.len() <= active_states { freqs_mhz } else { &[] };
        let mut freqs = table.iter();
        for ((before_name, before), (name, now)) in before.iter().zip(now) {
            let time = now.checked_sub(*before).filter(|time| *time >= 0)? as f64;
            if before_name != name {
                return None;
            }
            self.total += time;
            if is_idle(name) {
                continue;
            }
            self.active += time;
            match freqs.next() {
                Some(mhz) => self.weighted += time * mhz,
                None => self.known &= time == 0.0,
            }
        }
        Some(())
    }

    fn active(&self) -> Option<Active> {
        (self.total > 0.0).then(|| Active {
            residency_pct: self.active * 100.0 / self.total,
            freq_mhz: (self.known && self.active > 0.0).then(|| self.weighted / self.active),
        })
    }
}

/// All other states are steps of performance: `P1`, `P2` and so on.
fn is_idle(state: &str) -> bool {
    matches!(state, "OFF" | "IDLE" | "DOWN")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(states: &[(&str, i64)]) -> Sample {
        let states = states.iter().map(|(name, time)| ((*name).to_owned(), *time)).collect();
        let (group, subgroup) = GPU_STATES;
        Sample {
            at_ns: 0,
            channels: vec![Channel {
                group: group.to_owned(),
                subgroup: subgroup.to_owned(),
                name: GPU.to_owned(),
                value: Value::States(states),
                ..Channel::default()
            }],
        }
    }

    fn between(before: &[(&str, i64)], now: &[(&str, i64)], freqs: &[f64]) -> Option<Active> {
        let mut meter = Meter::default();
        assert_eq!(meter.read(&sample(before), freqs), None, "nothing to compare with yet");
        meter.read(&sample(now), freqs)
    }

    #[test]
    fn residency_is_the_active_share_and_the_frequency_is_the_mean_of_that_share() {
        let active = between(
            &[("OFF", 1_000), ("P1", 500), ("P2", 0)],
            &[("OFF", 1_060), ("P1", 530), ("P2", 10)],
            &[400.0, 800.0],
        );
        assert_eq!(active, Some(Active { residency_pct: 40.0, freq_mhz: Some(500.0) }));
    }

    #[test]
    fn an_idle_gpu_is_0_percent_at_no_frequency() {
        let active = between(&[("OFF", 1), ("P1", 5)], &[("OFF", 9), ("P1", 5)], &[400.0]);
        assert_eq!(active, Some(Active { residency_pct: 0.0, freq_mhz: None }));
    }

    #[test]
    fn a_state_without_a_frequency_leaves_the_mean_unknown_only_while_it_is_used() {
        let freqs = [400.0];
        let unused = between(
            &[("OFF", 0), ("P1", 0), ("P2", 7)],
            &[("OFF", 0), ("P1", 2), ("P2", 7)],
            &freqs,
        );
        assert_eq!(unused.unwrap().freq_mhz, Some(400.0));
        let used = between(
            &[("OFF", 0), ("P1", 0), ("P2", 7)],
            &[("OFF", 0), ("P1", 2), ("P2", 9)],
            &freqs,
        );
        assert_eq!(used, Some(Active { residency_pct: 100.0, freq_mhz: None }));
        let longer = between(&[("OFF", 0), ("P1", 0)], &[("OFF", 0), ("P1", 2)], &[400.0, 800.0]);
        assert_eq!(longer.unwrap().freq_mhz, None);
    }

    #[test]
    fn counters_that_began_anew_or_stood_still_measure_nothing() {
        assert_eq!(between(&[("OFF", 5), ("P1", 5)], &[("OFF", 6), ("P1", 0)], &[]), None);
        assert_eq!(between(&[("OFF", 5)], &[("OFF", 5)], &[]), None);
        assert_eq!(between(&[("OFF", 5)], &[("IDLE", 6)], &[]), None);
        assert_eq!(between(&[("P1", i64::MIN)], &[("P1", i64::MAX)], &[]), None);
    }

    proptest! {
        #[test]
        fn windows_that_follow_one_another_add_up_to_the_whole(
            steps in proptest::collection::vec((0_i64..1_000, 0_i64..1_000, 0_i64..1_000), 2..20),
        ) {
            let freqs = [400.0, 800.0];
            let mut at = (0, 0, 0);
            let point = |at: (i64, i64, i64)| sample(&[("OFF", at.0), ("P1", at.1), ("P2", at.2)]);
            let mut meter = Meter::default();
            meter.read(&point(at), &freqs);
            let (mut time, mut active, mut cycles) = (0.0, 0.0, 0.0);
            for step in steps {
                at = (at.0 + step.0, at.1 + step.1, at.2 + step.2);
                let window = (step.0 + step.1 + step.2) as f64;
                let Some(read) = meter.read(&point(at), &freqs) else {
                    prop_assert_eq!(window, 0.0);
                    continue;
                };
                let part = read.residency_pct / 100.0 * window;
                time += window;
                active += part;
                cycles += read.freq_mhz.unwrap_or(0.0) * part;
            }
            prop_assert_eq!(time, (at.0 + at.1 + at.2) as f64);
            prop_assert!((active - (at.1 + at.2) as f64).abs() < 1e-6);
            prop_assert!((cycles - (at.1 * 400 + at.2 * 800) as f64).abs() < 1e-3);
        }

        #[test]
        fn any_counters_give_a_share_between_0_and_100(before: [i64; 3], now: [i64; 3], freqs: Vec<f64>) {
            let named = |v: [i64; 3]| [("OFF", v[0]), ("P1", v[1]), ("P2", v[2])];
            if let Some(active) = between(&named(before), &named(now), &freqs) {
                prop_assert!((0.0..=100.0).contains(&active.residency_pct));
            }
        }
    }
}
