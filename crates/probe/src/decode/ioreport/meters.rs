//! All that IOReport's channels come to, from sample to sample.

use super::activity::{self, Active};
use super::energy::{self, LIVE, Part};
use super::{Channel, Sample};

/// One meter for each quantity.
#[derive(Debug, Clone)]
pub struct Meters {
    gpu: activity::Meter,
    freqs_mhz: Vec<f64>,
    parts: [energy::Meter; Part::ALL.len()],
}

/// What a sample tells that the ones before did not.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// What the GPU did since the sample before.
    pub gpu: Option<Active>,
    /// Watts of [`Part::ALL`] between the two last publications.
    pub watts: [Option<f64>; Part::ALL.len()],
}

impl Meters {
    /// Meters that have seen nothing yet, and the frequencies of the GPU's
    /// active states, where they are known.
    #[must_use]
    pub fn new(freqs_mhz: Vec<f64>) -> Meters {
        Meters {
            gpu: activity::Meter::default(),
            freqs_mhz,
            parts: Part::ALL.map(energy::Meter::new),
        }
    }

    /// Takes in `sample`, which may hold some of the channels only: the others'
    /// meters wait for theirs.
    pub fn read(&mut self, sample: &Sample) -> Measured {
        let mut watts = [None; Part::ALL.len()];
        for (watts, meter) in watts.iter_mut().zip(&mut self.parts) {
            *watts = meter.read(sample);
        }
        Measured { gpu: self.gpu.read(sample, &self.freqs_mhz), watts }
    }
}

impl Measured {
    /// This, and of `other` what this lacks.
    #[must_use]
    pub fn or(self, other: Measured) -> Measured {
        let mut watts = self.watts;
        for (watts, other) in watts.iter_mut().zip(other.watts) {
            *watts = watts.or(other);
        }
        Measured { gpu: self.gpu.or(other.gpu), watts }
    }

    /// Watts of `part`.
    #[must_use]
    pub fn watts_of(&self, part: Part) -> Option<f64> {
        Part::ALL.iter().zip(self.watts).find(|(of, _)| **of == part)?.1
    }
}

/// Among the energy channels of a machine, whether `channel` is worth asking
/// for: `Some(true)` in every sample, `Some(false)` about once a second, which
/// is as often as it is published.
#[must_use]
pub fn wanted(channel: &Channel, all: &[Channel]) -> Option<bool> {
    let (part, _) = Part::of(&channel.name)?;
    energy::counters(part, all)
        .any(|counter| counter.name == channel.name)
        .then(|| channel.name == LIVE)
}

#[cfg(test)]
mod tests {
    use super::super::{ENERGY, text};
    use super::*;

    fn capture(name: &str) -> Vec<Sample> {
        text::parse(match name {
            "m1ultra" => include_str!("../../../tests/data/macos/ioreport-m1ultra.txt"),
            _ => include_str!("../../../tests/data/macos/ioreport-m5max.txt"),
        })
    }

    fn asked(name: &str, live: bool) -> Vec<String> {
        let channels = &capture(name)[0].channels;
        let energy: Vec<Channel> =
            channels.iter().filter(|channel| channel.group == ENERGY).cloned().collect();
        let of = |channel: &&Channel| wanted(channel, &energy) == Some(live);
        energy.iter().filter(of).map(|channel| channel.name.clone()).collect()
    }

    #[test]
    fn of_hundreds_of_channels_only_those_that_are_added_up_are_asked_for() {
        for chip in ["m1ultra", "m5max"] {
            assert_eq!(asked(chip, true), ["GPU Energy"]);
        }
        assert_eq!(asked("m5max", false), ["CPU Energy", "ANE0", "DRAM0"]);
        assert_eq!(
            asked("m1ultra", false),
            ["DIE_0_CPU Energy", "DIE_1_CPU Energy", "ANE0_0", "DRAM0_0", "ANE0_1", "DRAM0_1"]
        );
    }

    /// The channels of `sample` for which `keep` holds.
    fn only(sample: &Sample, keep: impl Fn(&Channel) -> bool) -> Sample {
        let channels = sample.channels.iter().filter(|channel| keep(channel)).cloned().collect();
        Sample { at_ns: sample.at_ns, channels }
    }

    #[test]
    fn channels_that_come_in_turns_measure_the_same() {
        let samples = capture("m5max");
        let mut whole = Meters::new(Vec::new());
        assert_eq!(whole.read(&samples[0]), Measured::default());
        let at_once = whole.read(&samples[1]);
        assert_eq!(at_once.watts_of(Part::Gpu), Some(40.0));
        assert!(at_once.gpu.is_some());

        let all = &samples[0].channels;
        let live =
            |channel: &Channel| activity::is_gpu(channel) || wanted(channel, all) == Some(true);
        let mut in_turns = Meters::new(Vec::new());
        let mut last = Measured::default();
        for sample in &samples {
            let fast = in_turns.read(&only(sample, live));
            let slow = only(sample, |channel| wanted(channel, all) == Some(false));
            last = fast.or(in_turns.read(&slow));
        }
        assert_eq!(last, at_once);
    }
}
